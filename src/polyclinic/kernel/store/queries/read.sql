-- read --
-- Read resources by type and id, and audit each attempt, in one round trip. own is the rid of the one
-- patient whose record the principal may see, 0 without that limit; shared lets it see those of nobody.
with q as materialized (
  select q.*
  from unnest($2::smallint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $9::boolean[])
       with ordinality as q(type, id, own, account, counter, shared, ord)
),
placed as materialized (
  select q.ord, r.rid, r.version, r.deleted, r.last_updated, r.digest, r.dict_id, r.key_id, r.patients,
         r.body, q.own = 0 or q.own = any(r.patients) or (q.shared and r.patients = '{}') as allowed
  from q join resource r on r.tenant = $1 and r.type = q.type and r.id = q.id
),
-- Stubs are left out here: in the join, the condition would let a table that was never analyzed be read
-- by the index of updates, which knows the type and not the id.
found as materialized (select * from placed where version > 0),
audited as (
  insert into audit (tenant, worker, counter, at, account, action, outcome, type, rid, version, patients)
  select $1, $7, q.counter, $8, q.account, 'R'::"char",
         case when f.rid is null then 4 when not f.allowed then 8 else 0 end, q.type,
         coalesce(f.rid, 0), coalesce(f.version, 0), coalesce(f.patients, '{}')
  from q left join found f on f.ord = q.ord
)
select f.ord::int, f.rid, f.version, f.deleted, f.last_updated, f.digest, f.dict_id,
       case when f.allowed then f.body end as body, f.allowed, f.key_id, f.patients
from found f

-- vread --
-- One version of one resource, current or superseded, with its keys, which may decide who sees it, and
-- without its body where own ($5) and shared ($6) say no, whatever is decided afterwards.
select r.rid, r.id, r.version, r.deleted, r.last_updated, r.dict_id, r.key_id, r.patients, r.labels,
       case when $5::bigint = 0 or $5 = any(r.patients) or ($6::boolean and r.patients = '{}') then r.body end as body,
       case when $5 < 0 then (select k.keys from keys k where k.rid = r.rid) end as keys
from resource r
where r.tenant = $1 and r.type = $2 and r.id = $3 and r.version = $4 and $4 > 0
union all
select v.rid, r.id, v.version, v.deleted, v.valid_from, v.dict_id, v.key_id, v.patients, v.labels,
       case when $5 = 0 or $5 = any(v.patients) or ($6 and v.patients = '{}') then v.body end,
       case when $5 < 0 then v.keys end
from resource r join version v on v.rid = r.rid
where r.tenant = $1 and r.type = $2 and r.id = $3 and v.version = $4

-- handles --
-- Where resources stand, stubs included, without reading them.
select q.ord::int, r.rid, r.version, r.deleted, r.digest
from unnest($2::smallint[], $3::text[]) with ordinality as q(type, id, ord)
join resource r on r.tenant = $1 and r.type = q.type and r.id = q.id

-- stubs --
-- Give a rid to what is referred to but not yet stored.
insert into resource (rid, tenant, type, version, id, last_updated)
select q.rid, $1, q.type, 0, q.id, $5
from unnest($2::bigint[], $3::smallint[], $4::text[]) as q(rid, type, id)
order by q.type, q.id
on conflict (tenant, type, id) do nothing

-- revocation --
-- How often sign-ins have been revoked; a cached one is verified again when this moves.
select last_value from revocation

-- rid_block --
select nextval('rid_block')

-- tenant --
-- A tenant and its wrapped index key.
select t.tenant, t.name, k.key_id, k.kek, k.wrapped
from tenant t left join data_key k
  on k.tenant = t.tenant and k.purpose = 'index' and k.destroyed is null
where t.name = $1

-- tenant_number --
select tenant from tenant where name = $1

-- tenant_new --
insert into tenant (tenant, name, created)
values ((select coalesce(max(tenant), 0) + 1 from tenant), $1, $2)
on conflict (name) do nothing

-- index_key_new --
-- Nothing when another key-encryption key has become the current one.
insert into data_key (tenant, purpose, kek, wrapped, created)
select $1, 'index', $2, $3, $4
where $2 = coalesce((select kek from key_generation order by generation desc limit 1), $2)
on conflict (tenant, purpose, coalesce(patient, 0)) do nothing

-- tenant_used --
-- Whether a tenant has ever stored anything.
select exists (select from resource where tenant = $1)

-- type_count --
-- How many resources of a type there are.
select coalesce(sum(delta), 0)::bigint from type_count where tenant = $1 and type = $2

-- type_size --
-- How many resources of a type there are, for the choice of a plan.
select coalesce(sum(delta), 0)::bigint as size from type_count where tenant = $1 and type = $2

-- audit_month --
-- Make the audit partition of a month where it is missing.
select audit_month($1)

-- load_progress --
-- Lines of an unfinished file that are stored.
select next_line from load_progress where tenant = $1 and file_digest = $2 and not finished

-- load_progress_put --
insert into load_progress as p (tenant, file_digest, next_line, finished) values ($1, $2, $3, $4)
on conflict (tenant, file_digest)
do update set next_line = excluded.next_line, finished = excluded.finished

-- fold_type_counts --
-- Replace the deltas of each type by their sum; rows that others add meanwhile stay.
with gone as (delete from type_count where tenant = $1 returning type, delta)
insert into type_count (tenant, type, delta)
select $1, type, sum(delta) from gone group by type having sum(delta) <> 0

-- analyze --
-- Tell the planner what is in the tables now.
select store_analyze()

-- has_keys --
-- Whether anything was ever wrapped under the key-encryption key.
select exists (select from data_key)
