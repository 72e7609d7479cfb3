"""The writes of the store: what may be written is written, by id or by condition.

A write by condition is made ready without holding anything: its conditions are searched, and what
they match says what is to be written. In the transaction of the write they are locked and searched
again; when they match something else by then, all is made ready anew (``conditional.py``).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final, NamedTuple

from polyclinic.base.db.connect import Connection
from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import (
    BadRequest,
    Conflict,
    FhirError,
    Forbidden,
    Gone,
    NotFound,
    VersionConflict,
)
from polyclinic.kernel.store.audit import About, Interaction, seal_detail
from polyclinic.kernel.store.audit_record import NOTHING_THERE, AuditRecord
from polyclinic.kernel.store.checking import Checker
from polyclinic.kernel.store.conditional import (
    Bounded,
    Condition,
    Conditions,
    Guard,
    Lock,
    Matches,
    Moved,
    locks,
)
from polyclinic.kernel.store.ending import OPEN, Gates
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.prepared import Change, Unchanged
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.select import walked
from polyclinic.kernel.store.stored import Stored, Written
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.turns import Turns
from polyclinic.kernel.store.writing import Writer
from polyclinic.kernel.types import type_number

_TRIES: Final = 16
_AT_ONCE: Final = 64
"""Reads that are waited for together; the store answers as many in one statement."""

Make = Callable[[Sequence[Matches]], Awaitable[Sequence[Change]]]
"""From what each condition matches to what is to be written; asked again when that has moved."""


class Rights(NamedTuple):
    """What the store lends to its writes."""

    tenant: Callable[[Principal], Tenant]
    allowed: Callable[[Principal, Action, str], Awaitable[Reach]]
    read: Callable[[Principal, str, str], Awaitable[Stored]]
    note: Callable[..., Awaitable[None]]
    """Writes an audit row."""
    refused: Callable[[Principal, Action, FhirError], Awaitable[None]]
    """Writes the audit row of a refusal."""


class Done(NamedTuple):
    """What a write by condition did."""

    found: Sequence[Matches]
    changes: Sequence[Change]
    written: Sequence[Written]


class Writes:
    """Write what a principal may write."""

    def __init__(
        self,
        rights: Rights,
        writer: Writer,
        checker: Checker,
        conditions: Conditions,
        record: AuditRecord,
    ) -> None:
        self._rights = rights
        self._writer = writer
        self._checker = checker
        self._conditions = conditions
        self._record = record
        self._turns = Turns()

    async def create(self, principal: Principal, change: Change) -> Written:
        """Store a resource under an id that was made for it."""
        await self.may_write(principal, [change])
        return await self._writer.write(self._rights.tenant(principal), principal.account, change)

    async def update(self, principal: Principal, change: Change) -> Written:
        """Store a version, or find it there already. Raise ``VersionConflict``."""
        while True:
            # Between the write that found it unchanged and the read, another may have deleted it.
            with suppress(Unchanged):
                return await self.write(principal, change)
            with suppress(Gone):
                stored = await self._rights.read(principal, change.type, change.id)
                return Written(stored, created=False, is_same=True)

    async def write(self, principal: Principal, change: Change) -> Written:
        """Write what may be written; what was looked at for that is looked at again if it moved."""
        tenant = self._rights.tenant(principal)
        while True:
            (checked,) = await self.may_write(principal, [change])
            try:
                return await self._writer.write(tenant, principal.account, checked)
            except (Conflict, NotFound) as error:
                if isinstance(error, VersionConflict) and checked.if_match != change.if_match:
                    continue
                await self._record.failed_write(principal, change.action, change.place)
                raise

    async def write_all(
        self, principal: Principal, changes: Sequence[Change]
    ) -> Sequence[Written | None]:
        """Write all changes in one transaction, or none; None stands for an unchanged one."""
        checked = await self.may_write(principal, changes)
        tenant = self._rights.tenant(principal)
        try:
            return await self._writer.write_all(tenant, principal.account, checked)
        except (Conflict, NotFound):
            await self._record.failed_transaction(principal)
            raise

    async def write_where(
        self, principal: Principal, conditions: Sequence[Condition], make: Make
    ) -> Done:
        """Write, all or nothing, what follows from what the conditions match.

        Raise what ``make`` and ``write_all`` raise, and ``Moved`` when others never let it be.
        """
        tenant = self._rights.tenant(principal)
        bounded = await self._bounded(principal, conditions)
        deciding = [at for at, one in enumerate(conditions) if one.action is not None]
        taken = locks(tenant, [conditions[at] for at in deciding])
        async with self._turn(tenant.number, taken):
            for attempt in range(_TRIES):
                found = await self._conditions.find(tenant, bounded)
                if attempt == 0:
                    await self._note_searches(principal, conditions, found)
                guard = Guard([bounded[at] for at in deciding], [found[at] for at in deciding])
                with suppress(_Again):
                    return await self._attempt(principal, make, guard, taken, found)
        raise Moved

    async def foresee(
        self, principal: Principal, changes: Sequence[Change], conditions: Sequence[Condition]
    ) -> list[Matches]:
        """Return what conditions match once changes are made. Only a rehearsal can tell."""
        tenant = self._rights.tenant(principal)
        bounded = await self._bounded(principal, conditions)
        found: list[Matches] = []

        async def look(connection: Connection) -> None:
            found[:] = await self._conditions.on(connection, tenant, bounded)

        checked = await self.may_write(principal, changes)
        await self._writer.write_all(tenant, principal.account, checked, Gates(after=look))
        return found

    async def versions(self, principal: Principal, places: Sequence[Place]) -> dict[Place, int]:
        """Return the current version of each resource, deleted ones included; 0 without one.

        Only for what is about to be written: nobody has asked who may see it.
        """
        found = await self._writer.versions(principal.tenant, places)
        return {place: found.get(place, 0) for place in places}

    async def may_write(self, principal: Principal, changes: Sequence[Change]) -> Sequence[Change]:
        """Return the changes, each against the version that was looked at where one had to be.

        Raise ``Forbidden`` when one may not be made.
        """
        asked = {(change.action, change.type) for change in changes}
        reaches = {one: await self._rights.allowed(principal, *one) for one in asked}
        if all(reach.whole for reach in reaches.values()):
            return changes
        pairs = [(change, reaches[change.action, change.type]) for change in changes]
        try:
            return await self._checker.within(self._rights.tenant(principal), pairs)
        except Forbidden as error:
            await self._rights.refused(principal, Action.UPDATE, error)
            raise

    async def complete(
        self, principal: Principal, changes: Sequence[Change], written: Sequence[Written | None]
    ) -> list[Written]:
        """Return what was written, and for what was not changed what is there."""
        same = [change for change, one in zip(changes, written, strict=True) if one is None]
        there: list[Stored] = []
        for start in range(0, len(same), _AT_ONCE):
            reads = (
                self._rights.read(principal, one.type, one.id)
                for one in same[start : start + _AT_ONCE]
            )
            there += await asyncio.gather(*reads)
        rest = iter(there)
        return [one or Written(next(rest), created=False, is_same=True) for one in written]

    async def _attempt(
        self,
        principal: Principal,
        make: Make,
        guard: Guard,
        taken: Sequence[Lock],
        found: Sequence[Matches],
    ) -> Done:
        """Write once. Raise ``_Again`` when what was looked at has moved meanwhile."""
        tenant = self._rights.tenant(principal)
        changes: Sequence[Change] = ()
        checked: Sequence[Change] = ()
        try:
            changes = await make(found)
            checked = await self.may_write(principal, changes)
            gates = OPEN
            if guard.bounded:
                hold = partial(self._conditions.hold, tenant=tenant, guard=guard, locks=taken)
                gates = Gates(before=hold)
            written = await self._writer.write_all(tenant, principal.account, checked, gates)
        except Moved:
            raise _Again from None
        except (BadRequest, Conflict, NotFound) as error:
            if isinstance(error, VersionConflict) and _pinned(changes, checked):
                raise _Again from None
            await self._note_failure(principal, guard)
            raise
        return Done(found, changes, await self.complete(principal, changes, written))

    async def _bounded(
        self, principal: Principal, conditions: Sequence[Condition]
    ) -> list[Bounded]:
        """Return conditions within what may be seen. Raise ``Forbidden``, before anything is."""
        acts = {(one.action, one.query.resource_type) for one in conditions if one.action}
        for action, name in sorted(acts):
            await self._rights.allowed(principal, action, name)
        types = {name for one in conditions for name in walked(one.query)}
        reaches = {
            name: await self._rights.allowed(principal, Action.SEARCH, name)
            for name in sorted(types)
        }
        return [
            Bounded(one, {name: reaches[name] for name in walked(one.query)}) for one in conditions
        ]

    async def _note_searches(
        self, principal: Principal, conditions: Sequence[Condition], found: Sequence[Matches]
    ) -> None:
        tenant = self._rights.tenant(principal)
        notes = [
            self._rights.note(principal, Action.SEARCH, _about(tenant, one, matches))
            for one, matches in zip(conditions, found, strict=True)
        ]
        await asyncio.gather(*notes)

    async def _note_failure(self, principal: Principal, guard: Guard) -> None:
        """Write the row of what was not done: of a transaction, or of one write by a condition."""
        if len(guard.bounded) != 1:
            await self._record.failed_transaction(principal)
            return
        condition = guard.bounded[0].condition
        assert condition.action is not None
        about = About(type_number(condition.query.resource_type))
        await self._rights.note(principal, condition.action, about, outcome=NOTHING_THERE)

    @asynccontextmanager
    async def _turn(self, tenant: int, taken: Sequence[Lock]) -> AsyncIterator[None]:
        """Wait here rather than with a connection in hand for those who lock the same."""
        async with AsyncExitStack() as stack:
            for lock in taken:
                if not lock.is_shared:
                    identity = (tenant, lock.key)
                    await self._turns.take(identity)
                    stack.callback(self._turns.give, identity)
            yield


class _Again(Exception):
    """What a write was made ready for is so no more."""


def _pinned(changes: Sequence[Change], checked: Sequence[Change]) -> bool:
    """Say whether any version was looked at here, rather than named by the client."""
    return any(
        one.is_pinned or one.if_match != other.if_match
        for one, other in zip(changes, checked, strict=True)
    )


def _about(tenant: Tenant, condition: Condition, matches: Matches) -> About:
    query = condition.query
    return About(
        type_number(query.resource_type),
        patients=sorted({rid for match in matches for rid in match.patients}),
        detail=seal_detail(tenant, query.understood),
        interaction=Interaction.SEARCH_TYPE,
    )
