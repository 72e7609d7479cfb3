"""Errors as OperationOutcome, in one place.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from typing import Final

import msgspec

from polyclinic.base import log
from polyclinic.kernel.errors import (
    FhirError,
    Issue,
    NotAllowed,
    PayloadTooLarge,
    TooSlow,
    Unauthenticated,
)
from polyclinic.kernel.rest.message import Answer
from polyclinic.kernel.store.faults import translated

BROKEN: Final = (Issue("exception", "Something went wrong here; it has been logged."),)
"""What a client is told when nobody foresaw what happened."""
_encode = msgspec.json.Encoder().encode


def outcome(issues: tuple[Issue, ...]) -> bytes:
    """Render issues as an OperationOutcome."""
    return _encode({"resourceType": "OperationOutcome", "issue": [_row(issue) for issue in issues]})


def refusal(error: FhirError) -> Answer:
    """Return the answer that tells a client of an error."""
    answer = Answer(error.http_status, outcome(error.issues))
    if error.retry_after is not None:
        answer.headers.append((b"retry-after", b"%d" % error.retry_after))
    match error:
        case Unauthenticated():
            answer.headers.append((b"www-authenticate", b'Bearer realm="polyclinic"'))
        case NotAllowed(allowed=allowed):
            answer.headers.append((b"allow", ", ".join(allowed).encode()))
        case PayloadTooLarge() | TooSlow():
            # The rest of the body is not read, so the connection cannot be used again.
            answer.headers.append((b"connection", b"close"))
        case _:
            pass
    return answer


def failure(error: Exception, method: str) -> Answer:
    """Return the answer to what nobody foresaw, and log where it happened.

    That the database is away, full or too slow is foreseen, wherever it shows.
    """
    try:
        with translated():
            raise error  # noqa: TRY301 - it came from where nobody translated it
    except FhirError as known:
        return refusal(known)
    except Exception as unknown:  # noqa: BLE001 - a client is told, and the log knows where
        log.failure("request.failed", unknown, method=method)
        return Answer(500, outcome(BROKEN))


def _row(issue: Issue) -> dict[str, object]:
    row: dict[str, object] = {
        "severity": issue.severity,
        "code": issue.code,
        "diagnostics": issue.diagnostics,
    }
    if issue.expression is not None:
        row["expression"] = [issue.expression]
    return row
