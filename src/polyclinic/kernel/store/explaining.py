"""How a search was run, and why each resource on its page matches: ``_explain``."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.search.why import Reason, why
from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.snapshot import Probed
from polyclinic.kernel.store.stored import Explanation
from polyclinic.kernel.store.versions import Row, Versions

_MAY_ASK: Final = frozenset({"administrator", "job"})


def may_explain(principal: Principal) -> None:
    """Raise ``Forbidden`` for whoever may not see how searches are run.

    A plan tells how many rows were looked at, those that its reader may not see among them.
    """
    if principal.roles.isdisjoint(_MAY_ASK):
        message = "Only an administrator sees how searches are run."
        raise Forbidden(message)


class Explainer:
    """Explain searches."""

    def __init__(self, pool: Connections, versions: Versions) -> None:
        self._pool = pool
        self._versions = versions

    async def explain(
        self,
        asked: select.Asked,
        rows: Sequence[Row],
        pool: Connections,
        statement: tuple[str, list[object]],
    ) -> Explanation:
        """Run a page's statement once more and say how, and why its rows are on it."""
        sql, arguments = statement
        within = pool.within(asked.scope.tenant, asked.scope.audience())
        answer = await within.fetchval(f"explain (analyze, format json) {sql}", *arguments)
        (root,) = msgspec.json.decode(answer)
        read = sum(map(_read, _nodes(root["Plan"])))
        return Explanation(sql, answer, read, await self._reasons(asked, rows))

    async def _reasons(
        self, asked: select.Asked, rows: Sequence[Row]
    ) -> tuple[tuple[tuple[Reason, ...], ...], ...]:
        found = await self._versions.opened(asked.scope.tenant, rows, asked.query.custom)
        links = Probed(self._pool, asked)
        await links.find(asked.query.where, found)
        by_rid = {
            one.row["rid"]: tuple(why(part, one.facts, links) for part in asked.query.where.parts)
            for one in found
        }
        return tuple(by_rid.get(row["rid"], ()) for row in rows)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _read(node: dict[str, Any]) -> int:
    """Return how many rows a node has read itself, those that it left out included."""
    if "Relation Name" not in node and "Index Name" not in node:
        return 0
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows: float = sum(node.get(name, 0) for name in seen) * node["Actual Loops"]
    return round(rows)
