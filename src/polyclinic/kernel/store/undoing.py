"""Undoing a transaction: the changes that put back what it changed, for a new transaction."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Conflict, Forbidden, Issue, NotFound
from polyclinic.kernel.store.audit import About
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.past import Past, PastRights
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.versions import Row
from polyclinic.kernel.types import parse, type_name, type_number

MOST_UNDONE: Final = 5_000
"""Resources that a transaction may have written to be undone."""


class Undone(NamedTuple):
    """What undoes the change of one resource."""

    change: Change
    made: int
    """The version that the transaction made."""
    restored: int | None
    """The version whose content comes back; None where the resource is deleted again."""


class Undoing:
    """Find out how to undo a transaction."""

    def __init__(self, past: Past, rights: PastRights) -> None:
        self._past = past
        self._rights = rights

    async def plan(
        self, principal: Principal, place: tuple[str, str], version: int
    ) -> list[Undone]:
        """Return what undoes the transaction that wrote a version (of type and id).

        Raise ``NotFound`` for no such version, ``Forbidden`` where it wrote what the principal may
        not see, ``Conflict`` naming what was changed since, or cannot be brought back.
        """
        tenant = self._rights.tenant(principal).number
        reaches = {place[0]: await self._rights.allowed(principal, Action.READ, place[0])}
        rows = await self._group(tenant, place, version)
        # Before anything is said of what else the transaction wrote.
        named = [row for row in rows if (type_name(row["type"]), row["id"]) == place]
        anchor = [(row["rid"], version) for row in named]
        if not await self._past.reached(tenant, reaches, anchor):
            error = NotFound()
            await self._rights.denied(principal, Action.READ, error, place[0])
            raise error
        for name in {type_name(row["type"]) for row in rows} - {place[0]}:
            reaches[name] = await self._rights.allowed(principal, Action.READ, name)
        patients = await self._check(tenant, reaches, rows)
        about = About(type_number(place[0]), anchor[0][0], version, patients)
        await self._rights.note(principal, Action.READ, about)
        if changed := [row for row in rows if row["current"] != row["version"]]:
            raise _refusal(changed, "was changed since")
        before = await self._before(tenant, reaches, rows)
        return [_undone(row, before.get(row["rid"])) for row in rows]

    async def _group(self, tenant: int, place: tuple[str, str], version: int) -> Sequence[Row]:
        with translated():
            rows = await self._past.pool.within(tenant).fetch(
                STATEMENTS["undo_group"],
                *(tenant, type_number(place[0]), place[1], version, MOST_UNDONE + 1),
            )
        if len(rows) > MOST_UNDONE:
            message = f"The transaction wrote over {MOST_UNDONE:,} resources; undo them by parts."
            raise Conflict(message)
        return rows

    async def _check(
        self, tenant: int, reaches: Mapping[str, Reach], rows: Sequence[Row]
    ) -> list[int]:
        """Return whose data that is; raise unless all of it, and what it is now, may be seen."""
        wanted = {(row["rid"], row["version"]) for row in rows}
        wanted |= {(row["rid"], row["current"]) for row in rows}
        seen = await self._past.reached(tenant, reaches, sorted(wanted))
        if len(seen) < len(wanted):
            message = "Your role does not allow to see all that this transaction wrote."
            raise Forbidden(message)
        return sorted({rid for row in seen.values() for rid in row["patients"]})

    async def _before(
        self, tenant: int, reaches: Mapping[str, Reach], rows: Sequence[Row]
    ) -> dict[int, Stored]:
        """Return what there was before, by rid; nothing for what was not there."""
        wanted = [(row["rid"], row["version"] - 1) for row in rows if row["version"] > 1]
        found = await self._past.reached(tenant, reaches, wanted)
        if len(found) < len(wanted):
            message = "Your role does not allow to see all that this transaction replaced."
            raise Forbidden(message)
        opened = await self._past.opened(tenant, list(found.values()))
        before = {rid: one for (rid, _), one in zip(found, opened, strict=True)}
        if lost := [row for row in rows if row["rid"] in before and before[row["rid"]].fault]:
            raise _refusal(lost, "cannot be brought back")
        return {rid: one for rid, one in before.items() if not one.deleted}


def _undone(row: Row, before: Stored | None) -> Undone:
    name, made = type_name(row["type"]), row["version"]
    if before is None:
        return Undone(Change(name, row["id"], None, made), made, None)
    resource = parse(before.body)
    return Undone(Change(name, row["id"], resource, made), made, before.version)


def _refusal(rows: Sequence[Row], why: str) -> Conflict:
    """Return the error that names each resource that is in the way."""
    error = Conflict()
    names = [f"{type_name(row['type'])}/{row['id']}" for row in rows]
    error.issues = tuple(Issue(error.code, f"{name} {why}.") for name in names)
    return error
