-- simulate_facts --
-- What of one resource decides who may see it.
select r.patients, r.labels, coalesce(k.keys, '{}') as keys,
       exists (
         select from care_relation c
         where c.tenant = $1 and c.patient = any(r.patients) and c.low <= $5 and c.high > $5
           and c.practitioner = any($4::bigint || array(
             select e.src from edge e where e.dst = $4 and e.param = $6))
       ) as cared
from resource r left join keys k on k.rid = r.rid
where r.tenant = $1 and r.type = $2 and r.id = $3 and not r.deleted and r.version <> 0

-- simulate_related --
-- The care relations of some patients that hold now: who, and from which resource.
select p.type, p.id, s.type, s.id
from care_relation c
join resource p on p.rid = c.practitioner
join resource s on s.rid = c.source
where c.tenant = $1 and c.patient = any($2::bigint[]) and c.low <= $3 and c.high > $3
order by p.type, p.id, s.type, s.id
limit 200
