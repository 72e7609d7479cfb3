"""From a value set to its codes, https://hl7.org/fhir/R4/valueset.html#expansion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from polyclinic.kernel.errors import BadRequest, TooCostly
from polyclinic.kernel.terminology.codes import Code, Codes
from polyclinic.kernel.terminology.definitions import Definitions
from polyclinic.kernel.terminology.hierarchy import Hierarchy
from polyclinic.kernel.terminology.standard import standard_codes

MOST_CODES: Final = 2_000
"""Codes that a search looks for in the place of one value set or code."""

_DEEPEST: Final = 8
"""Value sets that include one another."""

Json = Mapping[str, Any]


async def hierarchy(definitions: Definitions, system: str) -> Hierarchy:
    """Return the hierarchy of a code system. Raise ``BadRequest`` when it is not stored here."""
    found = await definitions.find("CodeSystem", system)
    if found is None:
        message = f"No CodeSystem {system[:200]} is stored here; store it, or name the codes."
        raise BadRequest(message)
    return Hierarchy(found)


async def expanded(definitions: Definitions, url: str, depth: int = 0) -> Codes:
    """Return the codes of a value set: of a stored one, or of one that R4 itself requires.

    Raise ``BadRequest`` when it is not stored here or is made by rules that are not known, and
    ``TooCostly`` when it has over ``MOST_CODES`` codes.
    """
    if depth > _DEEPEST:
        message = f"{url[:200]}: over {_DEEPEST} value sets include one another."
        raise BadRequest(message)
    value_set = await definitions.find("ValueSet", url)
    if value_set is None and (standard := standard_codes(url)) is not None:
        return standard
    if value_set is None:
        message = f"No ValueSet {url[:200]} is stored here; store it, or name the codes."
        raise BadRequest(message)
    found = await _composed(definitions, value_set, depth)
    if len(found.named) > MOST_CODES:
        message = f"{url[:200]} has over {MOST_CODES} codes; search for a smaller value set."
        raise TooCostly(message)
    return found


async def _composed(definitions: Definitions, value_set: Json, depth: int) -> Codes:
    compose = value_set.get("compose")
    if compose is None:
        contains = value_set.get("expansion", {}).get("contains", ())
        return Codes(frozenset(_contained(contains)))
    found = Codes()
    for part in compose.get("include", ()):
        found |= await _part(definitions, part, depth)
    for part in compose.get("exclude", ()):
        found = await _without(definitions, found, await _part(definitions, part, depth))
    return found


def _contained(contains: Sequence[Json]) -> Iterator[Code]:
    waiting = list(contains)
    while waiting:
        one = waiting.pop()
        waiting.extend(one.get("contains", ()))
        if "code" in one and not one.get("abstract"):
            yield one.get("system", ""), one["code"]


async def _part(definitions: Definitions, part: Json, depth: int) -> Codes:
    """Return what one include or exclude names: what all that it says has in common."""
    found = [await expanded(definitions, url, depth + 1) for url in part.get("valueSet", ())]
    if "system" in part:
        found.append(await _of_system(definitions, part))
    first, *others = found or [Codes()]
    for one in others:
        first &= one
    return first


async def _of_system(definitions: Definitions, part: Json) -> Codes:
    system: str = part["system"]
    if "concept" in part:
        return Codes(frozenset((system, one["code"]) for one in part["concept"]))
    if "filter" not in part:
        return Codes(systems=frozenset({system}))
    known = await hierarchy(definitions, system)
    codes = known.codes
    for one in part["filter"]:
        codes &= _filtered(known, one)
    return Codes(frozenset((system, code) for code in codes))


def _filtered(known: Hierarchy, rule: Json) -> frozenset[str]:
    """Return the codes that a rule chooses, https://hl7.org/fhir/R4/valueset-filter-operator.html."""
    value: str = rule.get("value", "")
    if rule.get("property") in ("concept", "code"):
        match rule.get("op"):
            case "is-a":
                return known.related(value, "below")
            case "descendent-of":
                return known.related(value, "below") - {value}
            case "is-not-a":
                return known.codes - known.related(value, "below")
            case "generalizes":
                return known.related(value, "above")
            case "in" | "=":
                return known.codes & frozenset(value.split(","))
            case "not-in":
                return known.codes - frozenset(value.split(","))
            case _:
                pass
    message = (
        f"A value set chooses codes of {known.url[:200]} by {str(rule.get('property'))[:64]} "
        f"{str(rule.get('op'))[:64]}, which is not known here; store its codes by name."
    )
    raise BadRequest(message)


async def _without(definitions: Definitions, found: Codes, excluded: Codes) -> Codes:
    """Return what is left; a system of which some codes are excluded has to be known."""
    partly = {system for system, _ in excluded.named} & (found.systems - excluded.systems)
    for system in partly:
        known = await hierarchy(definitions, system)
        named = frozenset((system, code) for code in known.codes)
        found = Codes(found.named | named, found.systems - {system})
    return found.without(excluded.named, excluded.systems)
