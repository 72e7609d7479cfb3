"""A whole search request, https://hl7.org/fhir/R4/search.html#Introduction."""

from collections.abc import Sequence

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import COMPARTMENTS, SearchParameter, in_compartments
from polyclinic.kernel.search.predicate import AllOf, InCompartment, Predicate, Query
from polyclinic.kernel.search.query.chains import follow, is_has, steps_of
from polyclinic.kernel.search.query.conditions import condition
from polyclinic.kernel.search.query.filters import filtered
from polyclinic.kernel.search.query.limits import MOST_PARAMETERS, refuse, shown
from polyclinic.kernel.search.query.results import CONTROLS, UNLINKED, results
from polyclinic.kernel.search.query.searched import (
    AUDIT_EVENT,
    Endpoint,
    Searched,
    is_resource_type,
    listed,
    parameters_of,
)

Pairs = Sequence[tuple[str, str]]


def parse_query(
    types: str | Sequence[str],
    given: Pairs,
    at: Endpoint | str,
    *,
    strict: bool = False,
    within: InCompartment | None = None,
) -> tuple[Query, tuple[str, ...]]:
    """Return the query, and the names of the parameters that were left out of it.

    ``types`` are those that are searched, ``given`` names and values as they came, ``at`` this
    server's endpoint, or only its URL where no tenant's own parameters are to be known, ``within``
    the compartment that limits the search, as its first condition. Of several types only those
    parameters are known that all of them have; ``_type`` narrows them.

    Raise ``BadRequest`` for a value that has not the form of its parameter, for a modifier, a chain
    or ``_has`` that does not fit, and under ``strict`` for every unknown parameter.
    """
    if len(given) > MOST_PARAMETERS:
        refuse(f"A search takes at most {MOST_PARAMETERS} parameters.")
    base, custom = Endpoint(at) if isinstance(at, str) else at
    searched = Searched(_types(types, given, within), f"{base}/", custom=custom)
    reader = _Reader(searched)
    for name, value in given:
        reader.take(name, value, strict=strict)
    if reader.ignored and strict:
        refuse(f"{listed(reader.ignored)}: not a search parameter of {searched.title}.")
    return reader.query(within), tuple(dict.fromkeys(reader.ignored))


def _types(
    types: str | Sequence[str], given: Pairs, within: InCompartment | None
) -> tuple[str, ...]:
    """Return the types that are searched, in their order."""
    found = (types,) if isinstance(types, str) else tuple(dict.fromkeys(types))
    named = [one for name, value in given if name == "_type" for one in value.split(",") if one]
    for name in (*found, *named):
        if not is_resource_type(name):
            parameters_of(name)
    if named:
        asked = found
        found = tuple(name for name in found if name in named)
        outside = [name for name in named if name not in asked]
        if outside or not found:
            refuse(f"_type names {listed(outside)}; searched here is {listed(asked)}.")
    if len(found) > 1 and AUDIT_EVENT in found:
        if AUDIT_EVENT in named:
            refuse("AuditEvents are searched on their own; leave the other types out of _type.")
        found = tuple(name for name in found if name != AUDIT_EVENT)
    return found if within is None else _belonging(found, within.owner)


def _belonging(types: tuple[str, ...], owner: str) -> tuple[str, ...]:
    """Return the types whose resources can be in a compartment."""
    if owner not in COMPARTMENTS:
        refuse(f"{shown(owner)!r} has no compartment; {', '.join(COMPARTMENTS)} have.")
    found = tuple(name for name in types if in_compartments(name, owner))
    if not found:
        refuse(f"{listed(types)} cannot be in the compartment of a {owner}.")
    return found


class _Reader:
    """Take the parameters one by one."""

    def __init__(self, searched: Searched) -> None:
        self._searched = searched
        self._parts: list[Predicate] = []
        self._conditions: list[tuple[str, str]] = []
        self._controls: list[tuple[str, str]] = []
        self._understood: list[tuple[str, str]] = []
        self.ignored: list[str] = []

    def take(self, name: str, value: str, *, strict: bool) -> None:
        """Use one parameter, or note that it is not known."""
        if name.partition(":")[0] in CONTROLS:
            self._controls.append((name, value))
            if name not in UNLINKED:
                self._understood.append((name, value))
            return
        param = self._searched.find(name)
        if param is None and not self._known(name):
            self.ignored.append(name)
            return
        if value == "":
            # R4 has the server pass over it; who is strict is told, since it may limit nothing.
            if strict:
                refuse(f"{shown(name)} has no value.")
            return
        self._parts.append(self._read(name, param, value))
        self._conditions.append((name, value))
        self._understood.append((name, value))

    def _known(self, name: str) -> bool:
        if name == "_query":
            refuse("_query names an operation; this server defines none for searches.")
        if name == "_filter" or is_has(name):
            return True
        code = name.partition(".")[0].partition(":")[0]
        return self._searched.find(code) is not None

    def _read(self, name: str, param: SearchParameter | None, value: str) -> Predicate:
        """Return the condition; ``param`` is what the whole name says, without modifier or chain.

        Raise ``BadRequest`` that names the parameter.
        """
        searched = self._searched
        try:
            if param is not None:
                return condition(searched, param, "", value)
            if name == "_filter":
                return filtered(searched, value)
            return follow(
                searched,
                steps_of(name),
                lambda inner, param, modifier: condition(inner, param, modifier, value),
            )
        except BadRequest as error:
            message = f"{shown(name)}: {error.issues[0].diagnostics}"
            raise BadRequest(message) from None

    def query(self, within: InCompartment | None) -> Query:
        """Return the query of all that was taken."""
        found = results(self._searched, self._controls)
        parts, conditions = self._parts, self._conditions
        if within is not None:
            parts = [within, *parts]
            conditions = [(within.owner, within.id), *conditions]
        return Query(
            types=self._searched.types,
            where=AllOf(tuple(parts)),
            conditions=tuple(conditions),
            sort=found.sort,
            count=found.count,
            total=found.total,
            after=found.after,
            understood=tuple(self._understood),
            includes=found.includes,
            view=found.view,
            as_of=found.as_of,
            any_order=found.any_order,
            custom=self._searched.custom,
        )
