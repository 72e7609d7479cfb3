"""FHIR history interaction, of an instance, a type or all.

https://hl7.org/fhir/R4/http.html#history
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest import bundle
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.subset import view_of
from polyclinic.kernel.search.query import page_size
from polyclinic.kernel.store import HistoryQuery, Store

_KEPT: Final = ("_since", "_count", "_summary", "_elements")
"""The parameters that the links to pages carry on."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def history(store: Store, request: Request) -> Answer:
    """Answer with a page of versions, newest first."""
    place = request.path[:-1]
    given, view = dict(request.parameters()), view_of(request)
    query = HistoryQuery(
        resource_type=place[0] if place else None,
        id=place[1] if len(place) > 1 else None,
        since=_since(given.get("_since")),
        count=page_size(given.get("_count")),
        after=given.get("_after"),
    )
    page = await store.history(request.principal, query)
    address = "/".join((request.base, *place, "_history"))
    kept = [(name, given[name]) for name in _KEPT if name in given]
    links = bundle.Links(
        _link(address, [*kept, *_after(query.after)]),
        _link(address, [*kept, *_after(page.next)]) if page.next else None,
    )
    return Answer(200, bundle.history(request.base, page.entries, links, view))


def _since(text: str | None) -> datetime:
    if text is None:
        return _EPOCH
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        message = "_since must be an instant, such as 2026-01-31T08:00:00Z."
        raise BadRequest(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _after(place: str | None) -> list[tuple[str, str]]:
    return [("_after", place)] if place else []


def _link(address: str, parameters: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
