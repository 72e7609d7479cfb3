"""Dry runs: a write is made and undone, and the answer says what it would have done."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from polyclinic.kernel.errors import BadRequest, FhirError
from polyclinic.kernel.rest import report
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.outcome import refusal
from polyclinic.kernel.store import Store
from polyclinic.kernel.store.audit import REHEARSES

_PREFERRED: Final = re.compile(r"(?:^|[,;\s])dry-run(?:$|[,;\s=])", re.IGNORECASE)
_WHOLE: Final = frozenset({"transaction", "operation"})
"""They make the report themselves."""
_WRITES: Final = frozenset({"create", "update", "patch", "delete"})
_FAILURES: Final = 500

Run = Callable[[Store, Request], Awaitable[Answer]]


def is_preferred(request: Request) -> bool:
    """Say whether a request is to be a dry run."""
    return _PREFERRED.search(request.header(b"prefer") or "") is not None


async def rehearse(store: Store, request: Request, code: str, run: Run) -> Answer:
    """Run an interaction that writes, and keep nothing of it.

    Raise ``BadRequest`` for one that cannot be tried out, rather than do it.
    """
    if code not in _WHOLE and code not in _WRITES:
        message = "There is no dry run of this; leave dry-run out of Prefer."
        raise BadRequest(message)
    mark = REHEARSES.set(True)
    try:
        if code in _WHOLE:
            return await run(store.rehearsal(), request)
        try:
            answer = await run(store.rehearsal(), request)
        except FhirError as error:
            if error.http_status >= _FAILURES:
                raise
            refused = report.entry(refusal(error))
            return report.of("refused", [refused])
    finally:
        REHEARSES.reset(mark)
    return report.accepted([report.entry(answer)])
