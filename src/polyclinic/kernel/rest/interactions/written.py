"""The answer to a write.

https://hl7.org/fhir/R4/http.html#return
"""

from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import http_date, wanted_return
from polyclinic.kernel.rest.responses import STORED
from polyclinic.kernel.store import Keeper, Stored, Written


def answer(request: Request, written: Written) -> Answer:
    """Answer 201 for a new resource, 200 for a new version, with what the client prefers."""
    stored = written.stored
    location = f"{request.base}/{stored.type}/{stored.id}/_history/{stored.version}"
    headers = [
        (b"etag", stored.etag.encode()),
        (b"last-modified", http_date(stored.last_updated)),
    ]
    if written.created or written.is_matched:
        headers.append((b"location", location.encode()))
    status = 201 if written.created else 200
    return Answer(status, _body(request, stored), headers, written=written)


def deleted(written: Written | None) -> Answer:
    """Answer 204, also where there was nothing to delete."""
    if written is None:
        return Answer(204)
    return Answer(204, b"", [(b"etag", written.stored.etag.encode())], written=written)


def keeper(request: Request) -> Keeper | None:
    """Return what keeps the answer to one write with it, for a request that may be sent again."""
    return idempotency.keeper(request, lambda written: answer(request, written[0]))


def _body(request: Request, stored: Stored) -> bytes:
    match wanted_return(request):
        case "minimal":
            return b""
        case "OperationOutcome":
            return STORED
        case "representation":
            return stored.json()
