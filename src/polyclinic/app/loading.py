"""`polyclinic load`: files into the store, with a report of what was refused and why."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from polyclinic.app.source import Item, Unit, Unreadable, find, fingerprint, units
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Conflict, InvalidResource, Issue
from polyclinic.kernel.store import Change, Store, Written
from polyclinic.kernel.types import Resource, parse

_UNIT: Final = 400
"""Resources of one transaction: fewer commits above it are no faster, more hold more memory."""
_MOST_REFUSED: Final = 1000
"""Refusals that are kept for the report; more are only counted."""
_WORTH_ANALYZING: Final = 2000
"""Writes after which the planner's picture of the tables may be a wrong one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that was not stored."""

    file: Path
    line: int
    expression: str
    reason: str


@dataclass(slots=True)
class Report:
    """What a load did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused_count: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Return how many resources were read."""
        return self.created + self.updated + self.unchanged + self.refused_count

    def refuse(self, refusals: Iterable[Refused], count: int) -> None:
        """Note resources that were not stored."""
        self.refused_count += count
        room = _MOST_REFUSED - len(self.refused)
        self.refused.extend(list(refusals)[: max(room, 0)])


Watch = Callable[[Path, Report], None]


async def load(store: Store, principal: Principal, paths: Iterable[Path], watch: Watch) -> Report:
    """Store what the files hold; again is the same as once.

    A Bundle is stored whole or not at all; of NDJSON, each line that can be. Interrupted, it goes
    on where it stopped. Raise ``Unreadable`` for a path that is not a file of resources.
    """
    report = Report()
    files = find(paths)
    for path in files:
        try:
            await _Load(store, principal, path, report).run(watch)
        except Unreadable as error:
            report.refuse([Refused(path, 0, "", str(error))], 1)
    if report.created + report.updated >= _WORTH_ANALYZING:
        await store.loaded(principal)
    return report


class _Load:
    """The load of one file: a part is checked while the one before it is being written."""

    def __init__(self, store: Store, principal: Principal, path: Path, report: Report) -> None:
        self._store = store
        self._principal = principal
        self._path = path
        self._report = report

    async def run(self, watch: Watch) -> None:
        """Load the file."""
        progress = self._store.progress(self._principal)
        mark = fingerprint(self._path)
        writing: asyncio.Task[None] | None = None
        lines = await progress.lines(mark)
        try:
            for unit in units(self._path, _UNIT, lines):
                changes = self._changes(unit)
                if writing is not None:
                    await writing
                    await progress.note(mark, lines, finished=False)
                lines = unit.items[-1].line if unit.items else lines
                writing = asyncio.create_task(self._write(unit, changes))
                await asyncio.sleep(0)
                watch(self._path, self._report)
        finally:
            if writing is not None:
                await writing
        await progress.note(mark, lines, finished=True)
        watch(self._path, self._report)

    def _changes(self, unit: Unit) -> list[tuple[Item, Change]]:
        """Check every resource of a part; a Bundle with a fault has no changes."""
        changes: list[tuple[Item, Change]] = []
        faults: list[Refused] = []
        faulty = 0
        for item in unit.items:
            try:
                resource = _parse(item)
            except InvalidResource as error:
                faulty += 1
                faults.extend(self._refused(item, issue) for issue in error.issues)
                continue
            changes.append((item, Change(resource.type, resource.id, resource)))
        if faulty and unit.atomic:
            self._report.refuse(faults, len(unit.items))
            return []
        self._report.refuse(faults, faulty)
        return changes

    async def _write(self, unit: Unit, changes: list[tuple[Item, Change]]) -> None:
        """Write a part; lines that name the same resource keep their order."""
        if unit.atomic:
            await self._write_part(changes, atomic=True)
            return
        part: dict[tuple[int, str], tuple[Item, Change]] = {}
        for item, change in changes:
            if change.place in part:
                await self._write_part(list(part.values()))
                part = {}
            part[change.place] = (item, change)
        await self._write_part(list(part.values()))

    async def _write_part(
        self, changes: list[tuple[Item, Change]], *, atomic: bool = False
    ) -> None:
        """Write together; where that is refused, each line alone, so that one hurts no other."""
        if not changes:
            return
        try:
            written = await self._store.write_all(self._principal, [c for _, c in changes])
        except (Conflict, InvalidResource) as error:
            if len(changes) > 1 and not atomic:
                for one in changes:
                    await self._write_part([one])
                return
            refusals = [self._refused(item, error.issues[0]) for item, _ in changes[:1]]
            self._report.refuse(refusals, len(changes))
            return
        for done in written:
            self._count(done)

    def _count(self, written: Written | None) -> None:
        if written is None:
            self._report.unchanged += 1
        elif written.created:
            self._report.created += 1
        else:
            self._report.updated += 1

    def _refused(self, item: Item, issue: Issue) -> Refused:
        return Refused(self._path, item.line, issue.expression or "", issue.diagnostics)


def _parse(item: Item) -> Resource:
    if not item.data:
        message = "The entry holds no resource, and only resources are loaded."
        raise InvalidResource((Issue("not-supported", message),))
    return parse(item.data, resource_id=item.id)
