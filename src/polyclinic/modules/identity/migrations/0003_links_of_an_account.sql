-- Who an account is among the staff, and whom it acts for: ids of a Practitioner and of Patients.
alter table account
  add column practitioner text collate "C",
  add column represents text[] not null default '{}';
