-- The same policies, written so that they bar no index. A bare `tenant = ...` is an equality from which the
-- planner derives the tenant of every table that is joined, keys included, as a condition of the policy; what
-- is not leakproof (keys @> ...) then has to wait for it, and a search reads the whole table. `is true` is no
-- such equality, and what is estimated from it stays.
alter policy in_context on resource
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true
         and (current_setting('polyclinic.audience', true) = '*' or patients = '{}'
              or patients && nullif(current_setting('polyclinic.audience', true), '*')::bigint[]));
alter policy in_context on version
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true
         and (current_setting('polyclinic.audience', true) = '*' or patients = '{}'
              or patients && nullif(current_setting('polyclinic.audience', true), '*')::bigint[]));
alter policy in_context on string_value
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true);
alter policy in_context on date_value
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true);
alter policy in_context on number_value
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true);
alter policy in_context on care_relation
  using ((tenant = nullif(current_setting('polyclinic.tenant', true), '')::int) is true);
