-- condition_locks --
-- Lock conditions until the transaction ends, one by one in the order of their keys.
select case when l.shared then pg_advisory_xact_lock_shared(l.key) else pg_advisory_xact_lock(l.key) end
from unnest($1::bigint[], $2::boolean[]) as l(key, shared)

-- condition_plans --
-- Let the plans of this transaction follow the values of its conditions.
set local plan_cache_mode = force_custom_plan

-- conditions --
-- What conditions on hashed values match, at most as many as each asks for. The plan is made once, perhaps
-- while the tables are empty: each step is fenced, so that only its own index can serve it.
select q.ord::int, m.rid, m.id, m.version, m.patients
from unnest($2::smallint[], $3::int[]) with ordinality as q(type, most, ord)
cross join lateral (
  select r.rid, r.id, r.version, r.patients
  from (
    select k.rid from keys k
    where k.keys @> ($4::bigint[])[($5::int[])[q.ord] + 1:($5::int[])[q.ord + 1]]
      and k.tenant = $1 and k.type = q.type
    offset 0
  ) k cross join lateral (
    select r.rid, r.id, r.version, r.patients, r.deleted from resource r where r.rid = k.rid limit 1
  ) r
  where r.version > 0 and not r.deleted
  limit q.most
) m
