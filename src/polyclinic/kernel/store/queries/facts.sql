-- read_facts --
-- What of resources decides who may see them, without their bodies, for principals whose limit is more than one patient's
-- compartment: the decision is made in memory, and audited afterwards. Stubs have version 0.
select q.ord::int, r.rid, r.version, r.patients, r.labels, coalesce(k.keys, '{}') as keys,
       exists (
         select from care_relation c
         where c.tenant = $1 and c.patient = any(r.patients) and c.low <= $5 and c.high > $5
           and c.practitioner = any(q.practitioner || array(
             select e.src from edge e where e.dst = q.practitioner and e.param = $6))
       ) as cared
from unnest($2::smallint[], $3::text[], $4::bigint[]) with ordinality as q(type, id, practitioner, ord)
join resource r on r.tenant = $1 and r.type = q.type and r.id = q.id
left join keys k on k.rid = r.rid

-- cared --
-- Which of some patients a member of staff has a care relation with now.
select distinct c.patient
from care_relation c
where c.tenant = $1 and c.patient = any($2::bigint[]) and c.low <= $4 and c.high > $4
  and c.practitioner = any($3::bigint || array(
    select e.src from edge e where e.dst = $3 and e.param = $5))
