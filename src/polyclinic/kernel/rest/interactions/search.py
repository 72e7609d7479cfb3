"""FHIR search interaction on one type, by GET or POST.

https://hl7.org/fhir/R4/http.html#search
"""

from typing import Final
from urllib.parse import urlencode

from polyclinic.kernel.errors import Issue, Unreadable
from polyclinic.kernel.rest import bundle
from polyclinic.kernel.rest.message import Answer, Request, pairs
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import check_content_type, strict_handling
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Store

_FORM: Final = frozenset({"application/x-www-form-urlencoded"})


async def search(store: Store, request: Request) -> Answer:
    """Answer with a page of what matches."""
    resource_type = request.path[0]
    given = request.parameters()
    if request.method == "POST":
        check_content_type(request, _FORM)
        body = await request.body()
        given += pairs(body.decode("latin-1"))
    query, ignored = parse_query(
        resource_type, given, request.base, strict=strict_handling(request)
    )
    page = await store.search(request.principal, query)
    address = f"{request.base}/{resource_type}"
    links = bundle.Links(
        _link(address, query.understood, query.after),
        _link(address, query.understood, page.next) if page.next else None,
    )
    issues = [_ignored(name) for name in ignored]
    issues += [
        issue
        for entry in page.entries
        if isinstance(entry.fault, Unreadable)
        for issue in entry.fault.issues
    ]
    warnings = outcome(tuple(issues)) if issues else None
    body = bundle.searchset(request.base, page.entries, links, page.total, warnings)
    return Answer(200, body, [(b"cache-control", b"private, no-store")])


def _ignored(name: str) -> Issue:
    message = f"The parameter {name[:64]} is not known here and was left out of the search."
    return Issue("not-supported", message, severity="warning")


def _link(address: str, understood: tuple[tuple[str, str], ...], after: str | None) -> str:
    parameters = [*understood, ("_after", after)] if after else list(understood)
    return f"{address}?{urlencode(parameters)}" if parameters else address
