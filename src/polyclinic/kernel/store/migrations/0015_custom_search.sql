-- The search parameters that a tenant defined, as all of its processes know them: what its SearchParameter
-- resources say that are in use, and how far its resources are filed by them.
create table custom_search (
  tenant int primary key references tenant,
  -- Raised whenever resources are to be filed by something else; a write says by which it was made.
  number int not null default 0,
  -- Raised with every change, of progress too.
  revision int not null default 0,
  -- By the number of a resource type, how often its parameters have changed.
  wanted jsonb not null default '{}',
  document bytea not null default '{}',
  -- The transaction that raised the number last.
  changed xid8 not null default pg_current_xact_id()
);
grant select, insert, update on custom_search to ${app};

-- What index rows were made by: the kind of rows, and how often the tenant's parameters of the type had changed.
alter table keys alter column index_version type int;
alter table version alter column index_version type int;
