"""FHIR search interaction on the system, a type or a compartment, by GET or POST.

https://hl7.org/fhir/R4/http.html#search
https://hl7.org/fhir/R4/http.html#vsearch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from polyclinic.kernel.errors import BadRequest, Issue, NotFound, Unreadable
from polyclinic.kernel.rest import bundle
from polyclinic.kernel.rest.message import Answer, Request, pairs
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import check_content_type, strict_handling
from polyclinic.kernel.search.parameters import in_compartments
from polyclinic.kernel.search.predicate import InCompartment, Query
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Page, Store
from polyclinic.kernel.types import RESOURCE_TYPES

Parameters = list[tuple[str, str]]

_FORM: Final = frozenset({"application/x-www-form-urlencoded"})
_TYPES: Final = frozenset(RESOURCE_TYPES)
_EVERY: Final = tuple(name for name in RESOURCE_TYPES if name != "AuditEvent")
"""Where a search looks that names no type; what the server itself recorded is searched alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search looks."""

    types: tuple[str, ...]
    address: str
    """The path below the base."""
    within: InCompartment | None = None
    shown: tuple[tuple[str, str], ...] = ()
    """Parameters that say where, for the links."""


async def search(store: Store, request: Request) -> Answer:
    """Answer with a page of what matches."""
    given = await _given(request)
    place, rest = _place(request, given)
    query, ignored = parse_query(
        place.types, rest, request.base, strict=strict_handling(request), within=place.within
    )
    page = await store.search(request.principal, query)
    issues = [*map(_ignored, ignored), *_unreadable(page)]
    last = outcome(tuple(issues)) if issues else None
    links = _links(f"{request.base}{place.address}", place, query, page)
    body = bundle.searchset(request.base, page, links, query.view, last)
    return Answer(200, body, [(b"cache-control", b"private, no-store")])


async def _given(request: Request) -> Parameters:
    """Return the parameters of the address and, in a POST, of the form behind them."""
    given = request.parameters()
    if request.method == "POST":
        check_content_type(request, _FORM)
        body = await request.body()
        try:
            given += pairs(body.decode())
        except UnicodeDecodeError:
            message = "The form is not UTF-8."
            raise BadRequest(message) from None
    return given


def _place(request: Request, given: Parameters) -> tuple[Place, Parameters]:
    """Return where to look, and the parameters that do not say so."""
    path = tuple(word for word in request.path if word != "_search")
    if len(path) == 1:
        return Place(path, f"/{path[0]}"), given
    within = InCompartment(*path[:2]) if path else None
    address = "".join(f"/{word}" for word in path)
    if path and path[2] != "*":
        if not in_compartments(path[2], path[0]):
            message = f"No {path[2]} is in the compartment of a {path[0]}."
            raise NotFound(message)
        return Place(path[2:], address, within), given
    named, rest = _named_types(given)
    types = named or _EVERY
    if within is not None:
        types = tuple(name for name in types if in_compartments(name, within.owner))
    if not types:
        message = f"_type names nothing that is in the compartment of a {path[0]}."
        raise BadRequest(message)
    return Place(types, address, within, (("_type", ",".join(named)),) if named else ()), rest


def _named_types(given: Parameters) -> tuple[tuple[str, ...], Parameters]:
    """Return the types that ``_type`` names, each once, and the other parameters."""
    values = [value for name, value in given if name == "_type" and value]
    if len(values) > 1:
        message = "_type is given once, with commas between the types."
        raise BadRequest(message)
    names = tuple(dict.fromkeys(values[0].split(","))) if values else ()
    unknown = [name for name in names if name not in _TYPES]
    if unknown:
        message = f"_type names {unknown[0][:64]}, which is not a resource type of R4."
        raise BadRequest(message)
    return names, [pair for pair in given if pair[0] != "_type"]


def _ignored(name: str) -> Issue:
    message = f"The parameter {name[:64]} is not known here and was left out of the search."
    return Issue("not-supported", message, severity="warning")


def _unreadable(page: Page) -> Sequence[Issue]:
    return [
        issue
        for entry in (*page.entries, *page.included)
        if isinstance(entry.fault, Unreadable)
        for issue in entry.fault.issues
    ]


def _links(address: str, place: Place, query: Query, page: Page) -> bundle.Links:
    used = [*place.shown, *query.understood]
    return bundle.Links(
        _link(address, used, query.after),
        _link(address, used, page.next) if page.next else None,
        _link(address, used, None) if query.count else None,
    )


def _link(address: str, parameters: Parameters, after: str | None) -> str:
    asked = [*parameters, ("_after", after)] if after else parameters
    return f"{address}?{urlencode(asked)}" if asked else address
