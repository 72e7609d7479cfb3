"""Searches of what was stored at a moment.

The page is made as on a snapshot (``snapshot.py``): what was not changed since from the database,
what was, as it was, in memory. What a query asks of other resources is found first, at the same
moment, and put in the place of the chain: the references or ids that it comes to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from polyclinic.kernel.errors import BadRequest, TooCostly
from polyclinic.kernel.search.canonicals import (
    Definition,
    by_id,
    by_url,
    canonical_types,
    resolved,
)
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    CanonicalIs,
    Has,
    IdIs,
    InList,
    Linked,
    Not,
    Predicate,
    RefersTo,
    Sort,
    UriIs,
)
from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.costs import Costs
from polyclinic.kernel.store.snapshot import Snapshots
from polyclinic.kernel.store.versions import Opened, Row

MOST_LINKED: Final = 1_000
"""Resources that a chain, ``_has`` or ``_list`` may come to."""
_ANY_ORDER: Final = (Sort(None, descending=True),)


class _Then(NamedTuple):
    """What matched a part of a query at the moment."""

    rows: list[Row]
    """Not changed since."""
    moved: list[Opened]


class AsOf:
    """Prepare searches of a moment."""

    def __init__(self, pool: Connections, snapshots: Snapshots, costs: Costs) -> None:
        self._pool = pool
        self._snapshots = snapshots
        self._costs = costs

    async def prepared(self, asked: select.Asked) -> select.Asked:
        """Return a search of a moment without chains; any other as it is.

        Raise ``TooCostly`` where a chain comes to too many resources, and ``BadRequest`` for
        includes, which follow references of now.
        """
        query = asked.query
        if query.as_of is None:
            return asked
        if query.includes:
            message = "_include and _revinclude follow references of now; leave out _asOf or them."
            raise BadRequest(message)
        asked = asked._replace(after=select.Place("valued", (), 0, query.as_of))
        parts = [await self._resolved(asked, part) for part in query.where.parts]
        return asked._replace(query=replace(query, where=AllOf(tuple(parts))))

    async def _resolved(self, asked: select.Asked, part: Predicate) -> Predicate:
        match part:
            case AllOf(parts) | AnyOf(parts):
                return type(part)(tuple([await self._resolved(asked, one) for one in parts]))
            case Not(inner):
                return Not(await self._resolved(asked, inner))
            case Linked():
                return await self._refers(asked, part)
            case Has(source, param, where):
                return await self._referred(asked, source, param.code, where)
            case InList(identity):
                return await self._referred(asked, "List", "item", IdIs((identity,)))
            case _:
                return part

    async def _refers(self, asked: select.Asked, part: Linked) -> Predicate:
        """Return what refers to what matched, by id or by canonical."""
        param, target = part.param, part.target
        found = await self._then(asked, target, part.where)
        is_single = len(asked.query.types) == 1
        if is_single and not by_id(param) and by_url(param):
            return CanonicalIs(param, await self._names(asked, target, found))
        ids = [*(row["id"] for row in found.rows), *(one.facts.id for one in found.moved)]
        plain = tuple(RefersTo(param, target, one) for one in sorted(ids))
        if (is_single and not by_url(param)) or target not in canonical_types():
            return AnyOf(plain)
        # Of several types, one may refer by id and another by canonical under the same code.
        return AnyOf((*plain, CanonicalIs(param, await self._names(asked, target, found))))

    async def _referred(
        self, asked: select.Asked, source: str, code: str, where: Predicate
    ) -> Predicate:
        """Return the ids of what was referred to by what matched."""
        if len(asked.query.types) > 1:
            message = "_asOf takes _has and _list in a search of one type only."
            raise BadRequest(message)
        opened = await self._opened(asked, await self._then(asked, source, where))
        own = asked.query.resource_type
        rows = [row for one in opened for row in one.facts.rows("references", code)]
        ids = {row.id for row in rows if row.target == own}
        names = {row.uri for one in opened for row in one.facts.rows("canonicals", code)}
        known = await self._definitions(asked, own, names)
        ids.update(known[name].id for name in names if name in known)
        return IdIs(tuple(sorted(ids)))

    async def _names(
        self, asked: select.Asked, resource_type: str, found: _Then
    ) -> tuple[str, ...]:
        """Return the canonicals that named, at the moment, what matched."""
        opened = await self._opened(asked, found)
        names = {name for one in opened for name in one.facts.values.answers}
        known = await self._definitions(asked, resource_type, names)
        ids = {one.facts.id for one in opened}
        return tuple(sorted(name for name in names if known[name].id in ids))

    async def _definitions(
        self, asked: select.Asked, resource_type: str, names: Iterable[str]
    ) -> Mapping[str, Definition]:
        """Return what canonicals named at the moment, of those that answered to their URLs."""
        urls = sorted({name.partition("|")[0] for name in names})
        if not urls or resource_type not in canonical_types():
            return {}
        url = parameters(resource_type)["url"]
        found = await self._then(
            asked, resource_type, AnyOf(tuple(UriIs(url, one) for one in urls))
        )
        return resolved(
            Definition(
                (one.facts.updated_micros, one.row["rid"]), one.facts.id, one.facts.values.answers
            )
            for one in await self._opened(asked, found)
        )

    async def _opened(self, asked: select.Asked, found: _Then) -> list[Opened]:
        opened = await self._snapshots.versions.opened(
            asked.scope.tenant, found.rows, asked.query.custom
        )
        return [*opened, *found.moved]

    async def _then(self, asked: select.Asked, resource_type: str, where: Predicate) -> _Then:
        """Return what of a type matched at the moment."""
        query = replace(
            asked.query, types=(resource_type,), where=AllOf((where,)), sort=_ANY_ORDER, total=False
        )
        asked = asked._replace(query=query, keys=asked.keys.about(resource_type))
        resolved = await self._resolved(asked, where)
        asked = asked._replace(query=replace(query, where=AllOf((resolved,))))
        statement = select.unsorted(asked)
        await self._costs.check(asked, select.dear(asked.query), statement)
        rows = await self._current(asked, statement)
        assert query.as_of is not None
        moved = await self._snapshots.moved(asked, query.as_of)
        if len(rows) + len(moved) > MOST_LINKED:
            message = (
                f"More than {MOST_LINKED:,} of {resource_type} matched the inner part"
                " of the search at that moment; ask for it more narrowly."
            )
            raise TooCostly(message)
        known = {one.row["rid"] for one in moved}
        return _Then([row for row in rows if row["rid"] not in known], moved)

    async def _current(
        self, asked: select.Asked, statement: tuple[str, list[object]]
    ) -> Sequence[Row]:
        sql, arguments = statement
        within = self._pool.within(asked.scope.tenant, asked.scope.audience())
        found = await within.fetch(sql, *arguments)
        return [row for row in found if row["snapshot"] is None]
