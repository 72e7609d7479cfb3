"""From a SearchParameter resource to what searches do with it; what they cannot use is refused.

Every fault is named at once, each with its element.
https://hl7.org/fhir/R4/searchparameter-definitions.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import msgspec

from polyclinic.kernel import fhirpath
from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.fhirpath import FhirPathError
from polyclinic.kernel.search.custom.definition import ABSTRACT, EVERY_TYPE, Definition, Part, able
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import RESOURCE_TYPES, Resource

MOST: Final = 64
"""Parameters that a tenant may have in use: each write of their types evaluates them."""
MOST_PARTS: Final = 4
"""Components of a composite."""

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}")
_TYPES: Final = ("token", "reference", "uri", "string", "date", "number", "quantity")
_TIED: Final = ("token", "reference", "uri", "number", "quantity")
"""What a component of a composite may be: dates and strings have no rows by element."""
_MOMENTARY: Final = frozenset({"now", "today", "timeOfDay"})
_SYSTEM: Final = {
    "Boolean": "boolean",
    "String": "string",
    "Integer": "integer",
    "Decimal": "decimal",
    "Date": "date",
    "DateTime": "dateTime",
}


class _Component(msgspec.Struct):
    definition: str = ""
    expression: str = ""


class _Body(msgspec.Struct):
    id: str = ""
    url: str = ""
    status: str = ""
    code: str = ""
    base: tuple[str, ...] = ()
    type: str = ""
    expression: str = ""
    xpathUsage: str = "normal"  # noqa: N815 - FHIR's name
    target: tuple[str, ...] = ()
    component: tuple[_Component, ...] = ()


@dataclass(slots=True)
class _Reading:
    """A resource while it is looked at."""

    body: _Body
    others: Mapping[str, Definition]
    """The tenant's other definitions by id."""
    issues: list[Issue] = field(default_factory=list)

    def refuse(self, element: str, message: str, code: str = "not-supported") -> None:
        self.issues.append(Issue(code, message, f"SearchParameter.{element}"))


def definition_of(resource: Resource, others: Mapping[str, Definition]) -> Definition | None:
    """Return what a SearchParameter defines; None for one that is not active, or is of R4 itself.

    ``others`` are the tenant's other definitions in use, by id. Raise ``InvalidResource``.
    """
    body = msgspec.json.decode(resource.body, type=_Body)
    if body.status != "active" or _is_of_r4(body):
        return None
    reading = _Reading(body, others)
    base = _base(reading)
    _check_code(reading, base)
    if len(others) >= MOST:
        reading.refuse(
            "status", f"{MOST} are in use; retire one before another is made active.", "too-costly"
        )
    kinds = (*_TYPES, "composite")
    if body.type not in kinds:
        reading.refuse("type", f"A parameter here is one of {', '.join(kinds)}.")
    if body.xpathUsage != "normal":
        reading.refuse("xpathUsage", "Values are searched as they are: normal, or nothing.")
    gives = _gives(reading, "expression", (body.expression, body.type), base)
    parts = _parts(reading, base)
    _check_targets(reading)
    if reading.issues:
        raise InvalidResource(tuple(reading.issues))
    return Definition(
        resource.id,
        body.url,
        body.code,
        body.type,
        base,
        body.expression,
        body.target,
        gives,
        parts,
    )


def _is_of_r4(body: _Body) -> bool:
    """Say whether this is the definition of a parameter that is there anyway."""
    names = [one for name in body.base for one in ABSTRACT.get(name, (name,))]
    known = [parameters(name).get(body.code) for name in names if name in RESOURCE_TYPES]
    return bool(known) and all(one is not None and one.url == body.url for one in known)


def _base(reading: _Reading) -> tuple[str, ...]:
    found: list[str] = []
    for name in reading.body.base:
        if name in ABSTRACT:
            found += ABSTRACT[name]
        elif name in EVERY_TYPE:
            found.append(name)
        else:
            why = "are audit rows without an index" if name == "AuditEvent" else "are not of R4"
            reading.refuse("base", f"{name[:64]}: such resources {why}.")
    if len(set(reading.body.base)) < len(reading.body.base):
        reading.refuse("base", "A type is given twice.", "duplicate")
    return tuple(dict.fromkeys(found))


def _check_code(reading: _Reading, base: Sequence[str]) -> None:
    code = reading.body.code
    if not _CODE.fullmatch(code):
        reading.refuse(
            "code",
            "A code here is a letter, then up to 63 letters, digits, hyphens and underscores.",
            "invalid",
        )
        return
    for name in base:
        if code in parameters(name):
            reading.refuse("code", f"{name} has a parameter {code} in R4.", "duplicate")
            break
    for other in reading.others.values():
        shared = sorted(set(other.base) & set(base))
        if other.code == code and shared:
            reading.refuse(
                "code",
                f"SearchParameter/{other.id} is {code} of {shared[0]} already; retire it, or take "
                "another code.",
                "duplicate",
            )
    if not reading.issues:
        _check_numbers(reading, base)


def _check_numbers(reading: _Reading, base: Sequence[str]) -> None:
    """Refuse a code whose rows would lie under the number of another parameter's."""
    code = reading.body.code
    suffixes = ("", *(f"#{at}" for at in range(MOST_PARTS)))
    wanted = {crc32(f"{name}.{code}{suffix}".encode()) for name in base for suffix in suffixes}
    others = {
        crc32(f"{name}.{other.code}{suffix}".encode())
        for other in reading.others.values()
        if other.code != code
        for name in other.base
        for suffix in suffixes
    }
    if wanted & (others | _numbers_of_r4()):
        reading.refuse("code", "Another parameter's values lie where these would; take another.")


def _numbers_of_r4() -> frozenset[int]:
    return frozenset(
        crc32(f"{name}.{code}".encode()) for name in RESOURCE_TYPES for code in parameters(name)
    )


def _gives(
    reading: _Reading, element: str, asked: tuple[str, str], base: Sequence[str]
) -> tuple[str, ...] | None:
    """Return the types that an expression gives and its parameter takes; None: not known yet."""
    expression, kind = asked
    if not expression:
        reading.refuse(element, "There is no expression: nothing would be found.", "required")
        return None
    try:
        fhirpath.compile(expression, as_filters=True)
        momentary = sorted(_MOMENTARY & fhirpath.calls(expression))
        types = fhirpath.result_types(expression, tuple(base)) if base else None
    except FhirPathError as error:
        reading.refuse(element, f"The expression cannot be used: {error}", "invalid")
        return None
    if momentary:
        reading.refuse(element, f"{momentary[0]}() gives another value every time it is asked.")
    if types is None or kind not in _TYPES:
        return None
    names = {_SYSTEM.get(one.name, "") if one.system else one.name for one in types}
    names |= {one.base.name for one in types if one.base and one.base.name in able(kind)}
    usable = tuple(sorted(names & {*able(kind), *_also(kind)}))
    if not usable:
        reading.refuse(
            element,
            f"It gives {_listed(sorted(names - {''}))}; a {kind} is made of {_listed(able(kind))}.",
        )
    return tuple(dict.fromkeys("string" if one == "ContactPoint" else one for one in usable))


def _also(kind: str) -> tuple[str, ...]:
    """Return what stands for others: a ContactPoint for its text, a resource for a reference."""
    return {"token": ("ContactPoint",)}.get(kind, ())


def _listed(names: Iterable[str], most: int = 12) -> str:
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if found[most:] else "")


def _parts(reading: _Reading, base: Sequence[str]) -> tuple[Part, ...]:
    body = reading.body
    if body.type != "composite":
        if body.component:
            reading.refuse("component", f"A {body.type} has no components.", "invalid")
        return ()
    if not 2 <= len(body.component) <= MOST_PARTS:  # noqa: PLR2004 - of one, it would be that one
        reading.refuse("component", f"A composite has 2 to {MOST_PARTS} components.", "invalid")
    found = (_part(reading, at, one, base) for at, one in enumerate(body.component))
    return tuple(part for part in found if part is not None)


def _part(reading: _Reading, at: int, component: _Component, base: Sequence[str]) -> Part | None:
    place = f"component[{at}]"
    known = dict(_known(reading, base))
    found = known.get(component.definition.partition("|")[0])
    if found is None:
        reading.refuse(
            f"{place}.definition",
            f"{component.definition[:128]} is no parameter of {_listed(base, 4)} here.",
            "not-found",
        )
        return None
    code, kind, targets = found
    if kind not in _TIED:
        reading.refuse(
            f"{place}.definition",
            f"{code} is a {kind}; the components of a composite are {', '.join(_TIED)} here.",
        )
        return None
    gives = _gives(reading, f"{place}.expression", (component.expression, kind), ())
    return Part(code, kind, component.expression, targets, gives)


def _known(
    reading: _Reading, base: Sequence[str]
) -> Iterator[tuple[str, tuple[str, str, tuple[str, ...]]]]:
    """Yield code, type and targets of what a component may be of, by URL."""
    for name in base:
        for param in parameters(name).values():
            yield param.url, (param.code, param.type, param.targets)
    for other in reading.others.values():
        if set(other.base) & set(base):
            yield other.url, (other.code, other.type, other.targets)


def _check_targets(reading: _Reading) -> None:
    body = reading.body
    unknown = [name for name in body.target if name not in RESOURCE_TYPES]
    if unknown:
        reading.refuse("target", f"{unknown[0][:64]} is no resource type of R4.", "code-invalid")
    if body.target and body.type != "reference":
        reading.refuse("target", f"A {body.type} has no targets.", "invalid")
