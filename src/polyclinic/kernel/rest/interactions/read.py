"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import http_date, unchanged_since
from polyclinic.kernel.rest.subset import subset, view_of
from polyclinic.kernel.search.query import moment
from polyclinic.kernel.store import Store, Stored


async def read(store: Store, request: Request) -> Answer:
    """Answer with the current version of a resource, or that of a moment; 304 when it is known."""
    resource_type, resource_id = request.path
    if "_asOf" not in request.query:
        return answer(request, await store.read(request.principal, resource_type, resource_id))
    given = [value for name, value in request.parameters() if name == "_asOf"]
    if len(given) != 1:
        message = "_asOf can be given once."
        raise BadRequest(message)
    at = moment("_asOf", given[0])
    version = await store.lookback.version(request.principal, resource_type, resource_id, at)
    found = await store.vread(request.principal, resource_type, resource_id, version)
    return answer(request, found)


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
