-- policy --
-- The policy that holds, and the search parameters that the tenant defined, each when it is another than the one
-- that is known.
select p.version, p.document, c.number as search_number, c.revision as search_revision, c.document as search
from (select 1) one
left join lateral (
  select version, document from policy where tenant = $1 and version > $2 order by version desc limit 1
) p on true
left join custom_search c on c.tenant = $1 and c.revision > $3

-- policies --
select version, at, account, document from policy where tenant = $1 order by version desc

-- policy_put --
insert into policy (tenant, version, at, account, document)
values ($1, (select coalesce(max(version), 0) + 1 from policy where tenant = $1), $2, $3, $4)
returning version
