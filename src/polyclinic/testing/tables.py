"""The store's tables as their owner sees them, held against what the stored bodies say."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from polyclinic.base.db.connect import Connection, Record
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.store import Tenant
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.index import build
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.row import EMPTY, Index
from polyclinic.kernel.types import parse

_RESOURCES: Final = """
    select rid, type, id, version, deleted, key_id, dict_id, body, patients
    from resource where tenant = $1
"""
_INDEX: Final = {
    "keys": "select rid, unnest(keys) from keys where tenant = $1",
    "edges": "select src, param, dst from edge where tenant = $1",
    "words": "select rid, unnest(words) from keys where tenant = $1",
    "strings": "select rid, param, extreme, value, exact from string_value where tenant = $1",
    "dates": """
        select rid, param, extreme, low, high from date_value where tenant = $1 and extreme & 12 = 0
    """,
    "numbers": "select rid, param, extreme, unit, low, high from number_value where tenant = $1",
    "labels": "select rid, unnest(labels) from resource where tenant = $1 and not deleted",
    "care": "select source, practitioner, patient, low, high from care_relation where tenant = $1",
}
_VERSIONS: Final = "select rid, version from version where tenant = $1"
_AUDITED: Final = """
    select rid, version from audit where tenant = $1 and action in ('C', 'U', 'D')
    and outcome = 0
"""
_COUNTS: Final = """
    select type, sum(delta)::int as total from type_count where tenant = $1 group by type
"""

Rows = Counter[tuple[object, ...]]


async def faults(owner: Connection, tenant: Tenant, bodies: Bodies) -> list[str]:
    """Return what the tables of a tenant have that its resources do not explain, or lack.

    Looked at: index rows, dense versions, the audit row of every write, the counts of types.
    """
    resources = await owner.fetch(_RESOURCES, tenant.number)
    found = list(
        _differences("audit", _every_version(resources), await _rows(owner, _AUDITED, tenant))
    )
    found += _differences(
        "version", _older_versions(resources), await _rows(owner, _VERSIONS, tenant)
    )
    indexes = await _indexes(resources, tenant, bodies)
    for name, sql in _INDEX.items():
        expected = Counter(
            (rid, *(value if isinstance(value, tuple) else (value,)))
            for rid, index in indexes.items()
            for value in getattr(index, name)
        )
        found += _differences(name, expected, await _rows(owner, sql, tenant))
    found += [
        f"patients of {row['rid']}"
        for row in resources
        if row["version"] and not row["deleted"] and row["patients"] != indexes[row["rid"]].patients
    ]
    return found + _differences("counts", _counts(resources), await _counted(owner, tenant))


async def _rows(owner: Connection, sql: str, tenant: Tenant) -> Rows:
    return Counter(tuple(row) for row in await owner.fetch(sql, tenant.number))


def _every_version(resources: Iterable[Record]) -> Rows:
    return Counter(
        (row["rid"], version) for row in resources for version in range(1, row["version"] + 1)
    )


def _older_versions(resources: Iterable[Record]) -> Rows:
    return Counter(
        (row["rid"], version) for row in resources for version in range(1, row["version"])
    )


async def _indexes(resources: Iterable[Record], tenant: Tenant, bodies: Bodies) -> dict[int, Index]:
    """Return the index that each resource should have by its body."""
    rows = list(resources)
    rid_of: dict[Place, int] = {(row["type"], row["id"]): row["rid"] for row in rows}
    custom = tenant.custom.now
    opened = await bodies.open(
        tenant.number,
        [sealed_body(row) for row in rows],
    )
    return {
        row["rid"]: build(extract(parse(body), custom=custom), tenant.index_key, rid_of)
        if isinstance(body, bytes) and body
        else EMPTY
        for row, body in zip(rows, opened, strict=True)
    }


def _counts(resources: Iterable[Record]) -> Rows:
    present = Counter(row["type"] for row in resources if row["version"] and not row["deleted"])
    return Counter(dict.fromkeys(present.items(), 1))


async def _counted(owner: Connection, tenant: Tenant) -> Rows:
    rows = await owner.fetch(_COUNTS, tenant.number)
    return Counter({(row["type"], row["total"]): 1 for row in rows if row["total"]})


def _differences(name: str, expected: Rows, stored: Rows) -> list[str]:
    missing = [f"{name} lacks {row}" for row in (expected - stored).elements()]
    return missing + [f"{name} has {row}" for row in (stored - expected).elements()]
