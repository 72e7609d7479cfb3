-- blob_usage --
-- How much a tenant keeps.
select coalesce((select bytes from blob_usage where tenant = $1), 0)

-- blob_add --
-- Add an attachment, or find the one of the same name, which an upload keeps from being swept.
insert into blob (
  tenant, name, object, patient, size, content_type, key_id, sealed_key, created, unused_since
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
on conflict (tenant, name) do update
  set unused_since = case when blob.unused_since is not null then excluded.unused_since end
returning object, exists (
  select from data_key k where k.tenant = $1 and k.key_id = blob.key_id and k.wrapped is not null
)

-- blob_count --
-- Add to what a tenant keeps, and return the new sum.
insert into blob_usage as u (tenant, bytes) values ($1, $2)
on conflict (tenant) do update set bytes = u.bytes + excluded.bytes
returning bytes

-- blob_uncount --
-- Take from what a tenant keeps.
update blob_usage set bytes = bytes - $2 where tenant = $1

-- blob_lock --
-- Let nobody else use, release or sweep an attachment until the transaction ends.
select patient from blob where tenant = $1 and name = $2 for update

-- blob_use --
-- Let a resource use an attachment of its own patient, or of nobody, and return the resource's rid.
with found as (
  select rid from resource
  where tenant = $1 and type = $3 and id = $4 and version > 0 and not deleted
    and ($5::bigint = 0 or $5 = any(patients))
), added as (
  insert into blob_use (tenant, name, rid, created)
  select $1, $2, rid, $6 from found
  on conflict do nothing
)
select rid from found

-- blob_used --
-- Note that something uses an attachment.
update blob set unused_since = null where tenant = $1 and name = $2

-- blob_release --
-- Let a resource use an attachment no longer.
delete from blob_use u using resource r
where u.tenant = $1 and u.name = $2 and r.tenant = $1 and r.type = $3 and r.id = $4 and u.rid = r.rid

-- blob_unused --
-- Note since when nothing uses an attachment, where nothing does.
update blob set unused_since = $3
where tenant = $1 and name = $2 and not exists (
  select from blob_use u where u.tenant = $1 and u.name = $2
)

-- blob_read --
-- An attachment that a resource uses.
select b.object, b.size, b.content_type, b.key_id, b.sealed_key, b.patient, exists (
  select from data_key k where k.tenant = $1 and k.key_id = b.key_id and k.wrapped is not null
), r.rid, r.patients
from resource r
join blob_use u on u.tenant = r.tenant and u.rid = r.rid and u.name = $4
join blob b on b.tenant = r.tenant and b.name = u.name
where r.tenant = $1 and r.type = $2 and r.id = $3

-- blob_sweepable --
-- Attachments that nothing has used since a moment; those that somebody holds are left for later.
select name from blob
where tenant = $1 and unused_since < $2
order by unused_since
limit $3
for update skip locked

-- blob_sweep --
-- Remove those that really nothing uses.
delete from blob b
where b.tenant = $1 and b.name = any($2::bytea[]) and not exists (
  select from blob_use u where u.tenant = $1 and u.name = b.name
)
returning object, size

-- blob_kept --
-- Which objects belong to an attachment.
select object from blob where tenant = $1 and object = any($2::text[])
