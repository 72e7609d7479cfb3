"""The one place that decides what a principal may do.

A decision is either a refusal or the extents within which the store must stay: what lies in any of
them may be reached. The store compiles them to SQL and checks single resources with them in memory.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from polyclinic.kernel.access.policy import Granted, Policy, Verb, in_patient_compartment
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.access.scopes import Scope, granted
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.search.predicate import Predicate
from polyclinic.kernel.types import RESOURCE_TYPES


class Action(StrEnum):
    """What can be done to resources; the letters are AuditEvent's action codes."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    SEARCH = "E"


@dataclass(frozen=True, slots=True)
class Extent:
    """Resources for which all of this holds."""

    patients: frozenset[str] | None = None
    """They belong to one of these patients; None: to whomever."""
    nobody: bool = False
    """They belong to no patient: an organization, a code system."""
    care: bool = False
    """They belong to a patient with whom the principal's Practitioner has a care relation."""
    where: tuple[Predicate, ...] = ()
    """Tokens, references and uris that they have."""


_REMEMBERED: Final = 8192
"""Decisions that are kept: the same few people ask for the same types again and again."""
EVERYTHING: Final = Extent()


@dataclass(frozen=True, slots=True)
class Decision:
    """Leave to go on, within a limit."""

    extents: tuple[Extent, ...] = (EVERYTHING,)
    withheld: tuple[tuple[str, str], ...] = ()
    """Security labels (system and code) that keep a resource from this principal."""


WHOLE: Final = Decision()
_WHOLE_OR_NOT: Final = frozenset({"AuditEvent"})
"""Types that the store makes from rows of another table, in which no limit can be kept."""

_VERBS: Final = {
    Action.CREATE: Verb.CREATE,
    Action.READ: Verb.READ,
    Action.UPDATE: Verb.UPDATE,
    Action.DELETE: Verb.DELETE,
    Action.SEARCH: Verb.READ,
}


@lru_cache(maxsize=_REMEMBERED)
def decide(policy: Policy, principal: Principal, action: Action, resource_type: str) -> Decision:
    """Return the limit within which a principal may act on a type.

    Raise ``Forbidden`` when none of its roles, or none of its app's scopes, allows the action.
    """
    rules = rules_for(policy, principal, action, resource_type)
    if not rules:
        message = f"Your role does not allow this on {resource_type}."
        raise Forbidden(message)
    extents = [extent for rule in rules if (extent := extent_of(rule, principal)) is not None]
    if not extents:
        message = "Your account is not linked to a patient record; the clinic can link it."
        raise Forbidden(message)
    extents = narrowed(extents, principal, action, resource_type)
    if not extents:
        message = f"The app was not granted this on {resource_type}."
        raise Forbidden(message)
    withheld = _withheld(policy, principal)
    if EVERYTHING in extents:
        return Decision(withheld=withheld) if withheld else WHOLE
    if resource_type in _WHOLE_OR_NOT:
        message = f"Only who may read every {resource_type} reads any."
        raise Forbidden(message)
    return Decision(tuple(dict.fromkeys(extents)), withheld)


def rules_for(
    policy: Policy, principal: Principal, action: Action, resource_type: str
) -> list[Granted]:
    """Return the rules of a principal's roles that speak of an action on a type."""
    verb = _VERBS[action]
    return [
        rule
        for role in principal.roles
        for rule in policy.granted(role, verb, resource_type)
        if not rule.rule.purpose or principal.purpose in rule.rule.purpose
    ]


def readable_types(policy: Policy, principal: Principal) -> list[str]:
    """Return the types that a principal may read, sorted; the extent of a system-wide history."""
    return [name for name in RESOURCE_TYPES if may(policy, principal, Action.READ, name)]


def may(policy: Policy, principal: Principal, action: Action, resource_type: str) -> bool:
    """Say whether a principal may act on anything of a type at all."""
    try:
        decide(policy, principal, action, resource_type)
    except Forbidden:
        return False
    return True


def extent_of(granted_rule: Granted, principal: Principal) -> Extent | None:
    """Return what a rule reaches for one principal; None when it lacks what the rule asks for."""
    where = granted_rule.where
    match granted_rule.rule.whose:
        case "everyone":
            return Extent(where=where) if where else EVERYTHING
        case "nobody":
            return Extent(nobody=True, where=where) if _is_linked(principal) else None
        case "own":
            own = principal.patient
            return Extent(frozenset([own]), where=where) if own else None
        case "represented":
            others = principal.represents
            return Extent(others, where=where) if others else None
        case "care":
            return Extent(care=True, where=where) if principal.practitioner else None


def _is_linked(principal: Principal) -> bool:
    """Say whether an account stands for somebody: without, it reads not even the directory."""
    return bool(principal.patient or principal.represents or principal.practitioner)


def narrowed(
    extents: list[Extent], principal: Principal, action: Action, resource_type: str
) -> list[Extent]:
    """Return what of the extents the scopes of the app reach, where an app stands between."""
    if principal.scopes is None:
        return extents
    verb, searching = _VERBS[action], action is Action.SEARCH
    scopes = granted(principal.scopes, verb, resource_type, searching=searching)
    return [
        within
        for scope in scopes
        for extent in extents
        if (within := _narrowed(extent, scope, principal, resource_type)) is not None
    ]


def _narrowed(
    extent: Extent, scope: Scope, principal: Principal, resource_type: str
) -> Extent | None:
    patients, nobody = extent.patients, extent.nobody
    if scope.context == "patient" and not nobody:
        if principal.patient is None:
            return None
        if in_patient_compartment(resource_type):
            one = frozenset([principal.patient])
            patients = one if patients is None else patients & one
            if not patients:
                return None
        else:
            nobody = True
    return Extent(patients, nobody, extent.care, (*extent.where, *scope.where))


def _withheld(policy: Policy, principal: Principal) -> tuple[tuple[str, str], ...]:
    found = policy.document.withheld
    if not found:
        return ()
    labels = [one.label for one in found if principal.roles.isdisjoint(one.but)]
    return tuple((label.partition("|")[0], label.partition("|")[2]) for label in labels)
