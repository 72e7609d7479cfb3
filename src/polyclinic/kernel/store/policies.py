"""The policies that hold: each tenant's own, or the one that ships."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from polyclinic.base.clock import Clock
from polyclinic.kernel.access.policy import SHIPPED, InvalidPolicy, Policy, read_policy, shipped
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Conflict, Forbidden
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import Tenant

_FRESH_SECONDS: Final = 1.0
"""For so long a process takes a policy for the newest one."""
_MAY_SET: Final = frozenset({"administrator", "job"})


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One policy of a tenant's history."""

    number: int
    at: datetime
    account: int
    document: bytes


@dataclass(slots=True)
class _Current:
    number: int
    policy: Policy
    checked: float


class Policies:
    """Which policy holds in which tenant, and all that held before."""

    def __init__(
        self, pool: Connections, clock: Clock, tenants: Mapping[int, Tenant] | None = None
    ) -> None:
        """Take the tenants that are open, whose own search parameters are learnt along."""
        self._pool = pool
        self._clock = clock
        self._tenants = {} if tenants is None else tenants
        self._current: dict[int, _Current] = {}
        self._looking: dict[int, asyncio.Lock] = {}

    async def current(self, tenant: int) -> Policy:
        """Return the policy that holds, at most a second old."""
        known = self._current.get(tenant)
        now = asyncio.get_running_loop().time()
        if known is not None and now - known.checked < _FRESH_SECONDS:
            return known.policy
        async with self._looking.setdefault(tenant, asyncio.Lock()):
            known = self._current.get(tenant)
            if known is None or known.checked < now:
                known = await self._look(tenant, known)
        return known.policy

    async def number(self, tenant: int) -> int:
        """Return the number of the policy that holds; 0 for the one that ships."""
        await self.current(tenant)
        return self._current[tenant].number

    async def versions(self, principal: Principal) -> list[PolicyVersion]:
        """Return all policies that the tenant has set, the newest first."""
        _check(principal)
        with translated():
            pool = self._pool.within(principal.tenant)
            rows = await pool.fetch(STATEMENTS["policies"], principal.tenant)
        return [PolicyVersion(*row) for row in rows]

    async def set(self, principal: Principal, document: bytes) -> int:
        """Let a policy hold from now on, and return its number.

        Raise ``InvalidPolicy``, and ``Conflict`` when another one is being set.
        """
        _check(principal)
        policy = read_policy(document)
        if not policy.roles >= _MAY_SET:
            message = f"A policy needs the roles {' and '.join(sorted(_MAY_SET))}."
            raise InvalidPolicy(message)
        arguments = principal.tenant, self._clock.now(), principal.account, document
        try:
            with translated():
                pool = self._pool.within(principal.tenant)
                number = await pool.fetchval(STATEMENTS["policy_put"], *arguments)
        except asyncpg.UniqueViolationError:
            message = "Another policy was set at the same moment; look at it and repeat."
            raise Conflict(message) from None
        self._current.pop(principal.tenant, None)
        return int(number)

    async def _look(self, tenant: int, known: _Current | None) -> _Current:
        began = asyncio.get_running_loop().time()
        number = known.number if known else -1
        opened = self._tenants.get(tenant)
        revision = opened.custom.now.revision if opened else 0
        with translated():
            row = await self._pool.within(tenant).fetchrow(
                STATEMENTS["policy"], tenant, number, revision
            )
        assert row is not None
        if opened is not None and row["search"] is not None:
            opened.custom.learn(row)
        if row["version"] is not None:
            known = _Current(row["version"], read_policy(row["document"]), began)
        elif known is None:
            known = _Current(0, shipped(SHIPPED[0]), began)
        known.checked = began
        self._current[tenant] = known
        return known


def _check(principal: Principal) -> None:
    if principal.roles.isdisjoint(_MAY_SET):
        message = "Only an administrator sees and sets policies."
        raise Forbidden(message)
