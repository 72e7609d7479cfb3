-- Below this transaction id nothing can be added to this database any more: the oldest transaction that still
-- runs here, or the next one. pg_snapshot_xmin would wait for the other databases of the server as well, whose
-- transactions write nothing here. Who runs is asked after the snapshot was taken (stable: the caller's), so
-- that a transaction of the snapshot is only left out while it is seen to be another database's.
create function store_horizon() returns xid8
language sql stable parallel restricted as $$
  select coalesce(min(x.tx), pg_snapshot_xmax(pg_current_snapshot()))
  from pg_snapshot_xip(pg_current_snapshot()) x(tx)
  where not exists (
    select from pg_stat_get_activity(null) a, pg_database d
    where d.datname = current_database() and a.datid <> d.oid and a.backend_xid = x.tx::xid
  )
$$;

revoke all on function store_horizon() from public;
grant execute on function store_horizon() to ${app};
