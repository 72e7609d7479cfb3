"""Requests to one bucket of an S3 service: signed, and tried again where that cannot hurt.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from polyclinic.base.blob.signature import (
    Credentials,
    Unsigned,
    encoded_path,
    encoded_query,
    signed,
)
from polyclinic.base.blob.storage import StorageFailed
from polyclinic.base.clock import Clock
from polyclinic.base.egress import EgressError, NotPermitted
from polyclinic.base.outbound import HttpClient, HttpRequest, HttpResponse, OutboundDisabled

_ATTEMPTS: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.2
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the bucket."""

    method: str
    key: str = ""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Bucket:
    """One bucket, spoken to by path: ``https://host/bucket/key``."""

    def __init__(
        self, client: HttpClient, url: str, credentials: Credentials, clock: Clock
    ) -> None:
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.netloc
        self._path = parts.path.rstrip("/")
        self._client = client
        self._credentials = credentials
        self._clock = clock

    async def call(self, call: Call, *expected: int) -> HttpResponse:
        """Send a request and return its answer when it has one of the expected statuses.

        Every request of ours may be sent twice: it writes the same again, or asks. Raise
        ``StorageFailed``.
        """
        for attempt in range(_ATTEMPTS):
            is_last = attempt + 1 == _ATTEMPTS
            try:
                response = await self._client.request(self._request(call))
            except (NotPermitted, OutboundDisabled) as error:
                raise StorageFailed(str(error)) from error
            except EgressError as error:
                if is_last:
                    raise StorageFailed(str(error)) from error
            else:
                if response.status in expected:
                    return response
                if is_last or not _is_passing(response.status):
                    message = f"the S3 service answers {call.method} with {response.status}"
                    raise StorageFailed(message)
            await asyncio.sleep(_FIRST_WAIT_SECONDS * 2**attempt)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _request(self, call: Call) -> HttpRequest:
        path = f"{self._path}/{call.key}" if call.key else self._path or "/"
        unsigned = Unsigned(call.method, self._host, path, call.query, call.headers, call.body)
        headers = signed(unsigned, self._credentials, self._clock.now())
        query = encoded_query(call.query)
        url = f"{self._origin}{encoded_path(path)}{'?' if query else ''}{query}"
        return HttpRequest(call.method, url, headers, call.body)


def _is_passing(status: int) -> bool:
    return status >= _SERVER_ERROR or status == _TOO_MANY
