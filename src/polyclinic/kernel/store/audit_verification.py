"""Walk the audit record and find what was changed, removed, added or moved after it was sealed.

It is read segment by segment: memory does not grow with the record.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Final, NamedTuple

import msgspec
from typing_extensions import override

from polyclinic.base.crypto import CannotOpen
from polyclinic.kernel.store.audit import Farewell, open_detail
from polyclinic.kernel.store.audit_chain import (
    BEGINNING,
    GENESIS,
    MAC_BYTES,
    AuditRow,
    Keys,
    Place,
    Segment,
    chain_hash,
    is_signed,
    unpack_members,
)
from polyclinic.kernel.store.audit_checkpoint import Checkpoint
from polyclinic.kernel.store.audit_sealing import segment_of
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import Tenant

_PAGE: Final = 16
"""Segments read at once: a megabyte."""
_MORE: Final = 1000
"""Added rows that are looked at in one segment at most."""
_NAMED: Final = 10
"""Rows, or processes, that are named at most where there are many."""


class Fault(NamedTuple):
    """Something that is not as it was sealed."""

    tenant: str
    kind: str
    """``changed``, ``missing``, ``added``, ``segment``, ``checkpoint`` or ``count``."""
    what: str
    first: datetime | None = None
    """When the earliest row concerned was written, or the segment was sealed."""
    last: datetime | None = None

    @override
    def __str__(self) -> str:
        moments = [at.isoformat(timespec="seconds") for at in (self.first, self.last) if at]
        when = " to ".join(dict.fromkeys(moments))
        return f"{self.tenant}: {self.what}" + (f" ({when})" if when else "")


class AuditVerification:
    """One walk through the audit record of a tenant."""

    def __init__(
        self, pool: Connections, tenant: Tenant, checkpoint: Checkpoint | None = None
    ) -> None:
        self._executor = pool.within(tenant.number)
        self._tenant = tenant
        self._keys = Keys(tenant.index_key)
        self._checkpoint = checkpoint
        self._number = 0
        self._chain: bytes | None = GENESIS
        """The chain hash so far; None behind a broken segment."""
        self._origin: Place | None = BEGINNING
        self._behind: dict[int, Place] = {}
        """Up to where the rows of each server have been compared; else from the origin."""
        self._found = 0
        self.segments = 0
        self.rows = 0
        """Rows that are as they were sealed."""
        self.unsealed = 0
        """Rows that are in no segment yet."""
        self.uncounted = 0
        """Processes that run, or ended without a word, so that nothing counts their rows."""

    async def faults(
        self, progress: Callable[[int], None] = lambda _: None
    ) -> AsyncIterator[Fault]:
        """Yield what is wrong, telling how many rows were compared so far."""
        with translated():
            async for segment in self._walk():
                for fault in self._judged(segment):
                    yield fault
                if self._chain is not None:
                    for fault in await self._compared(segment):
                        yield fault
                progress(self.rows)
            if self._checkpoint and self._checkpoint.segment > self._number:
                yield self._cut_off(self._checkpoint)
            for fault in await self._strangers():
                yield fault
            for fault in await self._counts():
                yield fault

    async def _walk(self) -> AsyncIterator[Segment]:
        number = 0
        while found := await self._executor.fetch(
            STATEMENTS["audit_seals"], self._tenant.number, number, _PAGE
        ):
            for row in found:
                yield segment_of(row)
            number = found[-1]["number"]

    def _judged(self, segment: Segment) -> Iterator[Fault]:
        """Yield what is wrong with a segment by itself, and with what it follows."""
        self.segments += 1
        expected, self._number = self._number + 1, segment.number
        if segment.number != expected:
            yield self._fault("segment", f"{_span(expected, segment.number - 1)} missing", segment)
            self._lose()
        if broken := self._broken(segment):
            yield self._fault("segment", f"segment {segment.number} {broken}", segment)
            self._lose()
        else:
            self._chain = segment.chain
        checkpoint = self._checkpoint
        if checkpoint and checkpoint.segment == segment.number and not checkpoint.is_of(segment):
            what = f"segment {segment.number} is not the one of the checkpoint"
            yield self._fault("checkpoint", what, segment)

    def _broken(self, segment: Segment) -> str | None:
        """Say what is wrong with a segment; its signature and its chain hash cover all of it."""
        if not is_signed(self._keys.public, segment.signature, segment.message):
            return "was changed, or not signed by this installation"
        if chain_hash(segment.previous, segment.members, segment.macs) != segment.chain:
            return "holds other rows than were signed"
        if self._chain is not None and segment.previous != self._chain:
            return "does not follow the one before it"
        return None

    def _lose(self) -> None:
        """Forget what came before: what a lost segment sealed must not be taken for added."""
        self._chain = self._origin = None
        self._behind.clear()

    async def _compared(self, segment: Segment) -> list[Fault]:
        """Compare the rows that are there with those that a segment sealed."""
        just_before = segment.first._replace(counter=segment.first.counter - 1)
        start = self._behind.get(segment.cluster, self._origin) or just_before
        self._behind[segment.cluster] = segment.last
        found = await self._executor.fetch(
            STATEMENTS["audit_sealed"],
            *(self._tenant.number, segment.cluster, *start, *segment.last),
            segment.row_count + _MORE,
        )
        self._found += len(found)
        comparison = _Comparison(segment, self._keys)
        for row in found:
            comparison.take(AuditRow(*row))
        self.rows += comparison.intact
        return [self._rows_fault(*each) for each in comparison.results(segment)]

    def _cut_off(self, checkpoint: Checkpoint) -> Fault:
        what = (
            f"the chain ends at segment {self._number}, and the checkpoint knows segment "
            f"{checkpoint.segment} with {checkpoint.total} rows up to it"
        )
        return Fault(self._tenant.name, "checkpoint", what)

    async def _strangers(self) -> list[Fault]:
        """Return the rows of processes that the server never knew."""
        found = await self._executor.fetch(
            STATEMENTS["audit_strangers"], self._tenant.number, _NAMED
        )
        return [
            Fault(
                self._tenant.name,
                "added",
                f"{_count(row['rows'], 'row')} of process {row['worker']}, which was never started",
                row["first"],
                row["last"],
            )
            for row in found
        ]

    async def _counts(self) -> list[Fault]:
        """Compare how many rows of each process there are with what it said at its end."""
        number = self._tenant.number
        rows = await self._executor.fetch(STATEMENTS["audit_by_worker"], number)
        farewells: dict[int, list[Farewell | None]] = {}
        for worker, detail in await self._executor.fetch(STATEMENTS["audit_farewells"], number):
            farewells.setdefault(worker, []).append(self._farewell(worker, detail))
        self.unsealed = sum(row["rows"] for row in rows) - self._found
        self.uncounted = sum(row["worker"] not in farewells for row in rows)
        return [
            Fault(self._tenant.name, "count", what, row["first"], row["last"])
            for row in rows
            if (what := _miscounted(row["worker"], row["rows"], farewells.get(row["worker"], [])))
        ]

    def _farewell(self, worker: int, detail: bytes | None) -> Farewell | None:
        """Return what a process said at its end, or None when it is not what it said."""
        try:
            opened = open_detail(self._tenant, detail or b"")
            farewell = msgspec.msgpack.decode(opened, type=Farewell)
        except (CannotOpen, msgspec.MsgspecError):
            return None
        return farewell if farewell.worker == worker else None

    def _fault(self, kind: str, what: str, segment: Segment) -> Fault:
        return Fault(self._tenant.name, kind, what, segment.at)

    def _rows_fault(self, kind: str, what: str, moments: Sequence[datetime]) -> Fault:
        return Fault(self._tenant.name, kind, what, min(moments), max(moments))


class _Comparison:
    """Rows that are there against those that were sealed, by their places."""

    def __init__(self, segment: Segment, keys: Keys) -> None:
        macs, places = segment.macs, unpack_members(segment.members)
        self._keys = keys
        self._sealed = {
            place: macs[at * MAC_BYTES : (at + 1) * MAC_BYTES] for at, place in enumerate(places)
        }
        self._intact: set[Place] = set()
        self._wrong: dict[Place, AuditRow] = {}
        self._added: list[AuditRow] = []

    @property
    def intact(self) -> int:
        """Return how many rows are as they were sealed."""
        return len(self._intact)

    def take(self, row: AuditRow) -> None:
        """Look at a row that is there."""
        place = row.place
        expected = self._sealed.get(place)
        if expected is None or place in self._intact:
            self._added.append(row)
        elif compare_digest(self._keys.mac(row), expected):
            self._intact.add(place)
        elif place in self._wrong:
            self._added.append(row)
        else:
            self._wrong[place] = row

    def results(self, segment: Segment) -> Iterator[tuple[str, str, list[datetime]]]:
        """Yield what is wrong: the kind, the sentence, and the moments concerned."""
        changed = {at: row for at, row in self._wrong.items() if at not in self._intact}
        added = self._added + [row for at, row in self._wrong.items() if at in self._intact]
        missing = [at for at in self._sealed if at not in self._intact and at not in changed]
        where = f"in segment {segment.number}"
        if changed:
            moments = [row.at for row in changed.values()]
            yield "changed", f"{_rows(changed)} changed {where}", moments
        if missing:
            yield "missing", f"{_rows(missing)} missing {where}, sealed", [segment.at]
        if added:
            places = [row.place for row in added]
            yield "added", f"{_rows(places)} added {where}", [row.at for row in added]


def _miscounted(worker: int, rows: int, farewells: Sequence[Farewell | None]) -> str | None:
    """Say what is wrong with the number of a process's rows; its farewells are among them.

    After a farewell it may have written more: only that rows are gone shows here.
    """
    written = [farewell.written for farewell in farewells if farewell is not None]
    if len(written) < len(farewells):
        return f"what process {worker} said when it ended was changed"
    if not written or rows - len(farewells) >= max(written):
        return None
    there = rows - len(farewells)
    return f"process {worker} wrote {_count(max(written), 'row')}, and {there} are there"


def _rows(places: Iterable[Place]) -> str:
    """Name rows by process and number: "2 rows (7.12, 7.13)"."""
    names = [f"{place.worker}.{place.counter}" for place in places]
    more = ", ..." if len(names) > _NAMED else ""
    return f"{_count(len(names), 'row')} ({', '.join(names[:_NAMED])}{more})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _span(first: int, last: int) -> str:
    return f"segment {first} is" if first == last else f"segments {first} to {last} are"
