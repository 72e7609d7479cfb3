-- policy --
-- The policy that holds, when it is another than the one that is known.
select version, document from policy where tenant = $1 and version > $2 order by version desc limit 1

-- policies --
select version, at, account, document from policy where tenant = $1 order by version desc

-- policy_put --
insert into policy (tenant, version, at, account, document)
values ($1, (select coalesce(max(version), 0) + 1 from policy where tenant = $1), $2, $3, $4)
returning version
