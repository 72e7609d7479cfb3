-- erasure_enter --
-- See every row of a tenant from now on, on the owner's connection.
select set_config('polyclinic.tenant', $1::int::text, false), set_config('polyclinic.audience', '*', false)

-- erasure_patient --
select rid from resource where tenant = $1 and type = $2 and id = $3

-- erasure_patient_id --
select id from resource where tenant = $1 and rid = $2

-- tenant_names --
select tenant, name from tenant

-- erasure_destroy --
-- Destroy a patient's data key for good; one who had none gets a destroyed one, so that none is made.
insert into data_key (tenant, purpose, patient, kek, wrapped, created, destroyed)
values ($1, 'patient', $2, '', null, $3, $3)
on conflict (tenant, purpose, coalesce(patient, 0)) do update
  set wrapped = null, destroyed = coalesce(data_key.destroyed, excluded.destroyed)
returning key_id

-- erasure_current --
-- What is there of a patient: under its key, or itself.
select type, id from resource
where tenant = $1 and (key_id = $2 or rid = $3) and version > 0 and not deleted
order by rid limit $4

-- erasure_mark --
-- Let deletions say that it was an erasure.
update resource r set key_id = $2, digest = 0, dict_id = 0, body = null
where r.tenant = $1 and r.deleted and r.key_id = 0
  and (r.rid = $3 or exists (select from version v where v.rid = r.rid and v.key_id = $2))

-- erasure_versions --
-- Remove what no key opens any more, and what it was found by.
update version set body = null, key_id = $2, dict_id = 0, digest = 0, keys = '{}'
where tenant = $1 and not deleted and (key_id = $2 or rid = $3) and body is not null

-- erasure_blobs --
-- Let nothing use the attachments of a patient, so that they are swept.
with uses as (
  delete from blob_use u using blob b
  where b.tenant = $1 and b.patient = $2 and u.tenant = b.tenant and u.name = b.name
)
update blob set unused_since = coalesce(unused_since, $3) where tenant = $1 and patient = $2

-- erasure_index --
-- Remove what is left of references to a patient.
with edges as (delete from edge where tenant = $1 and dst = $2),
dates as (delete from date_value where tenant = $1 and subject = $2)
delete from care_relation where tenant = $1 and patient = $2

-- erasure_shared --
-- Current resources that may name a patient: under the tenant's key, or with a reference.
select r.rid, r.type, r.id, r.version, r.key_id, r.dict_id, r.body
from resource r
where r.tenant = $1 and r.body is not null and r.key_id <> $2
  and (r.key_id = $3 or exists (select from edge e where e.dst = $4 and e.src = r.rid))
  and r.rid > $5
order by r.rid limit $6

-- erasure_shared_versions --
-- Superseded versions that may name a patient: under the tenant's key, or found by a reference.
select v.rid, v.type, r.id, v.version, v.key_id, v.dict_id, v.body, v.patients
from version v join resource r on r.rid = v.rid
where v.tenant = $1 and v.body is not null and v.key_id <> $2
  and (v.key_id = $3 or v.keys && $4::bigint[]) and (v.rid, v.version) > ($5, $6)
order by v.rid, v.version limit $7

-- erasure_rewrite --
-- Put another body into a superseded version.
update version set body = $3, key_id = $4, dict_id = $5, patients = $6, keys = $7, digest = 0
where rid = $1 and version = $2
