"""Requests that are sent again under one Idempotency-Key, and a clock that is ahead."""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from typing_extensions import override

from polyclinic.base.clock import SystemClock

KEY: Final = '"a key that is sent again"'
ACCOUNT: Final = 4711
"""The account that sends them, in every process."""
PATIENT: Final = {"resourceType": "Patient", "name": [{"family": "Okafor"}]}
_ENTRY: Final = {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}
_PUT: Final = {
    "resource": {"resourceType": "Patient", "id": "put", "active": True},
    "request": {"method": "PUT", "url": "Patient/put"},
}
_ENTRIES: Final = [_ENTRY, _ENTRY, _PUT]
REQUESTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "create": ("Patient", PATIENT),
    "transaction": ("", {"resourceType": "Bundle", "type": "transaction", "entry": _ENTRIES}),
    "batch": ("", {"resourceType": "Bundle", "type": "batch", "entry": _ENTRIES}),
}
"""Path and body of one of each kind."""
MADE: Final = {"create": 1, "transaction": 3, "batch": 3}
"""How many resources each makes."""


async def send(
    client: httpx.AsyncClient, kind: str = "create", key: str | bytes = KEY, **more: Any
) -> httpx.Response:
    """Send a request of a kind under a key; ``more`` goes before what it is."""
    path, body = REQUESTS[kind]
    headers = {"idempotency-key": key, **more.pop("headers", {})}
    return await client.post(path, headers=headers, **({"json": body} | more))


async def count(client: httpx.AsyncClient) -> tuple[int, int]:
    """Return how many Patients there are, and how many versions of them."""
    patients = (await client.get("Patient?_count=50")).json()
    versions = (await client.get("Patient/_history?_count=50")).json()
    return len(patients.get("entry", [])), len(versions.get("entry", []))


def shape(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything of an answer that a client sees."""
    return answer.status_code, answer.content, dict(answer.headers)


class Later(SystemClock):
    """A clock that is ahead."""

    def __init__(self, **ahead: float) -> None:
        self._ahead = timedelta(**ahead)

    @override
    def now(self) -> datetime:
        """Return a moment that is still to come."""
        return super().now() + self._ahead
