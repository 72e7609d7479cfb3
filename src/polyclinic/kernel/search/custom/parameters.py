"""All search parameters that one tenant defined, and how far its resources are filed by them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from polyclinic.kernel.search.custom.definition import Definition
from polyclinic.kernel.search.custom.values import Extraction, extraction
from polyclinic.kernel.search.gathered import Gathered
from polyclinic.kernel.search.own_parameters import Own, own_of
from polyclinic.kernel.search.parameters import SearchParameter


class Progress(msgspec.Struct, frozen=True):
    """How far the resources of one type are filed."""

    wanted: int
    """Raised whenever the parameters of the type change."""
    complete: int = 0
    """The last of these numbers by which every resource was filed."""
    waiting: int | None = None
    """Resources that are still to be filed, when they were last counted."""


class Stored(msgspec.Struct, frozen=True):
    """What is kept of a tenant's parameters."""

    definitions: tuple[Definition, ...] = ()
    types: dict[str, Progress] = {}
    """By resource type; also of those that have no parameter any more."""
    since: dict[str, dict[str, int]] = {}
    """By id of a definition and type, the number from which on it is used."""
    faults: dict[str, int] = {}
    """By id of a definition, the resources that it could not be evaluated on, as last counted."""


class CustomParameters:
    """The parameters that a tenant defined; never changed, but replaced by others."""

    def __init__(self, stored: Stored, revision: int = 0, number: int = 0) -> None:
        self.stored = stored
        self.revision = revision
        """Raised with every change, of progress too."""
        self.number = number
        """Raised when what resources are filed by changes; a write says by which it was made."""
        by_type = defaultdict[str, list[Definition]](list)
        for one in stored.definitions:
            for name in one.base:
                by_type[name].append(one)
        parameters = {one.id: one.parameter() for one in stored.definitions}
        made = {one.id: extraction(one) for one in stored.definitions}
        self.own: Mapping[str, Own] = {
            name: own_of(
                name,
                stored.types[name].wanted,
                {one.code: parameters[one.id] for one in by_type[name]},
            )
            for name in stored.types
        }
        """By type, also of those whose parameters are gone: their rows have a number too."""
        self._extractions: Mapping[str, Sequence[Extraction]] = {
            name: [made[one.id] for one in found] for name, found in by_type.items()
        }
        self._definitions = {
            (name, one.code): one for name, found in by_type.items() for one in found
        }

    def of(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """Return the parameters of a type by code, without those of R4."""
        own = self.own.get(resource_type)
        return {} if own is None else own.parameters

    def find(self, resource_type: str, code: str) -> SearchParameter | None:
        """Return a parameter of a type, or None."""
        own = self.own.get(resource_type)
        return None if own is None else own.parameters.get(code)

    def gather(self, resource_type: str, content: Any, out: Gathered) -> None:
        """Add the rows of a resource's content; what cannot be made is noted."""
        for one in self._extractions.get(resource_type, ()):
            one.run(content, out)

    def number_of(self, resource_type: str) -> int:
        """Return the number by which resources of a type are filed; 0 where none ever was."""
        progress = self.stored.types.get(resource_type)
        return 0 if progress is None else progress.wanted

    def waiting(self, resource_type: str, code: str) -> Progress | None:
        """Return how far a parameter is, while resources of the type are not filed by it yet."""
        definition = self._definitions[resource_type, code]
        progress = self.stored.types[resource_type]
        is_complete = self.stored.since[definition.id][resource_type] <= progress.complete
        return None if is_complete else progress

    def faults(self, resource_type: str, code: str) -> int:
        """Return on how many resources a parameter could not be evaluated, as last counted."""
        return self.stored.faults.get(self._definitions[resource_type, code].id, 0)


NONE: Final = CustomParameters(Stored())
"""Of a tenant that defined nothing."""
