"""What a client asks for besides the resource: Prefer, conditions, format.

https://hl7.org/fhir/R4/http.html#general
"""

import re
from datetime import datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Final, Literal

from polyclinic.kernel.errors import BadRequest, NotAcceptable, UnsupportedMedia
from polyclinic.kernel.rest.message import Request

Return = Literal["minimal", "representation", "OperationOutcome"]

_ETAG: Final = re.compile(r'\s*(?:W/)?"([0-9]{1,9})"\s*')
_JSON: Final = frozenset(
    {"json", "application/json", "application/fhir+json", "text/json", "*/*", "application/*"}
)
_BODY_JSON: Final = frozenset({"application/json", "application/fhir+json", "text/json"})


def wanted_return(request: Request) -> Return:
    """Return what a write answers with."""
    prefer = request.header(b"prefer") or ""
    for name in ("minimal", "OperationOutcome"):
        if f"return={name}".lower() in prefer.lower().replace(" ", ""):
            return "minimal" if name == "minimal" else "OperationOutcome"
    return "representation"


def strict_handling(request: Request) -> bool:
    """Say whether an unknown search parameter is an error."""
    return "handling=strict" in (request.header(b"prefer") or "").lower().replace(" ", "")


def if_match(request: Request) -> int | None:
    """Return the version that must be current. Raise ``BadRequest`` when it is no version."""
    text = request.header(b"if-match")
    return None if text is None else etag_version(text)


def etag_version(text: str) -> int:
    """Return the version in an entity tag. Raise ``BadRequest`` when it is none."""
    match = _ETAG.fullmatch(text)
    if match is None:
        message = 'If-Match must be a version, such as W/"3".'
        raise BadRequest(message)
    return int(match[1])


def unchanged_since(request: Request, version: int, last_updated: datetime) -> bool:
    """Say whether a conditional read needs no body.

    https://hl7.org/fhir/R4/http.html#cread; If-None-Match goes before If-Modified-Since, RFC 9110.
    """
    tags = request.header(b"if-none-match")
    if tags is not None:
        return any(
            tag.strip() == "*" or ((match := _ETAG.fullmatch(tag)) and int(match[1]) == version)
            for tag in tags.split(",")
        )
    since = request.header(b"if-modified-since")
    if since is None:
        return False
    try:
        return last_updated.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False


def http_date(moment: datetime) -> bytes:
    """Write a moment as HTTP does."""
    return _http_date(int(moment.timestamp()))


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def check_accept(request: Request) -> None:
    """Raise ``NotAcceptable`` when the client takes no JSON."""
    offered = accepted(request)
    if offered and not offered & _JSON:
        raise NotAcceptable


def accepted(request: Request) -> set[str]:
    """Return the media types that a client takes; empty when it does not say."""
    accept = request.headers.get(b"accept")
    if request.query and "_format=" in request.query:
        forms = [value for name, value in request.parameters() if name == "_format"]
        accept = forms[0].replace(" ", "+").encode() if forms else accept
    if not accept:
        return set()
    return {part.split(b";")[0].strip().lower().decode("latin-1") for part in accept.split(b",")}


def check_content_type(request: Request, allowed: frozenset[str] = _BODY_JSON) -> str:
    """Return the media type of a body. Raise ``UnsupportedMedia`` when it is no JSON in UTF-8."""
    content_type, *options = (request.header(b"content-type") or "").lower().split(";")
    charset = next((o.split("=")[1].strip(' "') for o in options if "charset=" in o), "utf-8")
    media = content_type.strip()
    if media not in allowed or charset not in ("utf-8", "utf8"):
        message = f"Send the body as {' or '.join(sorted(allowed))} in UTF-8."
        raise UnsupportedMedia(message)
    return media
