-- requests_fold --
-- Add what this process counted in a window, and return what all processes counted.
insert into request_count as c (tenant, account, window_start, requests)
select q.tenant, q.account, $1, q.requests
from unnest($2::int[], $3::bigint[], $4::bigint[]) as q(tenant, account, requests)
order by q.tenant, q.account
on conflict (tenant, account, window_start) do update set requests = c.requests + excluded.requests
returning c.tenant, c.account, c.requests

-- requests_sweep --
delete from request_count where window_start < $1
