-- Attachments: what storage keeps under the name in object is sealed under a key of its own, which stands
-- here sealed under the key of its patient or tenant. docs/explanation/store.md, "Attachments".
alter table blob
  drop column sha256,
  -- A keyed hash of the content, its type and its patient: equal content of two patients or two tenants
  -- has two names, and a name says nothing to somebody without the tenant's key.
  add column name bytea not null,
  add column object text collate "C" not null unique,
  -- The rid of the patient whose key seals it; 0 for what is nobody's or several people's.
  add column patient bigint not null,
  add column sealed_key bytea not null,
  -- Since when nothing uses it; null while something does. The sweep looks at blob_use again.
  add column unused_since timestamptz,
  add primary key (tenant, name);
create index blob_unused on blob (tenant, unused_since) where unused_since is not null;

-- Which resources an attachment is read through.
create table blob_use (
  tenant int not null,
  name bytea not null,
  rid bigint not null,
  created timestamptz not null,
  primary key (tenant, name, rid),
  foreign key (tenant, name) references blob
);
create index blob_use_of on blob_use (rid);

-- How much a tenant keeps: one row, which uploads and sweeps of the tenant change in turn.
create table blob_usage (
  tenant int primary key references tenant,
  bytes bigint not null check (bytes >= 0)
);

grant select, insert, update, delete on blob_use, blob_usage to ${app};

-- The second net, as of the tables of resources: without the context of its tenant, and of its patient where
-- the context is one of some patients, no row is there. The owner is bound as well.
alter table blob enable row level security, force row level security;
alter table blob_use enable row level security, force row level security;
alter table blob_usage enable row level security, force row level security;
create policy in_context on blob
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int
         and (current_setting('polyclinic.audience', true) = '*' or patient = 0
              or patient = any (nullif(current_setting('polyclinic.audience', true), '*')::bigint[])));
create policy in_context on blob_use
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
create policy in_context on blob_usage
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
