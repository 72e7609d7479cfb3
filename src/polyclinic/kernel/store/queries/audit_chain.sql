-- worker_opened --
-- Number a process that is going to write audit rows.
insert into audit_worker (worker, cluster, opened)
select nextval('worker_number'), system_identifier, $1 from pg_control_system()
returning worker

-- audit_note --
-- Rows for what is not a read or a write by id: searches, histories, versions, refusals.
insert into audit (tenant, worker, counter, at, account, action, outcome, type, rid, version, patients, detail,
                   request, interaction)
select n.tenant, $1, n.counter, $2, n.account, n.action::"char", n.outcome, n.type, n.rid, n.version,
       ($14::bigint[])[($15::int[])[n.ord] + 1:($15::int[])[n.ord + 1]], n.detail, n.request, n.interaction
from unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::smallint[], $8::smallint[], $9::bigint[],
            $10::int[], $11::bytea[], $12::uuid[], $13::smallint[])
     with ordinality as n(tenant, counter, account, action, outcome, type, rid, version, detail, request,
                          interaction, ord)

-- audit_clusters --
-- The servers on which audit rows were written, oldest first, and whether it is the one that answers.
select w.cluster, w.cluster = s.system_identifier as current
from (select cluster, min(worker) as first from audit_worker group by cluster) w, pg_control_system() s
order by w.first

-- audit_unsealed --
-- Rows behind a place, in the order of their commits, below the first transaction that is still under way
-- ($6): nothing can come between them any more.
select a.tenant, a.tx, a.worker, a.counter, a.at, a.account, a.action, a.outcome, a.type, a.rid, a.version,
       a.patients, a.detail, a.request, a.interaction
from audit a join audit_worker w on w.worker = a.worker
where a.tenant = $1 and w.cluster = $2 and a.tx >= $3 and (a.tx, a.worker, a.counter) > ($3, $4, $5)
  and a.tx < $6::xid8
order by a.tx, a.worker, a.counter
limit $7

-- audit_sealed --
-- Rows behind a place up to another, in the order of their commits.
select a.tenant, a.tx, a.worker, a.counter, a.at, a.account, a.action, a.outcome, a.type, a.rid, a.version,
       a.patients, a.detail, a.request, a.interaction
from audit a join audit_worker w on w.worker = a.worker
where a.tenant = $1 and w.cluster = $2 and a.tx >= $3 and (a.tx, a.worker, a.counter) > ($3, $4, $5)
  and a.tx <= $6 and (a.tx, a.worker, a.counter) <= ($6, $7, $8)
order by a.tx, a.worker, a.counter
limit $9

-- audit_seal_put --
-- Nothing is written when another process has sealed this segment meanwhile.
insert into audit_seal (tenant, number, cluster, row_count, total, first_tx, first_worker, first_counter, last_tx,
                        last_worker, last_counter, at, members, macs, previous, chain, signature)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (tenant, number) do nothing
returning number

-- audit_seal_last --
select * from audit_seal where tenant = $1 order by number desc limit 1

-- audit_seal_last_of --
-- Where the rows of one server are sealed up to.
select last_tx, last_worker, last_counter from audit_seal
where tenant = $1 and cluster = $2 order by number desc limit 1

-- audit_seals --
select * from audit_seal where tenant = $1 and number > $2 order by number limit $3

-- audit_strangers --
-- Rows whose process never opened the store.
select a.worker, count(*) as rows, min(a.at) as first, max(a.at) as last
from audit a
where a.tenant = $1 and not exists (select from audit_worker w where w.worker = a.worker)
group by a.worker order by a.worker limit $2

-- audit_by_worker --
-- How many rows each process has written.
select worker, count(*) as rows, min(at) as first, max(at) as last
from audit where tenant = $1 group by worker order by worker

-- audit_farewells --
-- What processes said of themselves when they ended: interaction 100 of kernel/store/audit.py.
select worker, detail from audit where tenant = $1 and account = 0 and interaction = 100

-- audit_sizes --
-- How many rows are sealed, by the newest segment.
select coalesce(max(total), 0)::bigint from audit_seal where tenant = $1

-- audit_about --
-- What a refused write was about.
select rid, version, patients from resource where tenant = $1 and type = $2 and id = $3 and version > 0
