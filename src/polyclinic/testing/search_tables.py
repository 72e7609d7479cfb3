"""Tables of any size for the plans of searches: patients and observations with no content.

What ``search_shapes`` asks for is there, as often as it would be: some codes are seldom, some
values everybody has.
"""

from collections.abc import Iterator
from typing import Any, Final

from polyclinic.base.db.connect import Connection
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import InCompartment, Missing, Predicate, RefersTo, TokenIs
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.numbers import edge_number, param_number
from polyclinic.kernel.types import type_number
from polyclinic.testing.search_shapes import KEY

_CODES: Final = 40
_RESOURCES: Final = """
insert into resource (rid, tenant, type, version, id, last_updated, patients, body)
select $1 + g, 1, $2, 1, $3 || g, timestamptz 'epoch' + g * interval '1 second',
  array[g % $4], repeat('x', 300)::bytea from generate_series(0, $5::int - 1) g
"""
_KEYS: Final = """
insert into keys (rid, tenant, type, index_version, index_digest, keys)
select $1 + g, 1, $2, 1, 0,
  $4::bigint[] || ($5::bigint[])[1 + g % $6] || ($7::bigint[])[1 + g % $3]
  || ($8::bigint[])[1 + g % $3] from generate_series(0, $9::int - 1) g
"""
_DATES: Final = """
insert into date_value (rid, subject, low, high, tenant, param, extreme)
select $1 + g, g % $2, g * 3600000000, g * 3600000000 + 1, 1, $3, 3
from generate_series(0, $4::int - 1) g
"""
_NUMBERS: Final = """
insert into number_value (rid, unit, low, high, tenant, param, extreme)
select $1 + g, g % 20, g % 1000, g % 1000 + 0.5, 1, $2, 3 from generate_series(0, $3::int - 1) g
"""
_EDGES: Final = """
insert into edge (src, dst, tenant, param)
select $1 + g, 1 + g % $2, 1, $3 from generate_series(0, $4::int - 1) g
"""
_STRINGS: Final = """
insert into string_value (rid, tenant, param, extreme, value)
select 1 + g, 1, $1, 3, substr(md5(g::text), 1, 8) from generate_series(0, $2::int - 1) g
"""


async def fill(connection: Connection, patients: int, observations: int) -> None:
    """Fill empty tables, as their owner, and let the planner know."""
    for sql, arguments in _statements(patients, observations):
        await connection.execute(sql, *arguments)
    await connection.execute("vacuum analyze")


def _statements(patients: int, observations: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    person, observed = type_number("Patient"), type_number("Observation")
    first = patients + 1
    yield _RESOURCES, (1, person, "p", patients, patients)
    yield _RESOURCES, (first, observed, "o", patients, observations)
    female = [_token("Patient", "gender", None, "female")]
    yield _KEYS, (1, person, patients, _keys("Patient", *female), [0], 1, [0], [0], patients)
    yield _KEYS, (first, observed, patients, *_observed(patients), observations)
    yield _DATES, (first, patients, param_number("Observation", "date"), observations)
    yield _DATES, (1, patients, param_number("Patient", "birthdate"), patients)
    yield _NUMBERS, (first, param_number("Observation", "value-quantity"), observations)
    yield _EDGES, (first, patients, edge_number("Observation", "subject"), observations)
    for code in ("name", "family", "given", "address-city"):
        yield _STRINGS, (param_number("Patient", code), patients)


def _observed(patients: int) -> tuple[Any, ...]:
    """Return the keys that all observations have, those of codes, of subjects and compartments."""
    known = parameters("Observation")
    everywhere = _keys(
        "Observation",
        _token("Observation", "status", None, "final"),
        _token("Observation", "category", None, "laboratory"),
        Missing(known["code"], missing=False),
    )
    codes = [
        key
        for one in range(_CODES)
        for key in _keys("Observation", _token("Observation", "code", "urn:c", f"c{one}"))
    ]
    people = [f"p{one}" for one in range(patients)]
    refers = [RefersTo(known["patient"], "Patient", one) for one in people]
    belongs = [InCompartment("Patient", one) for one in people]
    owned = _keys("Observation", *refers), _keys("Observation", *belongs)
    return everywhere, codes, _CODES, *owned


def _keys(resource_type: str, *parts: Predicate) -> list[int]:
    made = QueryKeys(KEY, resource_type)
    return [key for part in parts for key in made.of(part) or ()]


def _token(resource_type: str, code: str, system: str | None, value: str) -> TokenIs:
    return TokenIs(parameters(resource_type)[code], system, value)
