-- history_instance --
-- All versions of one resource, newest first; own and shared limit them as in read, and keys ($9) come
-- along where they decide who may see a version. Stubs are left out
-- through h, because a condition on r's version would offer the index of updates, which knows no id.
select r.type, r.id, h.rid, h.version, h.deleted, h.at, h.dict_id, h.key_id, h.patients, h.body, h.seq, h.labels, h.keys
from resource r
join lateral (
  select r.rid, r.version, r.deleted, r.last_updated as at, r.dict_id, r.key_id, r.patients, r.body, r.seq, r.labels,
         case when $9::boolean then (select k.keys from keys k where k.rid = r.rid) end as keys
  union all
  select v.rid, v.version, v.deleted, v.valid_from, v.dict_id, v.key_id, v.patients, v.body, v.seq, v.labels,
         case when $9 then v.keys end
  from version v where v.rid = r.rid
) h on true
where r.tenant = $1 and r.type = $2 and r.id = $3 and h.version > 0
  and h.at >= $4 and h.version < $5
  and ($7::bigint = 0 or $7 = any(h.patients) or ($8::boolean and h.patients = '{}'))
order by h.version desc
limit $6

-- history_types --
-- Versions of all resources of some types, newest first; a page ends at (at, rid, version).
select t.type, r.id, h.rid, h.version, h.deleted, h.at, h.dict_id, h.key_id, h.patients, h.body, h.seq
from unnest($2::smallint[]) as t(type)
cross join lateral (
  (select c.rid, c.version, c.deleted, c.last_updated as at, c.dict_id, c.key_id, c.patients, c.body, c.seq
   from resource c
   where c.tenant = $1 and c.type = t.type and c.version > 0 and c.last_updated >= $3
     and (c.last_updated, c.rid) <= ($4, $5)
     and ((c.last_updated, c.rid) < ($4, $5) or c.version < $6)
   order by c.last_updated desc, c.rid desc, c.version desc limit $7)
  union all
  (select v.rid, v.version, v.deleted, v.valid_from, v.dict_id, v.key_id, v.patients, v.body, v.seq
   from version v
   where v.tenant = $1 and v.type = t.type and v.valid_from >= $3
     and (v.valid_from, v.rid) <= ($4, $5)
     and ((v.valid_from, v.rid) < ($4, $5) or v.version < $6)
   order by v.valid_from desc, v.rid desc, v.version desc limit $7)
) h
join resource r on r.rid = h.rid
order by h.at desc, h.rid desc, h.version desc
limit $7
