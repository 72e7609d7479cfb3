"""What an app was granted: scopes of SMART App Launch 2.2 and of its first version.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from polyclinic.kernel.access.policy import Verb, conditions
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import Predicate
from polyclinic.kernel.types import RESOURCE_TYPES

_SCOPE: Final = re.compile(
    r"(patient|user|system)/([A-Za-z]+|\*)\.(c?r?u?d?s?|read|write|\*)(?:\?([^\s]+))?"
)
_FIRST_VERSION: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_TYPES: Final = frozenset(RESOURCE_TYPES)


class Scope(NamedTuple):
    """What one scope grants of one type."""

    context: str
    """patient, user or system."""
    where: tuple[Predicate, ...]


@lru_cache(maxsize=4096)
def granted(
    scopes: tuple[str, ...], verb: Verb, resource_type: str, *, searching: bool
) -> tuple[Scope, ...]:
    """Return what some scopes allow of a type; what is no scope of resources allows nothing."""
    letter = "s" if searching else verb.value[0]
    found: list[Scope] = []
    for text in scopes:
        match = _SCOPE.fullmatch(text)
        if match is None or match[2] not in (resource_type, "*") or resource_type not in _TYPES:
            continue
        if letter not in _FIRST_VERSION.get(match[3], match[3]):
            continue
        try:
            where = conditions(resource_type, match[4]) if match[4] else ()
        except BadRequest:
            # A condition that cannot be checked must not be dropped: it would grant more.
            continue
        found.append(Scope(match[1], where))
    return tuple(found)
