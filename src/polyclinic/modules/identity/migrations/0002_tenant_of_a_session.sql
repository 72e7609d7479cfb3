-- A session is looked for in its tenant only. Whoever was signed in signs in again.
delete from session;
alter table session add column tenant int not null references tenant;
alter table session drop constraint session_pkey;
alter table session add primary key (tenant, secret_hash);
drop index session_expiry;
create index session_expiry on session (tenant, expires);
