-- The second net below the store's statements: a row is there only in the context of its tenant, and where
-- the context is one of some patients, only when it is theirs or nobody's. The context is a pair of session
-- settings (kernel/store/connections.py); without it no row is there. The owner is bound as well.
-- keys and edge have none: hashes and numbers, and the operators of their indexes would be barred.
alter table resource enable row level security, force row level security;
alter table version enable row level security, force row level security;
alter table string_value enable row level security, force row level security;
alter table date_value enable row level security, force row level security;
alter table number_value enable row level security, force row level security;
alter table care_relation enable row level security, force row level security;

create policy in_context on resource
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int
         and (current_setting('polyclinic.audience', true) = '*' or patients = '{}'
              or patients && nullif(current_setting('polyclinic.audience', true), '*')::bigint[]));
create policy in_context on version
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int
         and (current_setting('polyclinic.audience', true) = '*' or patients = '{}'
              or patients && nullif(current_setting('polyclinic.audience', true), '*')::bigint[]));
-- Of the values of a resource the tenant is checked; whose they are, every statement asks of its row.
create policy in_context on string_value
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
create policy in_context on date_value
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
create policy in_context on number_value
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
create policy in_context on care_relation
  using (tenant = nullif(current_setting('polyclinic.tenant', true), '')::int);
