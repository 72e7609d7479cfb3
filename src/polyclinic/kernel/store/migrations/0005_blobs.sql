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
