-- The store's whole schema. What each table is for and why it has this shape stands in
-- docs/explanation/store.md; where a column is filled by a later part, the comment says so.

create table tenant (
  tenant int primary key,
  name text collate "C" not null unique,
  created timestamptz not null
);

-- rids are handed out in blocks, so that a process knows the rids of a whole Bundle before it writes.
create sequence rid_block as bigint increment by 256;
create sequence change_seq as bigint cache 64;
create sequence worker_number as bigint;
-- Read with every batch of reads: when it moves, cached sign-ins are verified again.
create sequence revocation as bigint;

-- Keys under the key-encryption key, which never enters the database.
create table data_key (
  key_id bigint primary key generated always as identity,
  tenant int not null references tenant,
  purpose text not null check (purpose in ('index', 'tenant', 'patient')),
  patient bigint,
  kek text not null,
  wrapped bytea,
  created timestamptz not null,
  destroyed timestamptz,
  check ((wrapped is null) = (destroyed is not null))
);
create unique index data_key_of on data_key (tenant, purpose, coalesce(patient, 0));

-- The current version of each resource. version 0 is a stub: referred to, never stored.
create table resource (
  rid bigint primary key,
  tenant int not null,
  type smallint not null,
  version int not null,
  deleted boolean not null default false,
  dict_id smallint not null default 0,
  id text collate "C" not null,
  last_updated timestamptz not null,
  tx xid8 not null default pg_current_xact_id(),
  seq bigint not null default nextval('change_seq'),
  txgroup bigint not null default 0,
  digest bigint not null default 0,
  key_id bigint not null default 0,
  patients bigint[] not null default '{}',
  labels bigint[] not null default '{}',
  body bytea
);
alter table resource alter column body set storage external;
create unique index resource_identity on resource (tenant, type, id);
create index resource_updated on resource (tenant, type, last_updated, rid) where version > 0;
create index resource_change on resource (tx, seq) where version > 0;

-- Superseded versions, with the keys they were found by.
create table version (
  rid bigint not null,
  version int not null,
  tenant int not null,
  type smallint not null,
  deleted boolean not null,
  dict_id smallint not null,
  valid_from timestamptz not null,
  valid_to timestamptz not null,
  tx xid8 not null,
  seq bigint not null,
  txgroup bigint not null,
  digest bigint not null,
  key_id bigint not null,
  patients bigint[] not null,
  labels bigint[] not null,
  keys bigint[] not null,
  body bytea,
  primary key (rid, version)
);
alter table version alter column body set storage external;
create index version_updated on version (tenant, type, valid_from, rid);
create index version_change on version (tx, seq);

-- What token, reference and uri searches find, as keyed hashes: no value can be read from it.
create table keys (
  rid bigint primary key,
  tenant int not null,
  type smallint not null,
  index_version smallint not null,
  index_digest bigint not null,
  patients bigint[] not null,
  labels bigint[] not null,
  keys bigint[] not null,
  words bigint[] not null default '{}'
);
-- A short pending list (fastupdate) sorts the keys of some hundred resources before they are inserted, which
-- saves a fifth of a write's cost; a long one would make searches after many inserts five times dearer.
create index keys_found on keys using gin (keys) with (fastupdate = on, gin_pending_list_limit = 64);
create index keys_words on keys using gin (words) with (fastupdate = on, gin_pending_list_limit = 64)
  where words <> '{}';

-- References between resources, by rid: chains, _has, includes, compartments.
create table edge (
  src bigint not null,
  dst bigint not null,
  tenant int not null,
  param int not null
);
create index edge_out on edge (src, param);
create index edge_in on edge (dst, param, src);

-- Values that need order. extreme has bit 1 on the lowest and bit 2 on the highest value of its parameter
-- in its resource, so that a sort meets each once. A date stands under each patient whose compartment it is
-- in (subject, 0 without one); its rows under a second patient and further ones have bits 4 and 8 instead.
create table string_value (
  rid bigint not null,
  tenant int not null,
  param int not null,
  extreme smallint not null,
  value text collate "C" not null
);
create index string_value_of on string_value (rid);
create index string_value_found on string_value (tenant, param, value, rid) include (extreme);

create table date_value (
  rid bigint not null,
  subject bigint not null,
  low bigint not null,
  high bigint not null,
  tenant int not null,
  param int not null,
  extreme smallint not null
);
create index date_value_of on date_value (rid);
create index date_value_found on date_value (tenant, param, low, rid) include (high, extreme);
create index date_value_subject on date_value (subject, param, low, rid)
  include (high, extreme) where subject <> 0;

-- Numbers, and quantities under the hash of their unit (0 without one).
create table number_value (
  rid bigint not null,
  unit bigint not null,
  low float8 not null,
  high float8 not null,
  tenant int not null,
  param int not null,
  extreme smallint not null
);
create index number_value_of on number_value (rid);
create index number_value_found on number_value (tenant, param, unit, low, rid) include (high, extreme);

-- How many resources of a type there are: deltas, folded by a job, so that writers share no hot row.
create table type_count (
  tenant int not null,
  type smallint not null,
  delta bigint not null
);
create index type_count_of on type_count (tenant, type) include (delta);

-- Who did what; rendered as AuditEvent when read. Sealed afterwards: mac by the audit layer.
create table audit (
  tenant int not null,
  worker bigint not null,
  counter bigint not null,
  at timestamptz not null,
  account bigint not null,
  action "char" not null,
  outcome smallint not null,
  type smallint not null,
  rid bigint not null,
  version int not null,
  patients bigint[] not null,
  detail bytea,
  request uuid,
  tx xid8 not null default pg_current_xact_id(),
  mac bytea
) partition by range (at);
create table audit_rest partition of audit default;
create index audit_order on audit (tenant, worker, counter);
create index audit_time on audit (tenant, at);
create index audit_patients on audit using gin (patients) where patients <> '{}';

-- Each month has a partition; the app role may ask for one, never change one.
create function audit_month(month date) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  first date := date_trunc('month', month);
  name text := 'audit_' || to_char(first, 'YYYY_MM');
begin
  perform pg_advisory_xact_lock(hashtext('polyclinic audit partitions'));
  -- What was written before its month had a partition lies in audit_rest, and then the month stays there.
  if to_regclass('public.' || name) is null and not exists (
    select from public.audit_rest where at >= first and at < first + interval '1 month'
  ) then
    execute format('create table public.%I partition of public.audit for values from (%L) to (%L)',
                   name, first, (first + interval '1 month')::date);
  end if;
end $$;

-- After a load the planner has to know at once what is there, not when autovacuum comes by; only an owner
-- of tables may tell it.
create function store_analyze() returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  analyze resource, version, keys, edge, string_value, date_value, number_value, type_count;
end $$;

-- Messages for the outside (mail, webhooks), written with the change that causes them.
create table outbox (
  message bigint primary key generated always as identity,
  tenant int not null,
  kind text collate "C" not null,
  key_id bigint not null default 0,
  payload bytea not null,
  tx xid8 not null default pg_current_xact_id(),
  created timestamptz not null,
  sent timestamptz
);
create index outbox_waiting on outbox (tenant, message) where sent is null;

create table blob (
  tenant int not null,
  sha256 bytea not null,
  size bigint not null,
  content_type text collate "C" not null,
  key_id bigint not null default 0,
  created timestamptz not null,
  primary key (tenant, sha256)
);

-- The first answer to a retried POST, until it expires.
create table idempotency (
  tenant int not null,
  account bigint not null,
  key_hash bytea not null,
  request_digest bytea not null,
  status smallint,
  key_id bigint not null default 0,
  answer bytea,
  expires timestamptz not null,
  primary key (tenant, account, key_hash)
);
create index idempotency_expiry on idempotency (expires);

-- Who cares for whom, projected from encounters, care teams and appointments.
create table care_relation (
  tenant int not null,
  account bigint not null,
  patient bigint not null,
  source bigint not null,
  from_time timestamptz not null,
  to_time timestamptz not null,
  primary key (tenant, account, patient, source)
);
create index care_relation_source on care_relation (source);

-- How far `polyclinic load` came in a file, so that a second run goes on from there.
create table load_progress (
  tenant int not null,
  file_digest bytea not null,
  next_line bigint not null,
  finished boolean not null,
  primary key (tenant, file_digest)
);

-- The role that serves: it may not change or remove what is history or audit.
grant usage on schema public to ${app};
grant usage, select on sequence rid_block, change_seq, worker_number, revocation to ${app};
grant select, insert on tenant to ${app};
grant select, insert, update on resource to ${app};
grant select, insert on version, audit to ${app};
grant select, insert, update, delete on
  data_key, keys, edge, string_value, date_value, number_value, type_count, outbox, blob, idempotency,
  care_relation, load_progress to ${app};
revoke all on function audit_month(date) from public;
revoke all on function store_analyze() from public;
grant execute on function audit_month(date), store_analyze() to ${app};
