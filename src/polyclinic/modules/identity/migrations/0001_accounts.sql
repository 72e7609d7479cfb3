create table account (
  account bigint primary key generated always as identity,
  tenant int not null references tenant,
  name text collate "C" not null,
  display text not null,
  -- argon2id, PHC string; null: cannot sign in with a password
  password_hash text,
  roles text[] not null,
  patient text collate "C",
  disabled boolean not null default false,
  created timestamptz not null,
  unique (tenant, name)
);

-- A browser's session or a client's token, by the hash of its secret.
create table session (
  secret_hash bytea primary key,
  account bigint not null references account,
  kind text not null check (kind in ('browser', 'token')),
  label text not null,
  created timestamptz not null,
  seen timestamptz not null,
  expires timestamptz not null
);
create index session_account on session (account);
create index session_expiry on session (expires);

-- Failed sign-ins in a window, by account and by address, so that guessing stops.
create table sign_in_failure (
  tenant int not null,
  subject bytea not null,
  window_start timestamptz not null,
  failures int not null,
  primary key (tenant, subject, window_start)
);

grant select, insert, update on account to ${app};
grant select, insert, update, delete on session, sign_in_failure to ${app};
