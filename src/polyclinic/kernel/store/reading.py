"""Reads by id, coalesced, each with its audit row in the same round trip."""

from collections.abc import Sequence
from typing import NamedTuple

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Record
from polyclinic.kernel.errors import Erased, FhirError, Gone, NotFound
from polyclinic.kernel.store.audit import Counter
from polyclinic.kernel.store.bodies import Bodies, SealedBody
from polyclinic.kernel.store.coalesce import Coalescer
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.handles import Handle
from polyclinic.kernel.store.placement import Placement
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.types import type_name

_BATCH = 64


class Asked(NamedTuple):
    """One read."""

    tenant: int
    type: int
    id: str
    own: int
    """The rid of the only patient whose record may be read; 0 without that limit."""
    shared: bool
    """With that limit, what belongs to no patient may be read too."""
    account: int

    def reaches(self, patients: Sequence[int]) -> bool:
        """Say whether what belongs to these patients may be read."""
        return self.own == 0 or self.own in patients or (self.shared and not patients)


class Reader:
    """Read resources by type and id."""

    def __init__(
        self,
        pool: Connections,
        placement: Placement,
        counter: Counter,
        clock: Clock,
        bodies: Bodies,
    ) -> None:
        self._pool = pool
        self._bodies = bodies
        self._placement = placement
        self._counter = counter
        self._clock = clock
        self._coalescer: Coalescer[Asked, Stored] = Coalescer(self._run, largest=_BATCH)

    async def read(self, asked: Asked) -> Stored:
        """Return the current version.

        Raise ``NotFound``, also for what the principal may not see, and ``Gone``.
        """
        return await self._coalescer.submit(asked.tenant, asked)

    async def _run(self, tenant: int, batch: list[Asked]) -> list[Stored | BaseException]:
        numbers = self._counter.take(len(batch))
        types, ids, owns, shared, accounts = (
            [asked.type for asked in batch],
            [asked.id for asked in batch],
            [asked.own for asked in batch],
            [asked.shared for asked in batch],
            [asked.account for asked in batch],
        )
        try:
            with translated():
                rows = await self._pool.within(tenant).fetch(
                    STATEMENTS["read"],
                    *(tenant, types, ids, owns, accounts, numbers),
                    *(self._counter.worker, self._clock.now(), shared),
                )
        except BaseException as error:
            self._counter.failed(tenant, numbers, error)
            raise
        self._counter.wrote(tenant, len(batch))
        answers: list[Stored | BaseException] = [NotFound()] * len(batch)
        bodies = await self._bodies.open(tenant, [_sealed(batch[row[0] - 1], row) for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            at = row[0] - 1
            answers[at] = self._answer(tenant, batch[at], row, body)
        return answers

    def _answer(
        self, tenant: int, asked: Asked, row: Record, body: bytes | FhirError
    ) -> Stored | BaseException:
        _, rid, version, deleted, last_updated, digest, _, _, allowed, key_id, patients = row
        self._placement.handles.put(
            (tenant, asked.type, asked.id), Handle(rid, version, deleted, digest)
        )
        # Twice on purpose: in the statement, which audits it, and here.
        if not allowed or not asked.reaches(patients):
            return NotFound()
        if deleted:
            return Erased() if key_id else Gone()
        if isinstance(body, FhirError):
            return body
        return Stored(type_name(asked.type), asked.id, version, last_updated, deleted, body)


def _sealed(asked: Asked, row: Record) -> SealedBody:
    return SealedBody(asked.type, asked.id, row[2], row[9], row[6], row[7])
