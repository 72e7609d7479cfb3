-- feed_here --
-- Which cluster, database and timeline this is: transaction ids count in one of them.
select system, timeline from feed_here()

-- feed_epochs --
select epoch, system, timeline, first_seq, token from feed_epoch order by epoch

-- feed_epoch_begin --
-- Begin an epoch when this is another cluster, database or timeline than that of the newest one. Another
-- timeline goes on with the transaction ids of the last; in another cluster they begin anew.
insert into feed_epoch (epoch, system, timeline, first_seq, token)
select l.epoch + 1, h.system, h.timeline,
       case when l.system = h.system then l.first_seq else s.given end,
       hashtextextended(gen_random_uuid()::text, 0)
from feed_here() h
cross join (select * from feed_epoch order by epoch desc limit 1) l
cross join (select last_value - (not is_called)::int as given from change_seq) s
where (l.system, l.timeline) <> (h.system, h.timeline)
on conflict do nothing

-- feed_window --
-- Where a page of changes ends: after $9 of the types, or after $8 looked at. A current row moves to version
-- when it is superseded and keeps its tx and seq: one statement sees it in one of the two. Below the oldest
-- transaction that runs ($6) nothing can be added any more; what came with a dump has no such bound.
with found as materialized (
  select l.tx, l.seq
  from (
    select c.tx, c.seq, c.type
    from (
      select tenant, version, tx, seq, type from resource
      union all
      select tenant, version, tx, seq, type from version
    ) c
    where c.tenant = $1 and c.version > 0 and (c.tx, c.seq) > ($2::xid8, $3::bigint)
      and c.tx < $6::xid8
      and c.seq > $4 and c.seq <= $5
    order by c.tx, c.seq limit $8
  ) l
  where l.type = any($7::smallint[])
  order by l.tx, l.seq limit $9
),
last as (select tx, seq from found order by tx desc, seq desc limit 1),
counted as (select count(*)::int as lines from found)
select h.system, h.timeline, n.lines, f.tx, f.seq, s.tx as seen_tx, s.seq as seen_seq,
       coalesce(s.looked, 0)::int as looked
from feed_here() h
cross join counted n
left join last f on true
left join lateral (
  select l.tx, l.seq, row_number() over (order by l.tx, l.seq) as looked
  from (
    select c.tx, c.seq
    from (
      select tenant, version, tx, seq from resource
      union all
      select tenant, version, tx, seq from version
    ) c
    where c.tenant = $1 and c.version > 0 and (c.tx, c.seq) > ($2::xid8, $3::bigint)
      and c.tx < $6::xid8
      and c.seq > $4 and c.seq <= $5
    order by c.tx, c.seq limit $8
  ) l
  where n.lines < $9
  order by looked desc limit 1
) s on true

-- feed_rows --
-- The changes of a window, as many as $10 and as fit into $11 bytes on disk, and one at least.
select p.type, r.id, p.version, p.deleted, p.at, p.tx, p.seq, p.dict_id, p.key_id, p.patients, p.body
from (
  select c.rid, c.type, c.version, c.deleted, c.at, c.tx, c.seq, c.dict_id, c.key_id, c.patients,
         case when $9::boolean then c.body end as body,
         sum(coalesce(octet_length(c.body), 0)) over (order by c.tx, c.seq)
           - coalesce(octet_length(c.body), 0) as before
  from (
    select tenant, rid, type, version, deleted, last_updated as at, tx, seq, dict_id, key_id, patients,
           body
    from resource
    union all
    select tenant, rid, type, version, deleted, valid_from, tx, seq, dict_id, key_id, patients,
           body
    from version
  ) c
  where c.tenant = $1 and c.version > 0 and (c.tx, c.seq) > ($2::xid8, $3::bigint)
    and (c.tx, c.seq) <= ($4::xid8, $5::bigint) and c.seq > $6 and c.seq <= $7
    and c.type = any($8::smallint[])
  order by c.tx, c.seq limit $10
) p
join resource r on r.rid = p.rid
where p.before < $11
order by p.tx, p.seq

-- feed_horizon --
-- The oldest transaction that still runs in this database, or the next one.
select store_horizon()

-- feed_head --
-- The newest change of a tenant below the horizon ($2); whoever waits is woken when it moves.
select c.tx, c.seq
from (
  select tenant, version, tx, seq from resource
  union all
  select tenant, version, tx, seq from version
) c
where c.tenant = $1 and c.version > 0 and c.tx < $2::xid8
order by c.tx desc, c.seq desc limit 1

-- feed_behind --
-- How many changes stand behind a place, up to $6, and when the oldest was made; also those that a running
-- transaction holds back.
select count(*)::int as behind, min(b.at) as oldest
from (
  select c.at
  from (
    select tenant, version, tx, seq, last_updated as at from resource
    union all
    select tenant, version, tx, seq, valid_from from version
  ) c
  where c.tenant = $1 and c.version > 0 and (c.tx, c.seq) > ($2::xid8, $3::bigint)
    and c.seq > $4 and c.seq <= $5
  order by c.tx, c.seq limit $6
) b

-- feed_consumer_lock --
-- One worker at a time; the lock takes no transaction id, which would hold back every feed, and ends with
-- the transaction.
select pg_try_advisory_xact_lock(hashtextextended('feed consumer ' || $1::int || ' ' || $2::text, 0))

-- feed_consumer --
select first_seq, tx, seq from feed_consumer where tenant = $1 and name = $2

-- feed_consumer_move --
-- Advance from the place that the work began at ($7, $8, $9), or not at all.
insert into feed_consumer as f (tenant, name, first_seq, tx, seq, updated)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant, name) do update
set first_seq = excluded.first_seq, tx = excluded.tx, seq = excluded.seq, updated = excluded.updated
where (f.first_seq, f.tx, f.seq) = ($7, $8::xid8, $9)
returning 1

-- feed_enter --
-- See the rows of a tenant until the transaction ends, on a connection of one's own.
select set_config('polyclinic.tenant', $1::int::text, true), set_config('polyclinic.audience', '*', true)

-- feed_consumers --
select c.tenant, t.name as tenant_name, c.name, c.first_seq, c.tx, c.seq, c.updated
from feed_consumer c join tenant t on t.tenant = c.tenant
order by t.name, c.name
