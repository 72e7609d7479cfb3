"""Versions, current or superseded, judged in memory: who may see them, and what they say."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from polyclinic.base.db.connect import Record
from polyclinic.kernel.search.custom.parameters import CustomParameters
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.checking import Checker, facts
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.types import Resource, parse, type_name

Row: TypeAlias = Record | Mapping[str, Any]
"""Columns by name: those that ``bodies.sealed_body`` and ``checking.facts`` take, and more."""

_AT_ONCE: Final = 100
"""Versions that are opened before others get a turn."""


class Opened(NamedTuple):
    """A version with what it says."""

    row: Row
    facts: Facts


class Versions:
    """Look at versions of one tenant's resources."""

    def __init__(self, checker: Checker, bodies: Bodies) -> None:
        self._checker = checker
        self._bodies = bodies

    async def reached(
        self, tenant: int, reaches: Mapping[str, Reach], rows: Iterable[Row]
    ) -> list[Row]:
        """Return those of some rows that a principal may see, by its reach of each type."""
        given = list(rows)
        cared: frozenset[int] = frozenset()
        for reach in {reach for reach in reaches.values() if reach.asks_care}:
            patients = {rid for row in given for rid in row["patients"]}
            cared = await self._checker.cared(tenant, reach, patients)
        return [
            row
            for row in given
            if (reach := reaches[type_name(row["type"])]).whole or reach.allows(facts(row, cared))
        ]

    async def opened(
        self, tenant: int, rows: Sequence[Row], custom: CustomParameters
    ) -> list[Opened]:
        """Return rows with their resources; what was erased or cannot be opened is left out.

        ``custom`` are the search parameters that the tenant defined.
        """
        found: list[Opened] = []
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            bodies = await self._bodies.open(tenant, [sealed_body(row) for row in some])
            found += [
                Opened(row, _facts(parse(body), row["last_updated"], custom))
                for row, body in zip(some, bodies, strict=True)
                if isinstance(body, bytes) and body
            ]
            await asyncio.sleep(0)
        return found


def _facts(resource: Resource, at: datetime, custom: CustomParameters) -> Facts:
    return Facts(resource, at, extract(resource, custom=custom))
