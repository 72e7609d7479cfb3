"""FHIR search interaction on the system, a type or a compartment, by GET or POST.

https://hl7.org/fhir/R4/http.html#search
https://hl7.org/fhir/R4/http.html#vsearch
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, Issue, NotFound, Unreadable
from polyclinic.kernel.rest import bundle
from polyclinic.kernel.rest.explained import explained
from polyclinic.kernel.rest.interactions import contained
from polyclinic.kernel.rest.message import Answer, Request, pairs
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import check_content_type, strict_handling
from polyclinic.kernel.search.parameters import in_compartments
from polyclinic.kernel.search.predicate import InCompartment, Query
from polyclinic.kernel.search.query import Endpoint, incomplete, parse_query, unevaluated
from polyclinic.kernel.store import Store
from polyclinic.kernel.terminology import StoredDefinitions, with_codes
from polyclinic.kernel.types import RESOURCE_TYPES

Parameters = list[tuple[str, str]]

_KEEPERS: Final = frozenset({"administrator", "job"})
_FORM: Final = frozenset({"application/x-www-form-urlencoded"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search looks."""

    types: tuple[str, ...]
    address: str
    """The path below the base."""
    within: InCompartment | None = None


async def search(store: Store, request: Request) -> Answer:
    """Answer with a page of what matches."""
    given = await _given(request)
    place = _place(request.path)
    endpoint = Endpoint(request.base, await store.custom_parameters(request.principal))
    query, ignored = parse_query(
        place.types, given, endpoint, strict=strict_handling(request), within=place.within
    )
    definitions = StoredDefinitions(store, request.principal, request.base)
    query = await with_codes(query, definitions)
    found = await _found(store, request.principal, query)
    issues = [
        *map(_ignored, ignored),
        *_of_own(query, request.principal),
        *_unreadable(found),
        *found.notes,
    ]
    last = outcome(tuple(issues)) if issues else None
    links = _links(f"{request.base}{place.address}", query, found)
    body = bundle.searchset(request.base, found, links, query.view, last)
    return Answer(200, body, [(b"cache-control", b"private, no-store")])


async def _found(store: Store, principal: Principal, query: Query) -> bundle.Found:
    if query.view.contained != "false":
        return await contained.search(store, principal, query)
    page = await store.search(principal, query)
    return replace(bundle.Found.of(page), notes=tuple(explained(query, page)))


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


def _place(path: Sequence[str]) -> Place:
    """Return where a path says to look. Raise ``NotFound`` for what no compartment has."""
    words = tuple(word for word in path if word != "_search")
    address = "".join(f"/{word}" for word in words)
    if not words:
        return Place(RESOURCE_TYPES, address)
    if len(words) == 1:
        return Place(words, address)
    owner, identity, kind = words
    if kind != "*" and not in_compartments(kind, owner):
        message = f"No {kind} is in the compartment of a {owner}."
        raise NotFound(message)
    types = RESOURCE_TYPES if kind == "*" else (kind,)
    return Place(types, address, InCompartment(owner, identity))


def _ignored(name: str) -> Issue:
    message = f"The parameter {name[:64]} is not known here and was left out of the search."
    return Issue("not-supported", message, severity="warning")


def _of_own(query: Query, principal: Principal) -> Iterator[Issue]:
    """Yield what is to be known of parameters that the tenant defined.

    How many resources it is about is told to those alone who keep the definitions.
    """
    counted = not principal.roles.isdisjoint(_KEEPERS)
    messages = incomplete(query, counted=counted) + (unevaluated(query) if counted else [])
    for message in messages:
        yield Issue("incomplete", message, severity="warning")


def _unreadable(found: bundle.Found) -> Sequence[Issue]:
    return [
        issue for fault in found.faults if isinstance(fault, Unreadable) for issue in fault.issues
    ]


def _links(address: str, query: Query, found: bundle.Found) -> bundle.Links:
    asked = urlencode(query.understood)
    return bundle.Links(
        _link(address, asked, query.after),
        _link(address, asked, found.next) if found.next else None,
        _link(address, asked, None) if query.count else None,
    )


def _link(address: str, asked: str, after: str | None) -> str:
    parts = [asked] if asked else []
    if after:
        parts.append(f"_after={quote(after)}")
    return f"{address}?{'&'.join(parts)}" if parts else address
