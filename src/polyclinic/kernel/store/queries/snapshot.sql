-- snapshot_moved --
-- What a snapshot saw of resources that were changed or deleted since: of each the version that was current
-- then. A change takes the resource a new tx; which of its versions the snapshot saw, their tx says. Only those
-- are returned that had all keys of $3, and one of $4 where that is given. The first columns come in any case.
with late as materialized (
  select c.rid, c.type, c.version
  from resource c
  where c.tenant = $1 and c.version > 0 and c.tx >= $7::xid8
    and not pg_visible_in_snapshot(c.tx, $8::text::pg_snapshot)
  limit $5
),
seen as (
  select v.*, r.id
  from late l
  join lateral (
    select v.rid, v.type, v.version, v.valid_from as last_updated, v.dict_id, v.body, v.patients, v.key_id,
           v.labels, v.keys, v.deleted
    from version v
    where v.rid = l.rid and pg_visible_in_snapshot(v.tx, $8::text::pg_snapshot)
    order by v.version desc limit 1
  ) v on not v.deleted and v.keys @> $3::bigint[] and ($4::bigint[] is null or v.keys && $4)
  join resource r on r.rid = l.rid
  where l.version > 1 and l.type = any($2::smallint[])
  limit $6
)
select (select count(*) from late) as looked, s.* from (select 1) one left join seen s on true

-- as_of_moved --
-- The versions that were current at a moment, of what was changed or deleted after it; as snapshot_moved.
with late as materialized (
  select c.rid, c.version
  from resource c
  where c.tenant = $1 and c.type = any($2::smallint[]) and c.version > 0 and c.last_updated > $7::timestamptz
  limit $5
),
seen as (
  select v.*, r.id
  from late l
  join lateral (
    select v.rid, v.type, v.version, v.valid_from as last_updated, v.dict_id, v.body, v.patients, v.key_id,
           v.labels, v.keys, v.deleted
    from version v
    where v.rid = l.rid and v.valid_from <= $7::timestamptz
    order by v.version desc limit 1
  ) v on not v.deleted and v.keys @> $3::bigint[] and ($4::bigint[] is null or v.keys && $4)
  join resource r on r.rid = l.rid
  where l.version > 1
  limit $6
)
select (select count(*) from late) as looked, s.* from (select 1) one left join seen s on true

-- as_of_version --
-- Which version of a resource was current at a moment; 0 for none.
select coalesce(max(h.version), 0)
from resource r
join lateral (
  select r.version where r.last_updated <= $4::timestamptz and r.version > 0
  union all
  select v.version from version v where v.rid = r.rid and v.valid_from <= $4
) h on true
where r.tenant = $1 and r.type = $2 and r.id = $3
