"""Searches that go along references: chains, ``_has``, what comes along with the matches.

https://hl7.org/fhir/R4/search.html#chaining
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.conditions import Pair, whatever
from polyclinic.testing.isolation.defined import known
from polyclinic.testing.isolation.population import THEIRS

_LENGTHS: Final = (1, 1, 1, 2, 3)
_ENDS: Final = (*THEIRS, "b-left", "b-left", "b-gone", "b-gone")
"""Others' ids; those that the asker's resources refer to, and that refer to them, more often."""
_FAMILIAR: Final = ("Patient", "Observation", "Encounter", "Provenance", "Practitioner")
"""Types to go to rather than to others: of these there is most."""


def chain(chance: Chance, resource_type: str) -> Pair:
    """Return a condition on what a resource refers to, or on what that refers to in turn."""
    name, at = "", resource_type
    for _ in range(chance.choice(_LENGTHS)):
        links = _open(chance, at)
        if not links:
            break
        code = chance.choice(list(links))
        target = _preferred(chance, links[code])
        is_named = len(links[code]) < len(_links(at)[code]) or chance.happens(0.8)
        name += f"{code}:{target}." if is_named else f"{code}."
        at = target
    inner, value = _at_end(chance, at)
    return f"{name}{inner}", value


def has(chance: Chance, resource_type: str) -> Pair:
    """Return a condition on what refers to a resource, or to that in turn."""
    name, at = "", resource_type
    for _ in range(chance.choice((1, 1, 2))):
        links = [one for one in _referring(at) if one[0] not in chance.avoids]
        if not links:
            break
        source, code = chance.choice(links)
        name += f"_has:{source}:{code}:"
        at = source
    inner, value = chain(chance, at) if chance.happens(0.2) else _at_end(chance, at)
    return f"{name}{inner}", value


def _at_end(chance: Chance, resource_type: str) -> Pair:
    """Return a condition on the last resource; on its id it tells whether that is there."""
    return ("_id", chance.choice(_ENDS)) if chance.happens(0.4) else whatever(chance, resource_type)


def along(chance: Chance, resource_type: str) -> list[Pair]:
    """Return what is to come along with the matches."""
    found = [_included(chance, resource_type), _reverse(chance, resource_type)]
    if not chance.avoids and chance.happens(0.3):
        found.append((f"_include{chance.choice((':iterate', ''))}", f"{resource_type}:*"))
    if not chance.avoids and chance.happens(0.2):
        found.append((chance.choice(("_include", "_revinclude")), "*"))
    return chance.sample(found, chance.randint(1, len(found)))


def _included(chance: Chance, resource_type: str) -> Pair:
    links = _open(chance, resource_type)
    if not links:
        return "_include:iterate", "Encounter:patient:Patient"
    code = chance.choice(list(links))
    is_named = len(links[code]) < len(_links(resource_type)[code]) or chance.happens(0.3)
    target = f":{_preferred(chance, links[code])}" if is_named else ""
    return chance.choice(("_include", "_include:iterate")), f"{resource_type}:{code}{target}"


def _reverse(chance: Chance, resource_type: str) -> Pair:
    links = [one for one in _referring(resource_type) if one[0] not in chance.avoids]
    if not links:
        return "_revinclude:iterate", "Observation:patient"
    source, code = chance.choice(links)
    return chance.choice(("_revinclude", "_revinclude:iterate")), f"{source}:{code}"


def _open(chance: Chance, resource_type: str) -> Mapping[str, Sequence[str]]:
    """Return the references of a type to what may be gone to."""
    every = _links(resource_type)
    found = {
        code: [one for one in targets if one not in chance.avoids]
        for code, targets in every.items()
    }
    return {code: targets for code, targets in found.items() if targets}


@cache
def _links(resource_type: str) -> Mapping[str, Sequence[str]]:
    """Return the references of a type, and what they may point to."""
    return {
        code: led_to(param)
        for code, param in known(resource_type).items()
        if param.type == "reference" and led_to(param)
    }


@cache
def _referring(resource_type: str) -> Sequence[tuple[str, str]]:
    """Return the types and their parameters that may refer to a type.

    Those that do in the population, and those of familiar types, stand there more often.
    """
    found = [
        (source, code)
        for source in RESOURCE_TYPES
        for code, targets in _links(source).items()
        if resource_type in targets
    ]
    often = [one for one in found if _first(_links(one[0])[one[1]]) == resource_type]
    return [*found, *often * 5, *(one for one in found if one[0] in _FAMILIAR)]


def _first(targets: Sequence[str]) -> str | None:
    """Return the type that the population refers to: the first that is no patient."""
    return next((name for name in targets if name != "Patient"), None)


def _preferred(chance: Chance, targets: Sequence[str]) -> str:
    first = _first(targets)
    if first and chance.happens(0.4):
        return first
    familiar = [name for name in targets if name in _FAMILIAR]
    return chance.choice(familiar if familiar and chance.happens(0.7) else targets)
