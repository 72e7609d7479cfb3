"""The rows of one page of a search, and the place where it ends."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import msgspec

from polyclinic.base.db.connect import Record
from polyclinic.kernel.errors import TooCostly
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.sorting import SortValue, sort_values
from polyclinic.kernel.store import select
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.connections import Connections, Pools
from polyclinic.kernel.store.costs import Costs
from polyclinic.kernel.store.sizes import Sizes
from polyclinic.kernel.store.snapshot import Snapshots, ordered, packed, shown, sorts_of, unpacked
from polyclinic.kernel.store.versions import Row
from polyclinic.kernel.types import parse

Select: TypeAlias = Callable[[select.Asked], tuple[str, list[object]]]
_REMEMBERED: Final = 20_000
"""Searches that are remembered as of many matches."""


class SearchPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends, as its link carries it, with what the first page saw."""

    phase: select.Phase
    values: tuple[SortValue, ...]
    rid: int
    snapshot: tuple[int, ...]
    """Empty for a search of a moment, which the query names."""
    epoch: int

    def place(self, moment: datetime | None) -> select.Place:
        """Return the place where the next page begins."""
        seen = moment or unpacked(self.snapshot)
        return select.Place(self.phase, self.values, self.rid, seen)


class _Read(NamedTuple):
    """The rows of a page and one more, what they saw, and the phase in whose order they are."""

    rows: list[Row]
    seen: select.Seen
    phase: select.Phase


class Pager:
    """Read pages."""

    def __init__(self, pools: Pools, bodies: Bodies, snapshots: Snapshots, costs: Costs) -> None:
        self._hot, self._pool = pools
        self._costs = costs
        self._sizes = Sizes(pools.searches)
        self._bodies = bodies
        self._snapshots = snapshots
        self._failed: OrderedDict[Hashable, int] = OrderedDict()
        """How many of the statements whose plan is made once have failed, by what they gather."""

    async def page(
        self, asked: select.Asked, link: SearchPlace | None
    ) -> tuple[Sequence[Row], SearchPlace | None]:
        """Return the rows behind a place, as many as are asked for, and where they end.

        Raise ``PageExpired``, and ``TooCostly`` where too many would have to be sorted here.
        """
        if link is not None:
            asked = asked._replace(after=link.place(asked.query.as_of))
        in_memory = select.in_memory(asked.query)
        found = await self._made_once(asked, link)
        if found is None:
            found = await (self._sorted if in_memory else self._walked)(asked, link)
        rows, seen, phase = found
        count = asked.query.count
        if len(rows) <= count:
            return rows, None
        values = shown(rows[count - 1], sorts_of(asked.query, phase))
        if phase == "valued" and values[0] is None and select.has_rest(asked.query):
            phase = "rest"
        epoch = await self._snapshots.epoch()
        numbers = packed(seen) if isinstance(seen, str) else ()
        place = SearchPlace(phase, values, rows[count - 1]["rid"], numbers, epoch)
        return rows[:count], place

    async def chosen(
        self, asked: select.Asked, link: SearchPlace | None
    ) -> tuple[Connections, tuple[str, list[object]]]:
        """Return the statement that a page is read by now, and where that runs."""
        if link is not None:
            asked = asked._replace(after=link.place(asked.query.as_of))
        statement = await self._next(asked)
        if statement is not None:
            return self._hot, statement[:2]
        in_memory = select.in_memory(asked.query)
        return self._pool, (select.unsorted if in_memory else select.page)(asked)

    async def _made_once(self, asked: select.Asked, link: SearchPlace | None) -> "_Read | None":
        """Read a page by a statement whose plan is made once; None where none serves."""
        while (statement := await self._next(asked)) is not None:
            found = await self._answered(self._hot, asked, link, statement[:2])
            if statement.serves(len(found.rows), found.reached):
                rows = found.rows
                if found.moved:
                    rows = await self._snapshots.restored(asked, found.seen, rows)
                return _Read(rows, found.seen, statement.phase)
            self._failed[statement.gathers] = self._failed.get(statement.gathers, 0) + 1
            if len(self._failed) > _REMEMBERED:
                self._failed.popitem(last=False)
        return None

    async def _next(self, asked: select.Asked) -> select.Once | None:
        """Return the statement for few matches, that for many, or None, by which has failed before.

        None for whoever may not see everything: the way taken depends on what there is in all.
        """
        if not asked.scope.is_whole:
            return None
        stored = await self._sizes.of(asked)
        statement = select.few(asked, stored)
        if statement is None or statement.gathers not in self._failed:
            return statement
        return (
            select.many(asked, stored, statement) if self._failed[statement.gathers] == 1 else None
        )

    async def _walked(self, asked: select.Asked, link: SearchPlace | None) -> "_Read":
        """Read a page in the order of an index; what lacks the first value by a second statement.

        The second one sees what the first one saw, as if it were a further page.
        """
        found = await self._fetch(asked, link, select.page)
        rows, moved, seen = found.rows, found.moved, found.seen
        begun = asked.after.phase if asked.after else "valued"
        if begun == "valued" and select.has_rest(asked.query) and len(rows) <= asked.query.count:
            rest = asked._replace(after=select.Place("rest", (), 0, seen))
            found = await self._fetch(rest, link, select.page)
            rows, moved = rows + found.rows, moved or found.moved
        if moved:
            rows = await self._snapshots.restored(asked, seen, rows)
        return _Read(rows, seen, "gathered" if begun == "gathered" else "valued")

    async def _sorted(self, asked: select.Asked, link: SearchPlace | None) -> "_Read":
        """Read all matches and sort them here."""
        found = await self._fetch(asked, link, select.unsorted)
        rows = await self._placed(asked, found.rows)
        if found.moved:
            rows = await self._snapshots.restored(asked, found.seen, rows)
        if len(rows) > select.MOST_SORTED:
            message = (
                f"_sort by tokens, references or uris takes up to {select.MOST_SORTED} matches:"
                " narrow the search, or sort by a date, string, number or quantity."
            )
            raise TooCostly(message)
        return _Read(ordered(asked, rows), found.seen, "sorted")

    async def _placed(self, asked: select.Asked, rows: Sequence[Row]) -> list[Row]:
        """Return rows with the values that they are sorted by."""
        sorts, placed = asked.query.sort, list[Row]()
        bodies = await self._bodies.open(asked.scope.tenant, [sealed_body(row) for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            values = (
                extract(parse(body), custom=asked.query.custom)
                if isinstance(body, bytes) and body
                else None
            )
            found = sort_values(sorts, row["id"], row["last_updated"], values)
            placed.append({**row, **{f"o{at}": value for at, value in enumerate(found)}})
        return placed

    async def _fetch(
        self, asked: select.Asked, link: SearchPlace | None, statement: Select
    ) -> "_Answered":
        """Run a page's statement, planned for its values. Raise ``TooCostly``."""
        made = statement(asked)
        await self._costs.check(asked, select.dear(asked.query), made)
        return await self._answered(self._pool, asked, link, made)

    async def _answered(
        self,
        pool: Connections,
        asked: select.Asked,
        link: SearchPlace | None,
        statement: tuple[str, list[object]],
    ) -> "_Answered":
        """Run a page's statement. Raise ``PageExpired`` for a snapshot of another database."""
        audience = asked.scope.audience()
        sql, arguments = statement
        found = _Answered(await pool.within(asked.scope.tenant, audience).fetch(sql, *arguments))
        if asked.query.as_of is not None:
            found.seen = asked.query.as_of
        elif link is not None:
            await self._snapshots.check(link.epoch, found.here)
            found.seen = unpacked(link.snapshot)
            # Whoever sees some patients only does not see that something has become another's.
            found.moved = found.moved or audience is not None
        return found


class _Answered:
    """What a page's statement found: its rows, and what its last row tells."""

    def __init__(self, found: Sequence[Record]) -> None:
        self.rows: list[Row] = [row for row in found if row["snapshot"] is None]
        (end,) = (row for row in found if row["snapshot"] is not None)
        self.seen: select.Seen = end["snapshot"]
        self.moved: bool = end["moved"]
        self.here: str | None = end["here"]
        self.reached: int | None = end["reached"]
