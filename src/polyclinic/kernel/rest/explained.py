"""Why a search found what it found, as issues of the OperationOutcome at the end of its page.

They are of severity ``information``: for each match and condition the values that satisfy it, with
their element as a FHIRPath expression within the match; then the SQL, how many rows it read, and
PostgreSQL's plan as JSON.
"""

from collections.abc import Iterator

from polyclinic.kernel.errors import Issue
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store import Page


def explained(query: Query, page: Page) -> Iterator[Issue]:
    """Yield what explains a page; nothing where that was not asked for."""
    found = page.explanation
    if found is None:
        return
    for entry, reasons in zip(page.entries, found.reasons, strict=True):
        for (name, value), satisfied in zip(query.conditions, reasons, strict=False):
            for reason in satisfied:
                said = f": {reason.value}" if reason.value else ""
                text = f"{entry.type}/{entry.id} matches {name}={value} by {reason.param}{said}"
                yield _information(text, reason.element or None)
    yield _information(f"SQL: {found.sql}")
    yield _information(f"Rows read: {found.read}")
    yield _information(f"Plan: {found.plan}")


def _information(text: str, element: str | None = None) -> Issue:
    return Issue("informational", text, element, severity="information")
