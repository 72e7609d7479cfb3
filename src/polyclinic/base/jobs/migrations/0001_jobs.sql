-- The queue of jobs. A row is written in the transaction of the change that causes it.
-- A payload names resources by id and never holds one, so no row here needs a key.
create table job (
  job bigint primary key generated always as identity,
  tenant int not null,
  kind text collate "C" not null,
  payload jsonb not null,
  idempotency_key text collate "C",
  state text collate "C" not null default 'waiting'
    check (state in ('waiting', 'running', 'done', 'dead')),
  run_at timestamptz not null,
  attempts smallint not null default 0,
  max_attempts smallint not null,
  -- The lease: whoever holds it renews it; when it runs out the job is given to another.
  locked_by text collate "C",
  locked_until timestamptz,
  -- The class of the error, never its words.
  last_error text collate "C",
  created timestamptz not null,
  finished timestamptz,
  check ((state = 'running') = (locked_by is not null)),
  check ((state = 'running') = (locked_until is not null)),
  check ((state in ('done', 'dead')) = (finished is not null))
);
create unique index job_once on job (tenant, kind, idempotency_key);
create index job_due on job (tenant, run_at, job) where state = 'waiting';
create index job_leases on job (locked_until) where state = 'running';
create index job_finished on job (finished) where state in ('done', 'dead');

-- Steps of a job that have taken effect, so that a second attempt leaves them out.
create table job_step (
  job bigint not null references job on delete cascade,
  step text collate "C" not null,
  primary key (job, step)
);

-- When each periodic job is due next.
create table job_schedule (
  tenant int not null,
  name text collate "C" not null,
  next_at timestamptz not null,
  primary key (tenant, name)
);

grant select, insert, update, delete on job, job_step, job_schedule to ${app};
