-- reindex_waiting --
-- How many resources of each tenant have index rows that are older than $1, with what the tenant's own search
-- parameters of the type add to it.
select k.tenant, t.name, sum(k.resources)::bigint as waiting
from (select tenant, type, index_version, count(*) as resources from keys group by 1, 2, 3) k
join tenant t on t.tenant = k.tenant
left join custom_search c on c.tenant = k.tenant
where k.index_version < $1 + coalesce((c.wanted ->> k.type::text)::int, 0)
group by k.tenant, t.name
order by k.tenant

-- reindex_page --
-- Of the next resources by rid, those of a tenant whose index rows are older than $3, or than what a type has of
-- its own ($6, by type $5); the last of all.
select max(p.rid) as last,
       coalesce(array_agg(p.rid order by p.rid) filter (
         where p.tenant = $1
           and p.index_version < coalesce(($6::int[])[array_position($5::smallint[], p.type)], $3)
       ), '{}') as waiting
from (select k.rid, k.tenant, k.type, k.index_version from keys k where k.rid > $2 order by k.rid limit $4) p

-- reindex_mark --
-- Let the index rows of the next resources by rid count as old, where they are of the given types. Rows are
-- locked in the order in which writers lock them.
with page as materialized (
  select k.rid from keys k where k.rid > $2 order by k.rid limit $4
),
locked as materialized (
  select r.rid
  from page p join resource r on r.rid = p.rid and r.tenant = $1 and r.type = any($3::smallint[])
  order by r.rid
  for update of r
),
marked as (
  update keys k set index_version = 0 from locked l where k.rid = l.rid
)
select max(rid) from page

-- reindex_bodies --
-- What index rows are made from. A resource that was deleted meanwhile has none.
select r.rid, r.type, r.id, r.version, r.key_id, r.dict_id, r.body
from unnest($2::bigint[]) q(rid) join resource r on r.rid = q.rid and r.tenant = $1
where r.version > 0 and not r.deleted

-- reindex --
-- Write index rows anew for the versions that they were made from. The row itself is written too: a writer that
-- was waiting for its lock sees by xmin that the rows it knows of are no longer those that there are.
with w as materialized (
  select w.* from unnest($2::bigint[], $3::int[], $4::bigint[]) with ordinality
                  as w(rid, version, index_digest, ord)
),
locked as materialized (
  select r.rid, w.ord, w.index_digest
  from w join resource r on r.rid = w.rid and r.version = w.version and r.tenant = $1
  where not r.deleted and $39 = coalesce((select c.number from custom_search c where c.tenant = $1), 0)
    and r.xmin = (select s.xmin from resource s where s.rid = r.rid)
  order by r.rid
  for update of r
),
changed as (
  update resource r
  set patients = ($5::bigint[])[($6::int[])[l.ord] + 1:($6::int[])[l.ord + 1]],
      labels = ($7::bigint[])[($8::int[])[l.ord] + 1:($8::int[])[l.ord + 1]]
  from locked l
  where r.rid = l.rid
),
keys_put as (
  update keys k
  set index_version = ($9::int[])[l.ord], index_digest = l.index_digest,
      keys = ($10::bigint[])[($11::int[])[l.ord] + 1:($11::int[])[l.ord + 1]],
      words = ($12::bigint[])[($13::int[])[l.ord] + 1:($13::int[])[l.ord + 1]]
  from locked l
  where k.rid = l.rid
),
edges_gone as (delete from edge e using locked l where e.src = l.rid),
edges_put as (
  insert into edge (src, dst, tenant, param)
  select l.rid, e.dst, $1, e.param
  from unnest($14::int[], $15::int[], $16::bigint[]) e(ord, param, dst) join locked l on l.ord = e.ord
),
strings_gone as (delete from string_value v using locked l where v.rid = l.rid),
strings_put as (
  insert into string_value (rid, tenant, param, extreme, value, exact)
  select l.rid, $1, v.param, v.extreme, v.value, v.exact
  from unnest($17::int[], $18::int[], $19::smallint[], $20::text[], $21::int[])
       v(ord, param, extreme, value, exact)
  join locked l on l.ord = v.ord
),
dates_gone as (delete from date_value v using locked l where v.rid = l.rid),
dates_put as (
  insert into date_value (rid, subject, low, high, tenant, param, extreme)
  select l.rid, v.subject, v.low, v.high, $1, v.param, v.extreme
  from unnest($22::int[], $23::int[], $24::smallint[], $25::bigint[], $26::bigint[], $27::bigint[])
       v(ord, param, extreme, subject, low, high)
  join locked l on l.ord = v.ord
),
numbers_gone as (delete from number_value v using locked l where v.rid = l.rid),
numbers_put as (
  insert into number_value (rid, unit, low, high, tenant, param, extreme)
  select l.rid, v.unit, v.low, v.high, $1, v.param, v.extreme
  from unnest($28::int[], $29::int[], $30::smallint[], $31::bigint[], $32::float8[], $33::float8[])
       v(ord, param, extreme, unit, low, high)
  join locked l on l.ord = v.ord
),
care_gone as (delete from care_relation c using locked l where c.source = l.rid),
care_put as (
  insert into care_relation (tenant, practitioner, patient, source, low, high)
  select $1, c.practitioner, c.patient, l.rid, c.low, c.high
  from unnest($34::int[], $35::bigint[], $36::bigint[], $37::bigint[], $38::bigint[])
       c(ord, practitioner, patient, low, high)
  join locked l on l.ord = c.ord
)
select count(*) from locked
