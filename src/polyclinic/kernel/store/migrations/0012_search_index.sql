-- What searches find a resource by is whole: the words of texts, strings as they stand, and no column of keys
-- that nothing reads (whose a resource is and how it is labelled stands in its row).
alter table keys drop column patients, drop column labels;
-- 32 keyed bits of the text as it stands: of texts that are compared alike, :exact finds the one.
alter table string_value add column exact int not null default 0;
-- Nearly every resource says something. A longer list than that of keys: words come in greater numbers, are
-- searched for less often, and most of those that wait in it are the same.
drop index keys_words;
create index keys_words on keys using gin (words) with (fastupdate = on, gin_pending_list_limit = 512);
-- What ends after a moment began soon before it, or lasts long: over 32 days, in microseconds. Those that do
-- are few, and have an index by their end.
create index date_value_long on date_value (tenant, param, high) where low < high - 2764800000000;
