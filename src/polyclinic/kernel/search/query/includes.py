"""What comes along with the matches, https://hl7.org/fhir/R4/search.html#include."""

from typing import Final

from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Include
from polyclinic.kernel.search.query.chains import referring
from polyclinic.kernel.search.query.limits import refuse, shown
from polyclinic.kernel.search.query.searched import AUDIT_EVENT, Searched, is_resource_type, listed
from polyclinic.kernel.search.query.support import chainable

ITERATE: Final = frozenset({"iterate", "recurse"})
"""``:recurse`` is what releases before R4 called it."""


def include(searched: Searched, name: str, value: str) -> Include:
    """Return what ``Type:parameter:Target``, ``Type:*`` or ``*`` asks to come along.

    ``name`` is the parameter's, with its modifier. Raise ``BadRequest`` for what refers to nothing.
    """
    kind, colon, modifier = name.partition(":")
    if colon and modifier not in ITERATE:
        refuse(f"{kind} takes the modifier :iterate, not :{shown(modifier)}.")
    reverse, iterate = kind == "_revinclude", bool(colon)
    if searched.types == (AUDIT_EVENT,):
        refuse("Nothing comes along with AuditEvents; read what they refer to by its id.")
    if value == "*":
        return Include(None, None, None, reverse, iterate)
    source, code, target = _parts(kind, value)
    _check_types(source, target)
    param = None if code == "*" else referring(searched, source, code)
    if target is not None and param is not None and target not in led_to(param):
        refuse(f"{source}.{code} refers to {listed(led_to(param))}, not to {target}.")
    found = Include(source, param, target, reverse, iterate, _further(searched, source, code))
    if not iterate:
        _check_reach(searched, found)
    return found


def _further(searched: Searched, source: str, code: str) -> tuple[SearchParameter, ...]:
    """Return the references that a tenant defined of a type, for ``Type:*``."""
    if code != "*":
        return ()
    return tuple(param for param in searched.custom.of(source).values() if chainable(param))


def _parts(kind: str, value: str) -> tuple[str, str, str | None]:
    parts = value.split(":")
    if not 2 <= len(parts) <= 3 or not all(parts):  # noqa: PLR2004 - type, parameter and target
        refuse(f"{kind} takes a type and its parameter, as in Observation:subject, or *.")
    return parts[0], parts[1], parts[2] if parts[2:] else None


def _check_types(source: str, target: str | None) -> None:
    for name in (source, target):
        if name is not None and not is_resource_type(name):
            refuse(f"R4 has no resource type {shown(name)!r}.")
    if AUDIT_EVENT in (source, target):
        refuse("AuditEvents are searched on their own, and do not come along.")


def _check_reach(searched: Searched, found: Include) -> None:
    """Refuse what no match can have: without ``:iterate`` only matches are looked at."""
    if not found.reverse:
        if found.source not in searched.types:
            refuse(
                f"Matches are {searched.title}; for what comes along with other included "
                f"resources write _include:iterate={found.source}:…"
            )
        return
    targets = led_to(found.param) if found.param else searched.types
    asked = {found.target} if found.target else set(targets)
    if not asked & set(searched.types) & set(targets):
        refuse(
            f"That refers to {listed([name for name in targets if name in asked])}, not to "
            f"{searched.title}; for what refers to included resources write _revinclude:iterate."
        )
