-- idempotency_claim --
-- Claim a key: a new one, an expired one, or that of a claimer whose lease ran out ($8: or any that has no
-- answer, because whoever asks holds the claim that it is part of). No row: somebody else has it.
insert into idempotency as i (tenant, account, key_hash, request_digest, attempt, lease, expires)
values ($1, $2, $3, $4, 1, $6, $7)
on conflict (tenant, account, key_hash) do update
set attempt = i.attempt + 1, lease = excluded.lease, expires = excluded.expires,
    request_digest = excluded.request_digest, status = null, answer = null
where i.expires <= $5
   or (i.status is null and i.request_digest = excluded.request_digest and (i.lease <= $5 or $8))
returning attempt

-- idempotency_row --
select request_digest, status, answer from idempotency
where tenant = $1 and account = $2 and key_hash = $3

-- idempotency_renew --
update idempotency set lease = $5
where tenant = $1 and account = $2 and key_hash = $3 and attempt = $4 and status is null
returning attempt

-- idempotency_answer --
-- Keep the answer, in the transaction of what it answers for; no row: the claim is another's by now.
update idempotency set status = $5, answer = $6
where tenant = $1 and account = $2 and key_hash = $3 and attempt = $4 and status is null
returning attempt

-- idempotency_release --
delete from idempotency
where tenant = $1 and account = $2 and key_hash = $3 and attempt = $4 and status is null

-- idempotency_sweep --
delete from idempotency where tenant = $1 and expires <= $2

-- idempotency_forget --
delete from idempotency where tenant = $1

-- unchanged --
-- Which version resources have that a write leaves as they are.
select q.ord::int, r.version, r.last_updated
from unnest($2::smallint[], $3::text[]) with ordinality as q(type, id, ord)
join resource r on r.tenant = $1 and r.type = q.type and r.id = q.id
