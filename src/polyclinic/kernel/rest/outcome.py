"""Errors as OperationOutcome, in one place.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from typing import Final

import msgspec

from polyclinic.kernel.errors import (
    FhirError,
    Issue,
    NotAllowed,
    PayloadTooLarge,
    TooSlow,
    Unauthenticated,
)
from polyclinic.kernel.rest.message import Answer

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


def _row(issue: Issue) -> dict[str, object]:
    row: dict[str, object] = {
        "severity": issue.severity,
        "code": issue.code,
        "diagnostics": issue.diagnostics,
    }
    if issue.expression is not None:
        row["expression"] = [issue.expression]
    return row
