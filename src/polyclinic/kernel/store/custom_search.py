"""Search parameters of a tenant, defined by the SearchParameter resources that it stores.

Their definitions are kept beside the resources, in the transaction that writes these, with the job
that files what was stored before.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from polyclinic.base.clock import Clock
from polyclinic.base.db.connect import Connection
from polyclinic.base.jobs.queue import NewJob, enqueue
from polyclinic.kernel.search.custom.changes import redefined
from polyclinic.kernel.search.custom.parameters import Stored
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.ending import Gates
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.prepared import Change
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_number

SEARCH_PARAMETER: Final = "SearchParameter"
REINDEX: Final = "store.reindex"
"""The kind of the job that makes index rows anew."""

_decode = msgspec.json.Decoder(Stored).decode


def defines(changes: Sequence[Change]) -> bool:
    """Say whether any change is of a SearchParameter."""
    return any(change.type == SEARCH_PARAMETER for change in changes)


def defining(tenant: Tenant, changes: Sequence[Change], gates: Gates, clock: Clock) -> Gates:
    """Return gates that take over what is defined, in the transaction that stores it.

    They raise ``InvalidResource`` for what cannot be used.
    """
    defined = [(one.id, one.resource) for one in changes if one.type == SEARCH_PARAMETER]
    held: list[tuple[int, Stored]] = []

    async def before(connection: Connection) -> None:
        if gates.before is not None:
            await gates.before(connection)
        await connection.execute(STATEMENTS["custom_search_make"], tenant.number)
        row = await connection.fetchrow(STATEMENTS["custom_search_held"], tenant.number)
        assert row is not None
        stored = _decode(row["document"])
        held[:] = [(row["number"], stored), (row["number"] + 1, redefined(stored, defined))]

    async def after(connection: Connection) -> None:
        if gates.after is not None:
            await gates.after(connection)
        (number, old), (raised, new) = held
        if new == old:
            return
        is_filed_alike = new.types == old.types
        await put(connection, tenant.number, number if is_filed_alike else raised, new)
        if not is_filed_alike:
            key = f"{REINDEX}/own/{raised}"
            await enqueue(connection, [NewJob(tenant.number, REINDEX, key=key)], clock)

    return Gates(before, after)


async def put(connection: Connection, tenant: int, number: int, stored: Stored) -> None:
    """Keep what a tenant defined."""
    wanted = {type_number(name): one.wanted for name, one in stored.types.items()}
    await connection.execute(
        STATEMENTS["custom_search_put"],
        *(tenant, number, msgspec.json.encode(wanted).decode(), msgspec.json.encode(stored)),
    )


async def look(pool: Connections, tenant: Tenant) -> None:
    """Know what a tenant has defined until now."""
    with translated():
        within = pool.within(tenant.number)
        row = await within.fetchrow(STATEMENTS["custom_search"], tenant.number)
    if row is not None:
        tenant.custom.learn(row)
