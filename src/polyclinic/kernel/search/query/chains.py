"""Chains and reverse chains of any length, and the one way from a name to its parameter.

``subject:Patient.organization.name``, ``_has:Observation:patient:code``, and each within the other.
https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import AllOf, Has, Linked, Predicate
from polyclinic.kernel.search.query.conditions import any_of
from polyclinic.kernel.search.query.limits import LONGEST_NAME, MOST_TARGETS, refuse, shown
from polyclinic.kernel.search.query.searched import (
    AUDIT_EVENT,
    Searched,
    is_resource_type,
    listed,
)
from polyclinic.kernel.search.query.support import chainable

HAS: Final = "_has"
_HAS_FORM: Final = (
    "_has takes a type, its parameter that refers to here, and a parameter of it: "
    "_has:Observation:patient:code"
)

AtEnd: TypeAlias = Callable[[Searched, SearchParameter, str], Predicate]
"""What is asked of the parameter at the end: what is searched there, the parameter, a modifier."""


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a chain."""

    name: str
    """``code``, ``code:modifier`` or ``_has:Type:code:name``."""
    where: Callable[[Searched], Predicate] | None = None
    """What must hold of the resources that the step leads to."""


def steps_of(name: str) -> tuple[Step, ...]:
    """Return the steps of a name in a query."""
    if len(name) > LONGEST_NAME:
        refuse(f"The name of a parameter has at most {LONGEST_NAME} characters.")
    return tuple(Step(part) for part in name.split("."))


def follow(searched: Searched, steps: Sequence[Step], at_end: AtEnd) -> Predicate:
    """Return what holds when the last step's condition does.

    Raise ``BadRequest`` for what is no parameter, and for links that cannot be followed.
    """
    step, rest = steps[0], steps[1:]
    if is_has(step.name):
        return _has(searched, step, rest, at_end)
    code, colon, modifier = step.name.partition(":")
    param = searched.find(code)
    if param is None:
        refuse(f"{searched.title} has no search parameter {shown(code)}.")
    if colon and not modifier:
        refuse(f"{shown(step.name)} ends with a colon; write a modifier behind it or leave it out.")
    if rest:
        return _linked(searched, (param, modifier, step), rest, at_end)
    if step.where is not None:
        refuse(f"A name must follow {shown(code)}[…], as in {shown(code)}[…].name.")
    return at_end(searched, param, modifier)


def _linked(
    searched: Searched,
    link: tuple[SearchParameter, str, Step],
    rest: Sequence[Step],
    at_end: AtEnd,
) -> Predicate:
    param, modifier, step = link
    followable(param)
    known = led_to(param)
    if modifier and modifier not in known:
        refuse(f"{param.code} refers to {listed(known)}, not to {shown(modifier)}.")
    targets = [modifier] if modifier else _leading_on(searched, known, rest[0].name)
    if not targets:
        refuse(
            f"Nothing that {param.code} refers to ({listed(known)}) has a search "
            f"parameter {shown(rest[0].name)}."
        )
    if len(targets) > MOST_TARGETS:
        refuse(
            f"{param.code} refers to {len(targets)} types with {shown(rest[0].name)}; name one, as "
            f"in {param.code}:{targets[0]}.{shown(rest[0].name)}."
        )
    parts = []
    for target in targets:
        inner = searched.within(target)
        where = _named(target, step.where, inner, rest, at_end)
        parts.append(Linked(param, target, where))
    return any_of(parts)


def _named(
    target: str,
    also: Callable[[Searched], Predicate] | None,
    inner: Searched,
    rest: Sequence[Step],
    at_end: AtEnd,
) -> Predicate:
    """Return what must hold of one type; a fault says which type it is about."""
    if target == AUDIT_EVENT:
        refuse("AuditEvents are searched on their own, not through a chain.")
    try:
        where = follow(inner, rest, at_end)
        return where if also is None else AllOf((also(inner), where))
    except BadRequest as error:
        found = error.issues[0].diagnostics
        if is_resource_type(found.partition(":")[0]):
            raise
        message = f"{target}: {found}"
        raise BadRequest(message) from None


def _leading_on(searched: Searched, targets: Sequence[str], name: str) -> list[str]:
    """Return the types that have the next parameter."""
    if is_has(name):
        parts = name.split(":")
        param = searched.parameter(parts[1], parts[2]) if _is_whole(parts) else None
        found = targets if param is None else [one for one in targets if one in led_to(param)]
        return [one for one in found if one != AUDIT_EVENT]
    code = name.partition(":")[0]
    return [
        target
        for target in targets
        if target != AUDIT_EVENT and searched.about(target).find(code) is not None
    ]


def is_has(name: str) -> bool:
    """Say whether a name begins a reverse chain."""
    return name.partition(":")[0] == HAS


def _is_whole(parts: Sequence[str]) -> bool:
    return len(parts) > len(("_has", "type", "code")) and is_resource_type(parts[1])


def _has(searched: Searched, step: Step, rest: Sequence[Step], at_end: AtEnd) -> Predicate:
    _, _, text = step.name.partition(":")
    source, _, text = text.partition(":")
    code, _, name = text.partition(":")
    if not name:
        refuse(f"{_HAS_FORM}.")
    param = referring(searched, source, code)
    if not set(searched.types) & set(led_to(param)):
        refuse(f"{source}.{code} refers to {listed(led_to(param))}, not to {searched.title}.")
    inner = searched.within(source)
    return Has(source, param, follow(inner, (Step(name, step.where), *rest), at_end))


def referring(searched: Searched, source: str, code: str) -> SearchParameter:
    """Return a parameter of a type that refers to resources. Raise ``BadRequest`` for none."""
    if not is_resource_type(source):
        refuse(f"R4 has no resource type {shown(source)!r}.")
    if source == AUDIT_EVENT:
        refuse("AuditEvents are searched on their own, not through another type.")
    param = searched.parameter(source, code)
    if param is None:
        refuse(f"{source} has no search parameter {shown(code)!r}.")
    followable(param)
    return param


def followable(param: SearchParameter) -> None:
    """Raise ``BadRequest`` for a parameter that no link can follow."""
    if param.type != "reference":
        refuse(f"{param.code} is a {param.type}; only a reference leads to another resource.")
    if not chainable(param):
        refuse(f"No link follows {param.code}; ask for it on its own.")
