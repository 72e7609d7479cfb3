"""Signature Version 4 of a request to S3.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SERVICE: Final = "s3"
_UNRESERVED: Final = "-_.~"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whose requests they are."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request as it will be sent."""

    method: str
    host: str
    """As in the ``Host`` header."""
    path: str
    """Not yet encoded."""
    query: Sequence[tuple[str, str]] = ()
    """Not yet encoded."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def signed(request: Unsigned, credentials: Credentials, now: datetime) -> dict[str, str]:
    """Return the headers to send, those of the request among them."""
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    content = sha256(request.body).hexdigest()
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"x-amz-date": moment, "x-amz-content-sha256": content}
    all_headers = headers | {"host": request.host}
    names = ";".join(sorted(all_headers))
    lines = [f"{name}:{' '.join(all_headers[name].split())}\n" for name in sorted(all_headers)]
    canonical = "\n".join(
        [
            request.method,
            encoded_path(request.path),
            encoded_query(request.query),
            "".join(lines),
            names,
            content,
        ]
    )
    scope = f"{moment[:8]}/{credentials.region}/{_SERVICE}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, moment, scope, sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(_key(credentials, moment[:8]), to_sign.encode(), sha256).hexdigest()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )
    return headers


def encoded_path(path: str) -> str:
    """Return a path as S3 signs and takes it."""
    return quote(path, safe=f"/{_UNRESERVED}")


def encoded_query(query: Sequence[tuple[str, str]]) -> str:
    """Return a query as S3 signs and takes it: sorted, every value with its equals sign."""
    pairs = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def _key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, credentials.region, _SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
