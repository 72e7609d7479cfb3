-- Data keys: which key-encryption key wraps new ones, and who may destroy one.

-- The key-encryption keys that were made current, the last one last; until there is a row, the first of the
-- key file is it. Names only: the keys never enter the database.
create table key_generation (
  generation bigint primary key generated always as identity,
  kek text collate "C" not null unique,
  created timestamptz not null
);

-- What is left to wrap anew, and whether any key is wrapped under one that is not there.
create index data_key_kek on data_key (kek, key_id) where wrapped is not null;

-- Moves when a key was destroyed. A write names the one that its keys were known in, and is left out when it
-- has moved since: that costs one look at a sequence for a statement, where a look at each key would cost
-- one for each row.
create sequence key_epoch as bigint;
-- The first number that a sequence gives is the one that it shows before.
select nextval('key_epoch');

-- The role that serves makes keys. To wrap them anew or to destroy one takes the owner.
revoke update, delete on data_key from ${app};
grant select on key_generation, key_epoch to ${app};
