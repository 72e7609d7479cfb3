-- By which hosts a tenant is reached; one that has none is reached by its path. A host has one tenant.
create table tenant_host (
  host text collate "C" primary key,
  tenant int not null references tenant
);
create index tenant_host_of on tenant_host (tenant);

-- A claim is held while its request is worked on: whoever holds the highest attempt writes, the answer and
-- what it answers for are committed together, and a lease that ran out lets a retry go on.
alter table idempotency
  add column attempt int not null,
  add column lease timestamptz not null;

-- How many requests each account made in a window, folded from what each process counted. Nothing is lost
-- with it that anybody would miss, so it stays out of the write-ahead log.
create unlogged table request_count (
  tenant int not null,
  account bigint not null,
  window_start timestamptz not null,
  requests bigint not null,
  primary key (tenant, account, window_start)
);
create index request_count_window on request_count (window_start);

grant select, insert, delete on tenant_host to ${app};
grant select, insert, update, delete on request_count to ${app};
