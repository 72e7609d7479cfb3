-- What the keys of a superseded version mean: they stay as they were made, while those of current ones are made
-- anew. A search of the past asks keys of its own index version, and opens the others.
alter table version add column index_version smallint not null default 0;
