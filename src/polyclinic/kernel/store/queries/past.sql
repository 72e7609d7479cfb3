-- snapshot_moved --
-- What a snapshot saw of resources that were changed or deleted since: of each the version that was current
-- then. A change takes the resource a new tx; which of its versions the snapshot saw, their tx says. Only those
-- are returned that had all keys of $3, and one of $4 where that is given, as far as their keys mean what they
-- mean now ($7, the version of the index, by type). The first column comes in any case.
with late as materialized (
  select c.rid, c.type, c.version
  from resource c
  where c.tenant = $1 and c.version > 0 and c.tx >= $8::xid8
    and not pg_visible_in_snapshot(c.tx, $9::text::pg_snapshot)
  limit $5
),
seen as (
  select v.*, r.id
  from late l
  join lateral (
    select v.rid, v.type, v.version, v.valid_from as last_updated, v.dict_id, v.body, v.patients, v.key_id,
           v.labels, v.keys, v.index_version, v.deleted
    from version v
    where v.rid = l.rid and pg_visible_in_snapshot(v.tx, $9::text::pg_snapshot)
    order by v.version desc limit 1
  ) v on not v.deleted
    and (v.index_version < ($7::int[])[array_position($2::smallint[], v.type)] or v.keys @> $3::bigint[] and ($4::bigint[] is null or v.keys && $4))
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
  where c.tenant = $1 and c.type = any($2::smallint[]) and c.version > 0 and c.last_updated > $8::timestamptz
  limit $5
),
seen as (
  select v.*, r.id
  from late l
  join lateral (
    select v.rid, v.type, v.version, v.valid_from as last_updated, v.dict_id, v.body, v.patients, v.key_id,
           v.labels, v.keys, v.index_version, v.deleted
    from version v
    where v.rid = l.rid and v.valid_from <= $8::timestamptz
    order by v.version desc limit 1
  ) v on not v.deleted
    and (v.index_version < ($7::int[])[array_position($2::smallint[], v.type)] or v.keys @> $3::bigint[] and ($4::bigint[] is null or v.keys && $4))
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

-- difference --
-- The last version of one resource between two moments, and which version there was before.
select r.type, r.id, r.rid, x.at, x.version, x.deleted, o.version as before,
       coalesce(o.deleted, true) as was_deleted
from resource r
join lateral (
  select h.* from (
    select r.version, r.deleted, r.last_updated as at, r.digest where r.version > 0
    union all
    select v.version, v.deleted, v.valid_from, v.digest from version v where v.rid = r.rid
  ) h
  where h.at > $4 and h.at <= $5 order by h.version desc limit 1
) x on true
left join lateral (
  select v.version, v.deleted, v.digest from version v
  where v.rid = r.rid and v.valid_from <= $4 order by v.version desc limit 1
) o on true
where r.tenant = $1 and r.type = $2 and r.id = $3
  and (o.version is null or x.digest = 0 or x.digest <> o.digest)

-- versions --
-- Some versions, with what decides who may see them.
select r.type, r.id, h.*
from unnest($2::bigint[], $3::int[]) as q(rid, version)
join resource r on r.rid = q.rid and r.tenant = $1
join lateral (
  select r.rid, r.version, r.deleted, r.last_updated, r.dict_id, r.key_id, r.patients, r.labels, r.body,
         (select k.keys from keys k where k.rid = r.rid) as keys
  where r.version = q.version
  union all
  select v.rid, v.version, v.deleted, v.valid_from, v.dict_id, v.key_id, v.patients, v.labels, v.body, v.keys
  from version v where v.rid = q.rid and v.version = q.version
) h on true

-- undo_group --
-- What the transaction wrote that wrote a version: the version that it made of each resource, and the current
-- one. A write by itself shares its transaction with others, and has no group.
with made as (
  select h.rid, h.version, h.tx, h.txgroup
  from resource r
  join lateral (
    select r.rid, r.version, r.tx, r.txgroup
    union all
    select v.rid, v.version, v.tx, v.txgroup from version v where v.rid = r.rid
  ) h on h.version = $4
  where r.tenant = $1 and r.type = $2 and r.id = $3
)
select r.type, r.id, x.rid, x.version, x.deleted, r.version as current
from made m
join lateral (
  select c.rid, c.version, c.deleted
  from (
    select tenant, rid, version, deleted, tx, txgroup from resource
    union all
    select tenant, rid, version, deleted, tx, txgroup from version
  ) c
  where c.tenant = $1 and c.version > 0 and c.tx = m.tx
    and (c.txgroup = m.txgroup and m.txgroup <> 0 or (c.rid, c.version) = (m.rid, m.version))
) x on true
join resource r on r.rid = x.rid
order by x.rid
limit $5
