-- data_keys --
-- Data keys by their number.
select key_id, purpose, coalesce(patient, 0) as subject, kek, wrapped
from data_key where tenant = $1 and key_id = any($2::bigint[]) and purpose <> 'index'

-- data_keys_of --
-- The data keys of patients, by rid, and of the tenant (0); those that are missing are made, unless another
-- key-encryption key has become the current one. A key that another process makes at the same time is
-- missing in the answer.
with wanted as materialized (
  select w.subject, w.wrapped, case when w.subject = 0 then 'tenant' else 'patient' end as purpose
  from unnest($2::bigint[], $3::bytea[]) as w(subject, wrapped)
),
-- The limit keeps each look one at the index, also while nobody has counted the keys yet.
there as materialized (
  select k.key_id, w.purpose, w.subject, k.kek, k.wrapped
  from wanted w cross join lateral (
    select k.* from data_key k
    where k.tenant = $1 and k.purpose = w.purpose and coalesce(k.patient, 0) = w.subject limit 1
  ) k
),
made as (
  insert into data_key (tenant, purpose, patient, kek, wrapped, created)
  select $1, w.purpose, nullif(w.subject, 0), $4, w.wrapped, $5
  from wanted w
  where not exists (select from there t where t.subject = w.subject)
    and $4 = coalesce((select g.kek from key_generation g order by g.generation desc limit 1), $4)
  order by w.subject
  on conflict (tenant, purpose, coalesce(patient, 0)) do nothing
  returning key_id, purpose, coalesce(patient, 0) as subject, kek, wrapped
)
select * from there union all select * from made

-- keys_destroyed --
-- Whether the key of any of these patients, by rid, was destroyed.
select exists (
  select from data_key
  where tenant = $1 and purpose <> 'index' and coalesce(patient, 0) = any($2::bigint[])
    and destroyed is not null
)

-- key_generation --
-- The key-encryption key that wraps new data keys; null until it was changed once.
select kek from key_generation order by generation desc limit 1

-- key_state --
-- The same, and how often keys were destroyed.
select (select kek from key_generation order by generation desc limit 1) as kek,
       (select last_value from key_epoch) as epoch

-- write_state --
-- How often keys were destroyed, and by what resources are filed.
select (select last_value from key_epoch) as epoch,
       coalesce((select number from custom_search where tenant = $1), 0) as number

-- key_epoch_next --
-- Let no write go on with keys that it knew before.
select nextval('key_epoch')

-- keys_elsewhere --
-- A key-encryption key that keys of a tenant are wrapped under and that is not among these.
select kek from data_key where tenant = $1 and wrapped is not null and kek <> all($2::text[]) limit 1

-- keys_lock --
-- Keep other rotations, erasures and imports away until the session ends.
select pg_try_advisory_lock(hashtext('polyclinic keys'))

-- keys_unlock --
select pg_advisory_unlock(hashtext('polyclinic keys'))

-- keys_counted --
-- How many keys are wrapped under each key-encryption key, and how many were destroyed.
select kek, wrapped is not null as wrapped, count(*)::int as count
from data_key group by 1, 2 order by 1, 2

-- key_generations --
select kek from key_generation order by generation

-- key_generation_new --
-- Make a key-encryption key the current one.
insert into key_generation (kek, created) values ($1, $2)

-- keys_to_wrap --
-- Keys of all tenants that are wrapped under another key-encryption key than this one.
select key_id, tenant, purpose, coalesce(patient, 0) as subject, kek, wrapped
from data_key where wrapped is not null and kek <> $1 and key_id > $2 order by key_id limit $3

-- keys_wrap --
-- Keep keys as they are wrapped now; one that was destroyed meanwhile stays so.
update data_key k set kek = $1, wrapped = w.wrapped
from unnest($2::bigint[], $3::text[], $4::bytea[]) as w(key_id, kek, wrapped)
where k.key_id = w.key_id and k.kek = w.kek and k.wrapped is not null

-- keys_export --
select key_id, tenant, purpose, coalesce(patient, 0), kek, wrapped, destroyed from data_key order by key_id

-- key_generation_known --
insert into key_generation (kek, created) values ($1, $2) on conflict (kek) do nothing

-- keys_import --
update data_key k set kek = w.kek, wrapped = w.wrapped
from unnest($1::bigint[], $2::text[], $3::bytea[]) as w(key_id, kek, wrapped)
where k.key_id = w.key_id and k.wrapped is not null

-- keys_destroy --
update data_key k set wrapped = null, destroyed = d.destroyed
from unnest($1::bigint[], $2::timestamptz[]) as d(key_id, destroyed)
where k.key_id = d.key_id and k.wrapped is not null
