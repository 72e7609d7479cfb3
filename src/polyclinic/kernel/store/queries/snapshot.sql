-- snapshot_moved --
-- What a snapshot saw of resources that were changed or deleted since: of each the version that was current
-- then. A change takes the resource a new tx; which of its versions the snapshot saw, their tx says. Only those
-- are returned that had all keys of $5, and one of $6 where that is given. The first columns come in any case.
with late as materialized (
  select c.rid, c.type, c.version
  from resource c
  where c.tenant = $1 and c.version > 0 and c.tx >= $2::xid8
    and not pg_visible_in_snapshot(c.tx, $3::text::pg_snapshot)
  limit $7
),
seen as (
  select v.*, r.id
  from late l
  join lateral (
    select v.rid, v.type, v.version, v.valid_from as last_updated, v.dict_id, v.body, v.patients, v.key_id,
           v.labels, v.keys, v.deleted
    from version v
    where v.rid = l.rid and pg_visible_in_snapshot(v.tx, $3::text::pg_snapshot)
    order by v.version desc limit 1
  ) v on not v.deleted and v.keys @> $5::bigint[] and ($6::bigint[] is null or v.keys && $6)
  join resource r on r.rid = l.rid
  where l.version > 1 and l.type = any($4::smallint[])
  limit $8
)
select h.system || ' ' || h.timeline as here, (select count(*) from late) as looked, s.*
from feed_here() h left join seen s on true
