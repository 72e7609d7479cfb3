-- Below this transaction id nothing can be added to this database any more, for whoever asks afterwards: the
-- oldest transaction that still runs here, or the next one. pg_snapshot_xmin would wait for the other databases
-- of the server as well, whose transactions write nothing here. The snapshot comes first: a transaction in it
-- that is then not seen to run here has ended, or is another database's. A statement that uses the horizon
-- has to be a later one, so that it sees what has ended.
create function store_horizon() returns xid8
language plpgsql volatile as $$
begin
  perform pg_stat_clear_snapshot();  -- or a long transaction would be shown who ran before
  return (
    select coalesce(min(x.tx), pg_snapshot_xmax(pg_current_snapshot()))
    from pg_snapshot_xip(pg_current_snapshot()) x(tx)
    where x.tx::xid in (
      select a.backend_xid from pg_stat_get_activity(null) a, pg_database d
      where d.datname = current_database() and a.datid = d.oid and a.backend_xid is not null
      union all
      select p.transaction from pg_prepared_xacts p where p.database = current_database()
    )
  );
end $$;

revoke all on function store_horizon() from public;
grant execute on function store_horizon() to ${app};
