"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import http_date, unchanged_since
from polyclinic.kernel.rest.subset import subset, view_of
from polyclinic.kernel.store import Store, Stored


async def read(store: Store, request: Request) -> Answer:
    """Answer with the current version of a resource, or 304 when the client has it."""
    resource_type, resource_id = request.path
    return answer(request, await store.read(request.principal, resource_type, resource_id))


def answer(request: Request, stored: Stored) -> Answer:
    """Answer with one version of a resource, or with the part of it that was asked for."""
    view = view_of(request)
    headers = [
        (b"etag", stored.etag.encode()),
        (b"last-modified", http_date(stored.last_updated)),
        (b"cache-control", b"private, no-cache"),
    ]
    if unchanged_since(request, stored.version, stored.last_updated):
        return Answer(304, b"", headers)
    return Answer(200, subset(stored.json(), view), headers)
