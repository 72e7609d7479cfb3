"""What of a SearchParameter resource decides about searches."""

from dataclasses import replace
from typing import Final

import msgspec

from polyclinic.kernel.search.elements import EMITTERS
from polyclinic.kernel.search.parameters import Component, Path, SearchParameter
from polyclinic.kernel.types import RESOURCE_TYPES

EVERY_TYPE: Final = tuple(name for name in RESOURCE_TYPES if name != "AuditEvent")
"""The types that a base of ``Resource`` stands for; AuditEvents are audit rows without an index."""
ABSTRACT: Final = {
    "Resource": EVERY_TYPE,
    "DomainResource": tuple(
        name for name in EVERY_TYPE if name not in {"Binary", "Bundle", "Parameters"}
    ),
}


class Part(msgspec.Struct, frozen=True):
    """One component of a composite."""

    code: str
    """The code of the parameter that the component is of."""
    type: str
    expression: str
    """Stands on an element that the composite's expression gives."""
    targets: tuple[str, ...] = ()
    gives: tuple[str, ...] | None = None


class Definition(msgspec.Struct, frozen=True):
    """A SearchParameter that is used."""

    id: str
    """Of the resource."""
    url: str
    code: str
    type: str
    base: tuple[str, ...]
    """Names of resource types; none is abstract."""
    expression: str
    targets: tuple[str, ...] = ()
    """The types that a reference may point to."""
    gives: tuple[str, ...] | None = None
    """The FHIR types of its values as far as its type can use them; None: known when it runs."""
    parts: tuple[Part, ...] = ()

    def parameter(self) -> SearchParameter:
        """Return the parameter as searches see it, the same for all of its types."""
        parts = tuple(_parameter(self.url, part) for part in self.parts)
        components = tuple(
            Component(f"{self.code}${at}", part.type, _paths(part), from_resource=False)
            for at, part in enumerate(self.parts)
        )
        found = _parameter(self.url, self)
        if not parts:
            return found
        return replace(found, paths=(_ELEMENT,), composites=(components,), parts=parts)


_ELEMENT: Final = Path((), "Element")


def _parameter(url: str, of: Definition | Part) -> SearchParameter:
    return SearchParameter(
        code=of.code,
        type=of.type,
        url=url,
        expression=of.expression,
        targets=(of.targets or RESOURCE_TYPES) if of.type == "reference" else (),
        paths=_paths(of),
        composites=(),
        keyed_as=of.code,
        resolves=None,
        implicit_system=None,
        custom=True,
    )


def _paths(of: Definition | Part) -> tuple[Path, ...]:
    """Return its types as paths, which say what modifiers it takes; values come otherwise."""
    gives = able(of.type) if of.gives is None else of.gives
    return tuple(Path((), name) for name in gives)


def able(kind: str) -> tuple[str, ...]:
    """Return the types that values of a type of parameter can be made of.

    A ContactPoint stands for the texts that it is found by, which are compared as they are.
    """
    found = {"string" if name == "ContactPoint" else name for one, name in EMITTERS if one == kind}
    return tuple(sorted(found))
