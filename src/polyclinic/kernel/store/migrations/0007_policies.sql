-- Every policy that a tenant ever set; the newest one holds. Nothing is changed or removed.
create table policy (
  tenant int not null references tenant,
  version int not null,
  at timestamptz not null,
  account bigint not null,
  document bytea not null,
  primary key (tenant, version)
);
grant select, insert on policy to ${app};

-- Care relations belong to members of staff, by the rid of the Practitioner or PractitionerRole, and
-- are written with the resource that makes them; low and high are microseconds since 1970.
drop table care_relation;
create table care_relation (
  tenant int not null,
  practitioner bigint not null,
  patient bigint not null,
  source bigint not null,
  low bigint not null,
  high bigint not null
);
create index care_relation_of on care_relation (practitioner, patient) include (low, high);
create index care_relation_source on care_relation (source);
grant select, insert, delete on care_relation to ${app};
