-- tenants --
-- Every tenant and the hosts that it is reached by.
select t.tenant, t.name,
       coalesce(array_agg(h.host order by h.host) filter (where h.host is not null), '{}') as hosts
from tenant t left join tenant_host h on h.tenant = t.tenant
group by t.tenant, t.name
order by t.tenant

-- tenants_lock --
-- Tenants are made one at a time: each takes the number after the highest.
select pg_advisory_xact_lock(hashtext('polyclinic tenants'))

-- tenant_hosts_clear --
delete from tenant_host where tenant = $1

-- tenant_host_new --
-- Give hosts to a tenant; those that are another's are left out of the answer.
insert into tenant_host (host, tenant) select host, $1 from unnest($2::text[]) as given (host)
on conflict (host) do nothing
returning host
