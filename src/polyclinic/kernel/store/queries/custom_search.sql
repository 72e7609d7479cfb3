-- custom_search --
-- The search parameters that a tenant defined.
select number as search_number, revision as search_revision, document as search from custom_search where tenant = $1

-- custom_search_make --
insert into custom_search (tenant) values ($1) on conflict (tenant) do nothing

-- custom_search_held --
-- The same, held against others who would change them.
select number, document from custom_search where tenant = $1 for update

-- custom_search_put --
update custom_search
set number = $2, revision = revision + 1, wanted = $3::jsonb, document = $4,
    changed = case when number = $2 then changed else pg_current_xact_id() end
where tenant = $1

-- custom_search_horizon --
-- What was begun until now.
select pg_snapshot_xmax(pg_current_snapshot())::text

-- custom_search_settled --
-- Whether nobody can write any more by what held before the last change: whoever began before a horizon ($2) has
-- ended, and no statement runs that began before the change was committed.
select pg_snapshot_xmin(pg_current_snapshot()) >= $2::text::xid8
   and not exists (
     select from custom_search c, pg_stat_activity a
     where c.tenant = $1 and a.datname = current_database() and a.pid <> pg_backend_pid()
       and age(a.backend_xmin) >= age(c.changed::xid)
   )

-- custom_search_waiting --
-- How many resources of each type have rows that are older than what is wanted ($3, by type $2).
select w.type, count(k.rid) as waiting
from unnest($2::smallint[], $3::int[]) w(type, version)
left join keys k on k.tenant = $1 and k.type = w.type and k.index_version < w.version
group by w.type

-- custom_search_faults --
-- How many resources have each of some marks.
select m.ord, (select count(*) from keys k where k.tenant = $1 and k.keys @> array[m.mark]) as resources
from unnest($2::bigint[]) with ordinality m(mark, ord)

-- custom_search_all --
select t.name, c.document from custom_search c join tenant t on t.tenant = c.tenant order by c.tenant
