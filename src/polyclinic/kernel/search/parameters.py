"""The search parameters of R4, by resource type.

The tables are made by ``tools/search_tables.py``: each FHIRPath expression of the standard is there
already followed through the definitions, as the JSON properties it passes and the type at its end.

https://hl7.org/fhir/R4/searchparameter-registry.html
https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from types import MappingProxyType
from typing import Final

import msgspec

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.types import RESOURCE_TYPES

_TABLES: Final = File(__file__).parent / "tables"
_URL: Final = "http://hl7.org/fhir/SearchParameter/"

COLUMN_PARAMETERS: Final = frozenset({"_id", "_lastUpdated"})
"""Parameters that the store answers from columns of its own: no index value is extracted."""

COMPARTMENTS: Final = ("Patient", "Encounter", "Practitioner", "RelatedPerson", "Device")
"""The types whose resources have compartments."""

WORD_PARAMETERS: Final = frozenset({"_text", "_content"})
"""Parameters over words, which ``words`` takes from a resource."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One JSON property on the way to a value."""

    name: str
    many: bool = False
    where: tuple[str, str] | None = None
    """Only list items whose property (first) is this string (second)."""
    first: bool = False
    """Only the first item of the list."""


class Path(msgspec.Struct, frozen=True, array_like=True):
    """One way from a resource, or from an element of a composite, to values of one type."""

    steps: tuple[Step, ...]
    type: str
    """The FHIR type at the end: ``CodeableConcept``, ``Observation.component``."""
    system: str | None = None
    """The code system implied for a ``code`` or ``boolean``."""
    resolves: str | None = None
    """Only references to this type."""
    exists: bool = False
    """The value is whether the element is there and not false."""


class Component(msgspec.Struct, frozen=True, array_like=True):
    """One part of a composite parameter."""

    code: str
    type: str
    paths: tuple[Path, ...]
    from_resource: bool
    """The paths start at the resource rather than at the composite's element."""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    code: str
    type: str
    name: str
    expression: str
    targets: tuple[str, ...]
    paths: tuple[Path, ...]
    composites: tuple[tuple[Component, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one resource type."""

    code: str
    """The name in a query: ``birthdate``."""
    type: str
    """number, date, string, token, reference, composite, quantity, uri or special."""
    url: str
    """The canonical URL of the definition."""
    expression: str
    """The FHIRPath expression, for documentation."""
    targets: tuple[str, ...]
    """The types that a reference may point to; all of R4 where the standard says any."""
    paths: tuple[Path, ...]
    """Where the values are; for a composite, the elements that hold its components."""
    composites: tuple[tuple[Component, ...], ...]
    """For each path of a composite, its components in the order of a query."""
    keyed_as: str
    """The parameter under whose code the hashed keys stand: itself, or one over the same elements.

    ``patient`` of an Observation shares the keys of ``subject``, which halves them.
    """
    resolves: str | None
    """The only type of resource that the references may point to, where the paths say so."""
    implicit_system: str | None
    """The code system of all its values where these are plain codes: it need not be hashed."""
    custom: bool = False
    """Whether a tenant defined it: its values come by its expression, its paths say their types."""
    parts: tuple["SearchParameter", ...] = ()
    """Of a composite that a tenant defined, the parameters of its components."""

    @property
    def components(self) -> tuple[tuple[str, str], ...]:
        """Return the code and type of each component of a composite."""
        found = self.composites[0] if self.composites else ()
        return tuple((component.code, component.type) for component in found)


@cache
def _tables() -> Mapping[str, tuple[str, tuple[_Row, ...]]]:
    data = (_TABLES / "parameters.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, tuple[str, tuple[_Row, ...]]])


@cache
def _compartments() -> Mapping[str, Mapping[str, frozenset[str]]]:
    data = (_TABLES / "compartments.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, frozenset[str]]])


@cache
def parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the search parameters of a resource type by code, those of every resource included.

    Raise BadRequest when R4 has no such type.
    """
    tables = _tables()
    if resource_type not in tables or resource_type in {"Resource", "DomainResource"}:
        message = f"R4 has no resource type {resource_type[:64]!r}."
        raise BadRequest(message)
    base, own = tables[resource_type]
    rows = {row.code: row for row in tables["Resource"][1]}
    if base != "Resource":
        rows |= {row.code: row for row in tables[base][1]}
    rows |= {row.code: row for row in own}
    shared = _shared(rows)
    return MappingProxyType({code: _parameter(row, shared[code]) for code, row in rows.items()})


def compartment_parameters(resource_type: str, owner: str = "Patient") -> frozenset[str]:
    """Return the codes of the parameters that put such a resource into an owner's compartment.

    ``owner`` is one of ``COMPARTMENTS``. The owner itself is in its compartment by none of them.
    """
    return _compartments()[owner].get(resource_type, frozenset())


def in_compartments(resource_type: str, owner: str) -> bool:
    """Say whether resources of a type can be in the compartments of an owner's type."""
    return resource_type == owner or bool(compartment_parameters(resource_type, owner))


def _shared(rows: Mapping[str, _Row]) -> dict[str, str]:
    """Return, per parameter, the one whose keys it shares: same type, same elements."""
    found: dict[object, str] = {}
    shared: dict[str, str] = {}
    for row in sorted(rows.values(), key=lambda row: (_only_type(row) is not None, row.code)):
        ways = frozenset((path.steps, path.type, path.exists) for path in row.paths)
        unique = row.type not in {"token", "reference", "uri"} or not ways
        shared[row.code] = row.code if unique else found.setdefault((row.type, ways), row.code)
    return shared


def _only_type(row: _Row) -> str | None:
    resolved = {path.resolves for path in row.paths}
    return resolved.pop() if len(resolved) == 1 else None


def _parameter(row: _Row, keyed_as: str) -> SearchParameter:
    systems = {path.system for path in row.paths}
    only = _only_type(row)
    targets = RESOURCE_TYPES if row.targets == ("Resource",) else row.targets
    return SearchParameter(
        code=row.code,
        type=row.type,
        url=_URL + row.name,
        expression=row.expression,
        targets=(only,) if only else tuple(targets),
        paths=row.paths,
        composites=row.composites,
        keyed_as=keyed_as,
        resolves=only,
        implicit_system=systems.pop() if row.type == "token" and len(systems) == 1 else None,
    )
