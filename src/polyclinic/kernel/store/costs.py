"""A limit to what a search may read, told before it runs by what the planner expects."""

from typing import Final

import msgspec

from polyclinic.kernel.errors import TooCostly
from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections

MOST: Final = 2_000_000
"""The planner's units: some seconds of one processor."""


class _Node(msgspec.Struct, rename={"cost": "Total Cost"}):
    cost: float


class _Plan(msgspec.Struct, rename={"plan": "Plan"}):
    plan: _Node


class Costs:
    """Refuse statements that are expected to cost too much."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool
        self.most: float = MOST

    async def check(
        self, asked: select.Asked, named: str | None, statement: tuple[str, list[object]]
    ) -> None:
        """Raise ``TooCostly`` for a statement that would read too much.

        ``named`` is the parameter that makes it so; None: it cannot, and nobody asks.
        """
        if named is None:
            return
        sql, arguments = statement
        within = self._pool.within(asked.scope.tenant, asked.scope.audience())
        answer = await within.fetchval(f"explain (format json) {sql}", *arguments)
        (found,) = msgspec.json.decode(answer, type=tuple[_Plan])
        if found.plan.cost > self.most:
            message = (
                f"This would read too much: {named} costs about {found.plan.cost:,.0f}, and"
                f" {self.most:,.0f} is the most (POLYCLINIC_SEARCH_COST). Ask by patient,"
                " identifier, a code or a short span of time besides."
            )
            raise TooCostly(message)
