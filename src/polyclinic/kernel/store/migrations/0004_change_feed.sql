-- The change feed: every version in the order of its transaction. docs/explanation/store.md, "The change feed".

-- A tenant's own changes lie together, so that what others write costs it nothing.
drop index resource_change;
drop index version_change;
create index resource_change on resource (tenant, tx, seq) where version > 0;
create index version_change on version (tenant, tx, seq);

-- Transaction ids count within one cluster and one timeline. What came with a dump has those of another
-- cluster: it is told first, by first_seq, the last number that change_seq had given when the epoch began.
create table feed_epoch (
  epoch int primary key,
  system text collate "C" not null,
  timeline text collate "C" not null,
  first_seq bigint not null,
  -- A cursor names its epoch by this, so that two copies of one database differ.
  token bigint not null
);

create function feed_here(out system text, out timeline text)
language sql volatile as $$
  select s.system_identifier || ':' || d.oid, left(pg_walfile_name(pg_current_wal_lsn()), 8)
  from pg_control_system() s, pg_database d
  where d.datname = current_database()
$$;

insert into feed_epoch (epoch, system, timeline, first_seq, token)
select 1, h.system, h.timeline, 0, hashtextextended(gen_random_uuid()::text, 0) from feed_here() h;

-- How far each consumer in the product has come.
create table feed_consumer (
  tenant int not null,
  name text collate "C" not null,
  first_seq bigint not null,
  tx xid8 not null,
  seq bigint not null,
  updated timestamptz not null,
  primary key (tenant, name)
);

grant select, insert on feed_epoch to ${app};
grant select, insert, update, delete on feed_consumer to ${app};
