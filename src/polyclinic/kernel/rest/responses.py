"""The rows of a batch-response and a transaction-response.

https://hl7.org/fhir/R4/http.html#transaction-response
"""

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import msgspec

from polyclinic.kernel.errors import Issue
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.preferences import Return, wanted_return
from polyclinic.kernel.store import Written, instant

_encode = msgspec.json.Encoder().encode
_ERRORS: Final = 400
_WRITTEN_OUTCOME: Final = "OperationOutcome"
STORED: Final = outcome((Issue("informational", "Stored.", severity="information"),))
"""What a write is answered with where an OperationOutcome is preferred."""


def status_of(answer: Answer) -> str:
    """Return an answer's status with its name: ``201 Created``."""
    return f"{answer.status} {HTTPStatus(answer.status).phrase}"


def written_row(preferred: Return, written: Written) -> bytes:
    """Return the entry that tells of one write, as ``row`` does of its answer."""
    stored = written.stored
    status = (
        b"204 No Content" if stored.deleted else b"201 Created" if written.created else b"200 OK"
    )
    response = (
        b'{"status":"%b","location":"%b/%b/_history/%d","etag":"W/\\"%d\\"","lastModified":"%b"'
        % (
            status,
            stored.type.encode(),
            stored.id.encode(),
            stored.version,
            stored.version,
            instant(stored.last_updated).encode(),
        )
    )
    if preferred == "representation" and not stored.deleted:
        return b'{"resource":%b,"response":%b}}' % (stored.json(), response)
    if preferred == _WRITTEN_OUTCOME and not stored.deleted:
        return b'{"response":%b,"outcome":%b}}' % (response, STORED)
    return b'{"response":%b}}' % response


def row(request: Request, answer: Answer) -> bytes:
    """Return the entry that tells of one answer."""
    response = _encode(_response(request, answer))
    if not answer.body:
        return b'{"response":%b}' % response
    is_outcome = answer.written is not None and wanted_return(request) == _WRITTEN_OUTCOME
    if answer.status >= _ERRORS or is_outcome:
        return b'{"response":%b,"outcome":%b}}' % (response[:-1], answer.body)
    return b'{"resource":%b,"response":%b}' % (answer.body, response)


def bundle_of(kind: bytes, rows: Sequence[bytes]) -> Answer:
    """Return the Bundle of some rows; an empty array is not FHIR."""
    joined = b",".join(rows)
    entry = b',"entry":[%b]' % joined if joined else b""
    return Answer(200, b'{"resourceType":"Bundle","type":"%b"%b}' % (kind, entry))


def _response(request: Request, answer: Answer) -> dict[str, str]:
    response = {"status": status_of(answer)}
    done = answer.written
    if done is not None:
        stored = done.stored
        response["location"] = f"{stored.type}/{stored.id}/_history/{stored.version}"
        response["etag"] = stored.etag
        response["lastModified"] = instant(stored.last_updated)
        return response
    for name, value in answer.headers:
        text = value.decode("latin-1")
        if name == b"etag":
            response["etag"] = text
        elif name == b"location":
            response["location"] = text.removeprefix(f"{request.base}/")
        elif name == b"last-modified":
            response["lastModified"] = instant(parsedate_to_datetime(text))
    return response
