"""What a dry run answers: Parameters that say of each entry what would be done.

``Prefer: dry-run`` on a write, a batch or a transaction; docs/howto/transactions.md.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from polyclinic.kernel.errors import FhirError, Issue
from polyclinic.kernel.rest.message import Answer
from polyclinic.kernel.rest.outcome import outcome
from polyclinic.kernel.rest.responses import status_of

_encode = msgspec.json.Encoder().encode
_ERRORS: Final = 400
_PLACE: Final = "Bundle.entry["
Part = dict[str, Any]


def entry(answer: Answer) -> Part:
    """Return what would become of one entry, from the answer that it would get."""
    done = answer.written
    parts: list[Part] = [{"name": "outcome", "valueCode": _outcome(answer)}]
    parts.append({"name": "status", "valueString": status_of(answer)})
    if done is not None:
        stored = done.stored
        location = f"{stored.type}/{stored.id}/_history/{stored.version}"
        parts.append({"name": "location", "valueUri": location})
        if not stored.deleted:
            parts.append({"name": "resource", "resource": msgspec.Raw(stored.json())})
    if answer.status >= _ERRORS:
        parts.append({"name": "issues", "resource": msgspec.Raw(answer.body)})
    return {"name": "entry", "part": parts}


def accepted(entries: Sequence[Part]) -> Answer:
    """Return the report of what could be done."""
    return of("accepted", entries)


def refused(error: FhirError, count: int) -> Answer:
    """Return the report of a transaction that is refused as a whole, and which entries are why."""
    blamed: dict[int | None, list[Issue]] = {}
    for issue in error.issues:
        blamed.setdefault(_number(issue, count), []).append(issue)
    status = {"name": "status", "valueString": status_of(Answer(error.http_status))}
    rows: list[Part] = []
    for at in range(count):
        found = blamed.get(at)
        if found is None:
            rows.append({"name": "entry", "part": [{"name": "outcome", "valueCode": "not-done"}]})
            continue
        said: Part = {"name": "issues", "resource": msgspec.Raw(outcome(tuple(found)))}
        code = {"name": "outcome", "valueCode": "refused"}
        rows.append({"name": "entry", "part": [code, status, said]})
    whole: list[Part] = [status]
    if None in blamed:
        issues = msgspec.Raw(outcome(tuple(blamed[None])))
        whole.append({"name": "issues", "resource": issues})
    return of("refused", [*whole, *rows])


def of(result: str, rows: Sequence[Part]) -> Answer:
    """Return a report: ``accepted`` or ``refused``, and its rows."""
    parameters = [{"name": "result", "valueCode": result}, *rows]
    return Answer(200, _encode({"resourceType": "Parameters", "parameter": parameters}))


def _outcome(answer: Answer) -> str:
    if answer.status >= _ERRORS:
        return "refused"
    if answer.written is not None:
        return answer.written.effect
    return "read" if answer.status == 200 else "nothing"  # noqa: PLR2004 - HTTP


def _number(issue: Issue, count: int) -> int | None:
    """Return the number of the entry that an issue is about."""
    place = issue.expression or ""
    digits = place[len(_PLACE) :].partition("]")[0]
    if place.startswith(_PLACE) and digits.isdigit() and int(digits) < count:
        return int(digits)
    return None
