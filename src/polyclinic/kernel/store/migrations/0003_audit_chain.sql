-- The audit record sealed: which process wrote what, and a chain of signed segments.
-- docs/explanation/audit.md says what it proves.

-- Each process that writes audit rows, and the database server it ran on: transaction ids, by which rows are
-- put into the order of their commits, mean nothing on another server, to which a dump may have been restored.
create table audit_worker (
  worker bigint primary key,
  cluster bigint not null,
  opened timestamptz not null
);

-- Sealed rows are kept elsewhere, since nobody may change an audit row.
alter table audit drop column mac;
-- Set where the action does not say which interaction it was: kernel/store/audit.py, Interaction.
alter table audit add column interaction smallint;

-- Rows are found by time, by account, and in the order of their commits; never by worker alone.
drop index audit_order;
create index audit_commit on audit (tenant, tx);
create index audit_account on audit (tenant, account, at);

-- A segment of the chain: which rows it seals, the MAC of each, and what ties it to the one before.
create table audit_seal (
  tenant int not null references tenant,
  number bigint not null check (number > 0),
  cluster bigint not null,
  row_count int not null check (row_count > 0),
  total bigint not null,
  first_tx xid8 not null,
  first_worker bigint not null,
  first_counter bigint not null,
  last_tx xid8 not null,
  last_worker bigint not null,
  last_counter bigint not null,
  at timestamptz not null,
  members bytea not null,
  macs bytea not null,
  previous bytea not null,
  chain bytea not null,
  signature bytea not null,
  primary key (tenant, number)
);
alter table audit_seal alter column members set storage external;
alter table audit_seal alter column macs set storage external;

grant select, insert on audit_worker, audit_seal to ${app};
