"""Paging on a snapshot: every page of a search sees what its first page saw.

The link to the next page carries the snapshot of the first one. A further page is what is current
and was there then, from the database, and what has been changed or deleted since, as it was then:
those versions are opened, matched and put in order in memory. A chain, ``_has`` or ``_list`` is
followed as references are when the page is read. docs/explanation/store.md, "Paging".
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cmp_to_key, partial
from typing import Final

from polyclinic.kernel.errors import PageExpired, TooCostly
from polyclinic.kernel.search.matcher import Place, compile_matcher
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    InList,
    Linked,
    Not,
    Predicate,
    Query,
    Sort,
)
from polyclinic.kernel.search.sorting import SortValue, compare, sort_values
from polyclinic.kernel.store import select
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.feed_place import Epochs
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.row import index_version
from polyclinic.kernel.store.versions import Opened, Row, Versions
from polyclinic.kernel.types import type_name, type_number

MOST_LOOKED: Final = 50_000
"""Changes since the first page that a further page looks at; after more, its link has expired."""
MOST_AFTER: Final = 200_000
"""Resources of the searched types that were changed after a moment; after more, it is refused."""
MOST_MOVED: Final = 5_000
"""Changed resources that may belong on a page and are opened for it."""


_MANY: Final = (
    f"Since that moment more than {MOST_AFTER:,} resources of these types were changed, or more"
    f" than {MOST_MOVED:,} that may match: ask for one type, one patient, or a later moment."
)


def packed(snapshot: str) -> tuple[int, ...]:
    """Return a snapshot as its first transaction, and the distance of all others from it.

    It grows by about two bytes for each transaction that ran when it was taken.
    """
    low, high, running = snapshot.split(":")
    first = int(low)
    others = [int(one) - first for one in running.split(",") if one]
    return (first, int(high) - first, *others)


def unpacked(numbers: Sequence[int]) -> str:
    """Return a snapshot as PostgreSQL writes it."""
    first, high, *others = numbers
    running = ",".join(str(first + one) for one in others)
    return f"{first}:{first + high}:{running}"


def shown(row: Row, sorts: Sequence[Sort]) -> tuple[SortValue, ...]:
    """Return what a row is sorted by."""
    return tuple(row[f"o{at}"] for at in range(len(sorts)))


def sorts_of(query: Query, phase: select.Phase | None) -> tuple[Sort, ...]:
    """Return the keys that the pages of a phase are sorted by."""
    return () if phase == "gathered" else query.sort


def ordered(asked: select.Asked, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that stand behind the place, in order."""
    after = asked.after
    sorts = sorts_of(asked.query, after.phase if after else None)
    found = [((shown(row, sorts), row["rid"]), row) for row in rows]
    if after is not None and after.rid:
        place = after.values, after.rid
        found = [each for each in found if compare(sorts, each[0], place) > 0]
    order = cmp_to_key(partial(compare, sorts))
    found.sort(key=lambda each: order(each[0]))
    return [row for _, row in found]


def _bounds(seen: select.Seen) -> tuple[object, ...]:
    """Return a moment; or the oldest transaction that a snapshot may not see, and the snapshot."""
    return (seen,) if isinstance(seen, datetime) else (int(seen.partition(":")[0]), seen)


class Snapshots:
    """Restore what the first page of a search saw."""

    def __init__(self, pool: Connections, versions: Versions, epochs: Epochs) -> None:
        self._pool = pool
        self.versions = versions
        self._epochs = epochs

    async def epoch(self) -> int:
        """Return the epoch in which the numbers of a new snapshot have a meaning."""
        return (await self._epochs.current()).token

    async def check(self, epoch: int, here: str | None) -> None:
        """Raise ``PageExpired`` when a snapshot was taken elsewhere, or before a restore."""
        current = await self._epochs.current()
        if here is not None and here != " ".join(current.here):
            current = await self._epochs.begin()
        if current.token != epoch:
            raise PageExpired

    async def restored(self, asked: select.Asked, seen: select.Seen, rows: list[Row]) -> list[Row]:
        """Return the rows of a page with all else that its snapshot saw behind its place, in order.

        Raise ``PageExpired`` when too much was changed since, ``TooCostly`` for a moment.
        """
        known = {row["rid"] for row in rows}
        found: list[Row] = []
        for row, one in await self.moved(asked, seen):
            # What was changed after the page's statement ran is on the page already.
            if row["rid"] not in known:
                values = sort_values(asked.query.sort, one.id, one.last_updated, one.values)
                found.append({**row, **{f"o{at}": value for at, value in enumerate(values)}})
        return ordered(asked, [*rows, *found])

    async def moved(self, asked: select.Asked, seen: select.Seen) -> list[Opened]:
        """Return what was changed since, as it was, where it matches and may be seen."""
        tenant = asked.scope.tenant
        rows = await self.versions.reached(
            tenant, asked.scope.reaches, await self._late(asked, seen)
        )
        found = await self.versions.opened(tenant, rows, asked.query.custom)
        links = Probed(self._pool, asked)
        await links.find(asked.query.where, found)
        holds = compile_matcher(asked.query.where, links)
        return [one for one in found if holds(one.facts)]

    async def _late(self, asked: select.Asked, seen: select.Seen) -> Sequence[Row]:
        """Return the versions that could be seen of what was changed since, of the types."""
        types = [type_number(name) for name in asked.query.types]
        required = _required(asked.query.where, asked.keys)
        # In the context of the whole tenant: what was moved to another patient is there, too.
        name, looked, bounds = "snapshot_moved", MOST_LOOKED, _bounds(seen)
        if isinstance(seen, datetime):
            name, looked = "as_of_moved", MOST_AFTER
        rows = await self._pool.within(asked.scope.tenant).fetch(
            STATEMENTS[name],
            *(asked.scope.tenant, types, *required, looked + 1, MOST_MOVED + 1),
            *(_made_by(asked.query), *bounds),
        )
        if rows[0]["looked"] > looked or len(rows) > MOST_MOVED:
            raise TooCostly(_MANY) if isinstance(seen, datetime) else PageExpired
        return [row for row in rows if row["rid"] is not None]


def _made_by(query: Query) -> list[int]:
    """Return what the index rows of each type are made by now."""
    return [index_version(query.custom.number_of(name)) for name in query.types]


def _required(where: AllOf, keys: QueryKeys) -> tuple[list[int], list[int] | None]:
    """Return keys that each match has, and keys of which it has one, so that fewer are opened."""
    every: list[int] = []
    some: list[int] | None = None
    for part in where.parts:
        found = keys.of(part)
        if found is not None and len(found) == 1:
            every += found
        elif found is not None and (some is None or len(found) < len(some)):
            some = found
    return every, some


class Probed:
    """Other resources, as a search of now finds them, for the parts of one query."""

    def __init__(self, pool: Connections, asked: select.Asked) -> None:
        self._within = pool.within(asked.scope.tenant, asked.scope.audience())
        self._asked = asked
        self._places: dict[int, frozenset[Place]] = {}
        self._names: dict[int, frozenset[str]] = {}

    def places(self, part: Linked | Has | InList) -> frozenset[Place]:
        """Return what ``find`` has found for a part."""
        return self._places[id(part)]

    def canonicals(self, part: Linked) -> frozenset[str]:
        """Return what ``find`` has found for a part."""
        return self._names[id(part)]

    async def find(self, where: Predicate, found: Sequence[Opened]) -> None:
        """Ask for what the parts of a query say about some versions."""
        for part in _elsewhere(where):
            statement = select.Statement(self._asked.scope, self._asked.keys)
            if isinstance(part, Linked):
                ids = {
                    row.id
                    for one in found
                    for row in one.facts.rows("references", part.param.code)
                    if row.target == part.target
                }
                self._names[id(part)] = await self._named(part, found)
                sql, arguments = select.referred(part, tuple(sorted(ids)), statement)
            else:
                rids = [one.row["rid"] for one in found]
                sql, arguments = select.referring(part, rids, statement)
            rows = await self._within.fetch(sql, *arguments)
            self._places[id(part)] = frozenset((type_name(row[0]), row[1]) for row in rows)

    async def _named(self, part: Linked, found: Sequence[Opened]) -> frozenset[str]:
        """Return those canonicals of some versions that name what matches."""
        every = (one.facts.rows("canonicals", part.param.code) for one in found)
        names = tuple(sorted({row.uri for rows in every for row in rows}))
        if not names:
            return frozenset()
        statement = select.Statement(self._asked.scope, self._asked.keys)
        sql, arguments = select.answering(part, names, statement)
        numbers = {row[0] for row in await self._within.fetch(sql, *arguments)}
        asked = self._asked.keys.canonicals(names)
        return frozenset(name for name, one in zip(names, asked, strict=True) if one in numbers)


def _elsewhere(part: Predicate) -> Iterator[Linked | Has | InList]:
    """Yield the parts of a query that other resources decide, the outermost of each."""
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _elsewhere(one)
        case Not(inner):
            yield from _elsewhere(inner)
        case Linked() | Has() | InList():
            yield part
        case _:
            return
