"""How many resources there are of a type, more or less: what decides how a page is read."""

from time import monotonic
from typing import Final, NamedTuple

from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.types import type_number

_LONGEST: Final = 600.0
"""Seconds that a count is used at most."""
_GROWTH: Final = 50.0
"""Resources a second: a count is used for as long as it takes to double it at that speed."""


class _Known(NamedTuple):
    number: int
    until: float


class Sizes:
    """Count now and then."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool
        self._known: dict[tuple[int, str], _Known] = {}

    async def of(self, asked: select.Asked) -> int:
        """Return how many there are of the first type of a query."""
        tenant, name = asked.scope.tenant, asked.query.resource_type
        known = self._known.get((tenant, name))
        if known is None or known.until < monotonic():
            within = self._pool.within(tenant)
            size = await within.fetchval(STATEMENTS["type_size"], tenant, type_number(name))
            number = int(size)
            until = monotonic() + min(_LONGEST, 1 + number / _GROWTH)
            known = self._known[tenant, name] = _Known(number, until)
        return known.number
