-- write --
-- Write a set of resources: current row, superseded row, keys, edges, narrow rows, counts and audit in one
-- round trip. A row whose expected version is no longer the current one is left out of the answer; the
-- caller decides whether that is a conflict or a reason to try again. Index rows are written only where
-- their digest says that they differ. A row is left out too when keys were destroyed since its own was known, when
-- the tenant's own search parameters are no longer those that its index rows were made by, and
-- when its index rows were written anew (reindex) while this statement waited for it: what it sees of them is gone.
with w as materialized (
  select w.*
  from unnest($2::bigint[], $3::int[], $4::boolean[], $5::smallint[], $6::text[], $7::boolean[],
              $8::timestamptz[], $9::bigint[], $10::bigint[], $11::smallint[], $12::bytea[], $13::bigint[],
              $41::bigint[], $49::bigint[], $53::int[])
       with ordinality
       as w(rid, expected, existing, type, id, deleted, updated, txgroup, digest, dict_id, body,
            index_digest, key_id, key_epoch, custom, ord)
  where w.custom = coalesce((select c.number from custom_search c where c.tenant = $1), 0)
    and (w.key_id = 0 or w.key_epoch = (select last_value from key_epoch))
),
locked as materialized (
  select r.*
  from w join resource r on r.rid = w.rid and r.version = w.expected and r.tenant = $1
  where w.existing and r.xmin = (select s.xmin from resource s where s.rid = r.rid)
  order by r.rid
  for update of r
),
superseded as (
  insert into version (rid, version, tenant, type, deleted, dict_id, valid_from, valid_to, tx, seq,
                       txgroup, digest, key_id, patients, labels, keys, index_version, body)
  select l.rid, l.version, l.tenant, l.type, l.deleted, l.dict_id, l.last_updated, w.updated, l.tx, l.seq,
         l.txgroup, l.digest, l.key_id, l.patients, l.labels, coalesce(k.keys, '{}'),
         coalesce(k.index_version, 0), l.body
  from locked l join w on w.rid = l.rid left join keys k on k.rid = l.rid
  where l.version > 0
),
changed as (
  update resource r
  set version = w.expected + 1, deleted = w.deleted, dict_id = w.dict_id, last_updated = w.updated,
      tx = pg_current_xact_id(), seq = nextval('change_seq'), txgroup = w.txgroup, digest = w.digest,
      patients = case when w.deleted then l.patients
                 else ($14::bigint[])[($15::int[])[w.ord] + 1:($15::int[])[w.ord + 1]] end,
      labels = case when w.deleted then l.labels
               else ($42::bigint[])[($43::int[])[w.ord] + 1:($43::int[])[w.ord + 1]] end,
      key_id = w.key_id, body = w.body
  from locked l join w on w.rid = l.rid
  where r.rid = l.rid
  returning r.rid
),
inserted as (
  insert into resource (rid, tenant, type, version, id, last_updated, txgroup, digest, dict_id, key_id,
                        patients, labels, body)
  select w.rid, $1, w.type, 1, w.id, w.updated, w.txgroup, w.digest, w.dict_id, w.key_id,
         ($14::bigint[])[($15::int[])[w.ord] + 1:($15::int[])[w.ord + 1]],
         ($42::bigint[])[($43::int[])[w.ord] + 1:($43::int[])[w.ord + 1]], w.body
  from w where not w.existing
  on conflict (tenant, type, id) do nothing
  returning rid
),
done as materialized (
  select w.*, coalesce(l.version > 0 and not l.deleted, false) as was_there
  from (select rid from changed union all select rid from inserted) d
  join w on w.rid = d.rid left join locked l on l.rid = d.rid
),
stale as materialized (
  select d.rid, d.ord, d.was_there, d.deleted
  from done d left join keys k on k.rid = d.rid and d.was_there
  where d.deleted or k.index_digest is distinct from d.index_digest
),
keys_gone as (
  delete from keys k using stale s where k.rid = s.rid and s.deleted
),
keys_put as (
  insert into keys (rid, tenant, type, index_version, index_digest, keys, words)
  select d.rid, $1, d.type, ($37::int[])[d.ord], d.index_digest,
         ($16::bigint[])[($17::int[])[d.ord] + 1:($17::int[])[d.ord + 1]],
         ($51::bigint[])[($52::int[])[d.ord] + 1:($52::int[])[d.ord + 1]]
  from stale s join done d on d.rid = s.rid
  where not s.deleted
  on conflict (rid) do update
  set index_version = excluded.index_version, index_digest = excluded.index_digest,
      keys = excluded.keys, words = excluded.words
),
edges_gone as (
  delete from edge e using stale s where e.src = s.rid and s.was_there
),
edges_put as (
  insert into edge (src, dst, tenant, param)
  select s.rid, e.dst, $1, e.param
  from unnest($18::int[], $19::int[], $20::bigint[]) e(ord, param, dst) join stale s on s.ord = e.ord
),
strings_gone as (
  delete from string_value v using stale s where v.rid = s.rid and s.was_there
),
strings_put as (
  insert into string_value (rid, tenant, param, extreme, value, exact)
  select s.rid, $1, v.param, v.extreme, v.value, v.exact
  from unnest($21::int[], $22::int[], $23::smallint[], $24::text[], $50::int[])
       v(ord, param, extreme, value, exact)
  join stale s on s.ord = v.ord
),
dates_gone as (
  delete from date_value v using stale s where v.rid = s.rid and s.was_there
),
dates_put as (
  insert into date_value (rid, subject, low, high, tenant, param, extreme)
  select s.rid, v.subject, v.low, v.high, $1, v.param, v.extreme
  from unnest($25::int[], $26::int[], $27::smallint[], $28::bigint[], $29::bigint[], $30::bigint[])
       v(ord, param, extreme, subject, low, high)
  join stale s on s.ord = v.ord
),
numbers_gone as (
  delete from number_value v using stale s where v.rid = s.rid and s.was_there
),
numbers_put as (
  insert into number_value (rid, unit, low, high, tenant, param, extreme)
  select s.rid, v.unit, v.low, v.high, $1, v.param, v.extreme
  from unnest($31::int[], $32::int[], $33::smallint[], $34::bigint[], $35::float8[], $36::float8[])
       v(ord, param, extreme, unit, low, high)
  join stale s on s.ord = v.ord
),
care_gone as (
  delete from care_relation c using stale s where c.source = s.rid and s.was_there
),
care_put as (
  insert into care_relation (tenant, practitioner, patient, source, low, high)
  select $1, c.practitioner, c.patient, s.rid, c.low, c.high
  from unnest($44::int[], $45::bigint[], $46::bigint[], $47::bigint[], $48::bigint[])
       c(ord, practitioner, patient, low, high)
  join stale s on s.ord = c.ord
),
counted as (
  insert into type_count (tenant, type, delta)
  select $1, type, sum((not deleted)::int - was_there::int)
  from done group by type having sum((not deleted)::int - was_there::int) <> 0
),
audited as (
  insert into audit (tenant, worker, counter, at, account, action, outcome, type, rid, version, patients)
  select $1, $38, ($39::bigint[])[d.ord], d.updated, ($40::bigint[])[d.ord],
         case when d.deleted then 'D' when d.was_there then 'U' else 'C' end::"char", 0, d.type, d.rid,
         d.expected + 1, ($14::bigint[])[($15::int[])[d.ord] + 1:($15::int[])[d.ord + 1]]
  from done d
)
select ord::int from done
