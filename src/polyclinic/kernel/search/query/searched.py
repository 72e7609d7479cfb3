"""What is searched, and the parameters that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.query.limits import DEEPEST, Budget, refuse, shown
from polyclinic.kernel.types import RESOURCE_TYPES

AUDIT_EVENT: Final = "AuditEvent"
_RECORDED: Final = (
    "_id",
    "_lastUpdated",
    "action",
    "agent",
    "date",
    "entity",
    "outcome",
    "patient",
)
"""What AuditEvents are found by: they are audit rows, and have no index of their own."""

LIST: Final = SearchParameter(
    code="_list",
    type="reference",
    url="https://hl7.org/fhir/R4/search.html#list",
    expression="",
    targets=("List",),
    paths=(),
    composites=(),
    keyed_as="_list",
    resolves="List",
    implicit_system=None,
)
"""R4 describes it and defines no SearchParameter for it."""

_TYPES: Final = frozenset(RESOURCE_TYPES)


@cache
def supported_parameters(resource_type: str) -> tuple[SearchParameter, ...]:
    """Return the parameters of a type that a search can use, by code.

    Raise ``BadRequest`` when R4 has no such type.
    """
    found = parameters_of(resource_type)
    return tuple(found[code] for code in sorted(found))


@cache
def parameters_of(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a type; of AuditEvents those that audit rows are found by."""
    found = parameters(resource_type)
    if resource_type != AUDIT_EVENT:
        return found
    return MappingProxyType({code: found[code] for code in _RECORDED})


@lru_cache(maxsize=256)
def shared_parameters(types: tuple[str, ...]) -> Mapping[str, SearchParameter]:
    """Return the parameters that all of some types have, with the targets of all."""
    first, *others = (parameters_of(name) for name in types)
    found = {}
    for code, param in first.items():
        same = [other[code] for other in others if code in other]
        if len(same) == len(others) and all(_alike(param, other) for other in same):
            targets = dict.fromkeys(name for one in (param, *same) for name in one.targets)
            found[code] = replace(param, targets=tuple(targets))
    return MappingProxyType(found)


def _shared_custom(
    types: tuple[str, ...], code: str, custom: CustomParameters
) -> SearchParameter | None:
    """Return a parameter that a tenant defined, where it is the same for all of some types."""
    first, *others = (custom.find(name, code) for name in types)
    return first if all(one == first for one in others) else None


def _alike(one: SearchParameter, other: SearchParameter) -> bool:
    return one.type == other.type and one.components == other.components


def is_resource_type(name: str) -> bool:
    """Say whether R4 has such a type."""
    return name in _TYPES


class Endpoint(NamedTuple):
    """Where a search is asked."""

    base: str
    """The URL of this server's endpoint."""
    custom: CustomParameters = NONE
    """The search parameters that its tenant defined."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The types that a condition is about, at some depth of a chain."""

    types: tuple[str, ...]
    base: str
    """The URL of this server's endpoint, with a slash at its end."""
    depth: int = 0
    budget: Budget = field(default_factory=Budget)
    custom: CustomParameters = NONE

    @property
    def title(self) -> str:
        """Return the types for a message."""
        return listed(self.types)

    def find(self, code: str) -> SearchParameter | None:
        """Return a parameter that all the types have, or None."""
        if code == LIST.code:
            return LIST
        if len(self.types) == 1:
            return self.parameter(self.types[0], code)
        found = shared_parameters(self.types).get(code)
        if found is None and self.custom.own:
            return _shared_custom(self.types, code, self.custom)
        return found

    def parameter(self, resource_type: str, code: str) -> SearchParameter | None:
        """Return a parameter of a type, or None. Raise ``BadRequest`` when R4 has no such type."""
        found = parameters_of(resource_type).get(code)
        return found or self.custom.find(resource_type, code)

    def about(self, resource_type: str) -> "Searched":
        """Return the same of another type, as far as only its parameters are asked for."""
        return replace(self, types=(resource_type,))

    def within(self, resource_type: str) -> "Searched":
        """Return what a link leads to. Raise ``BadRequest`` when the chain gets too long."""
        if self.depth == DEEPEST:
            refuse(f"A chain has at most {DEEPEST} links; search in steps.")
        self.budget.link()
        return replace(self, types=(resource_type,), depth=self.depth + 1)


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return some names for a message, not too many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more
