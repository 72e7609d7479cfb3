"""From the values of a resource to index rows, and from a query to the same hashes."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final
from zlib import crc32

from polyclinic.kernel.search.hashing import (
    compartment_key,
    hash_keys,
    label_keys,
    present_key,
    reference_key,
    token_key,
    uri_key,
)
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import (
    SearchParameter,
    compartment_parameters,
    parameters,
)
from polyclinic.kernel.search.predicate import (
    InCompartment,
    Missing,
    Predicate,
    RefersTo,
    TokenIs,
    UriIs,
)
from polyclinic.kernel.store.care import relations
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.row import Index
from polyclinic.kernel.types import type_number

LOWEST: Final = 1
HIGHEST: Final = 2


@cache
def param_number(resource_type: str, code: str) -> int:
    """Return the number that a parameter has in index rows; a test sees that none collide."""
    return crc32(f"{resource_type}.{code}".encode()) - 2**31


@cache
def edge_number(resource_type: str, code: str) -> int:
    """Return the number of a reference parameter in edges.

    Parameters over the same element, such as ``patient`` and ``subject``, share theirs.
    """
    return param_number(resource_type, parameters(resource_type)[code].keyed_as)


@cache
def _place_type(name: str) -> int:
    return type_number(name)


def targets(values: IndexValues) -> set[Place]:
    """Return what a resource refers to, with the patients whose compartments it is in."""
    found = {(_place_type(value.target), value.id) for value in values.references}
    if values.patients:
        patient = _place_type("Patient")
        found.update((patient, one) for one in values.patients)
    return found


def build(values: IndexValues, key: bytes, rid_of: Mapping[Place, int]) -> Index:
    """Return the index rows of a resource whose targets have rids."""
    resource_type = values.resource_type
    patient = _place_type("Patient")
    return Index(
        patients=sorted(rid_of[patient, one] for one in values.patients),
        keys=hash_keys(values, resource_type, key),
        edges=sorted(
            {
                (
                    edge_number(resource_type, value.param),
                    rid_of[_place_type(value.target), value.id],
                )
                for value in values.references
            }
        ),
        strings=_marked(
            (param_number(resource_type, value.param), value.normalised) for value in values.strings
        ),
        dates=_marked(
            (param_number(resource_type, value.param), value.low, value.high)
            for value in values.dates
        ),
        numbers=_numbers(values, resource_type, key),
        labels=label_keys(values, resource_type, key),
        care=[
            (rid_of[one.staff], rid_of[patient, one.patient], one.low, one.high)
            for one in relations(values)
        ],
    )


def _numbers(
    values: IndexValues, resource_type: str, key: bytes
) -> list[tuple[int, int, int, float, float]]:
    """Return the rows of numbers and quantities; a quantity stands under its unit."""
    if not values.numbers and not values.quantities:
        return []
    rows: list[tuple[int, float, float, int]] = [
        (param_number(resource_type, value.param), value.low, value.high, 0)
        for value in values.numbers
    ]
    for quantity in values.quantities:
        unit = unit_number(quantity.system, quantity.code, key) if quantity.code else 0
        param = param_number(resource_type, quantity.param)
        rows.append((param, quantity.low, quantity.high, unit))
    return [(param, mark, unit, low, high) for param, mark, low, high, unit in _marked(rows)]


@lru_cache(maxsize=4096)
def unit_number(system: str | None, code: str, key: bytes) -> int:
    """Return the number that a unit has in index rows, never 0."""
    text = f"unit|{system or ''}|{code}".encode()
    return int.from_bytes(blake2b(text, digest_size=8, key=key).digest(), "big", signed=True) or 1


def _marked(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Sort rows of (parameter, value, ...) and mark each parameter's lowest and highest.

    The mark comes second. A sort of resources reads only marked rows, and so meets each once.
    """
    ordered = sorted(set(rows))
    last = len(ordered) - 1
    return [
        (
            row[0],
            (LOWEST if at == 0 or ordered[at - 1][0] != row[0] else 0)
            | (HIGHEST if at == last or ordered[at + 1][0] != row[0] else 0),
            *row[1:],
        )
        for at, row in enumerate(ordered)
    ]


class QueryKeys:
    """The hashes of a query's values for one type or several, under one tenant's key."""

    def __init__(self, key: bytes, *types: str) -> None:
        self._key = key
        self.types = types

    def about(self, *types: str) -> "QueryKeys":
        """Return the hashes for other types."""
        return QueryKeys(self._key, *types)

    def of(self, part: Predicate) -> list[int] | None:
        """Return the keys of which a match has one or more; None for what is not hashed."""
        match part:
            case TokenIs(param, system, code):
                return [token_key(one, param, system, code, self._key) for one in self.types]
            case RefersTo(param, target, identity):
                return [
                    reference_key(one, param, target, identity, self._key) for one in self.types
                ]
            case UriIs(param, uri):
                return [uri_key(one, param, uri, self._key) for one in self.types]
            case Missing(param, missing=False):
                return self.present(param)
            case InCompartment(owner, identity):
                return [key for one in self.types for key in self._tied(one, owner, identity)]
            case _:
                return None

    def _tied(self, resource_type: str, owner: str, identity: str) -> Iterable[int]:
        """Return the keys of what puts a resource into a compartment."""
        if owner == "Patient":
            yield compartment_key(resource_type, identity, self._key)
            return
        known = parameters(resource_type)
        for code in sorted(compartment_parameters(resource_type, owner)):
            yield reference_key(resource_type, known[code], owner, identity, self._key)

    def compartment(self, patient: str) -> list[int]:
        """Return the keys of what belongs to a patient."""
        return [compartment_key(one, patient, self._key) for one in self.types]

    def present(self, param: SearchParameter) -> list[int]:
        """Return the keys that stand for any value of a parameter."""
        return [present_key(one, param, self._key) for one in self.types]

    def unit(self, system: str | None, code: str) -> int:
        """Return the number of a unit."""
        return unit_number(system, code, self._key)

    def params(self, param: SearchParameter) -> list[int]:
        """Return the numbers of a parameter."""
        return [param_number(one, param.code) for one in self.types]
