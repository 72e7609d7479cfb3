"""The formats of the R4 primitive types.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from polyclinic.kernel.types.narrative import is_narrative

MAX_STRING = 1024 * 1024
"""Characters in a string: "Strings SHALL NOT exceed 1MB in size"."""

MAX_DECIMAL = 100
"""Characters in a decimal."""

KNOWN: Final[set[object]] = set()
"""Uris and codes that were found well-formed; most that arrive have arrived before."""

MOMENTS: Final[set[object]] = set()
"""Date-times that were found well-formed lately: those of one encounter arrive many times."""

INSTANTS: Final[set[object]] = set()
"""Instants that were found well-formed lately."""

_KNOWN_LIMIT = 20_000
_KNOWN_LENGTH = 128
_MOMENTS_LIMIT = 4_096
_MOMENT_LENGTH = 40

# A calendar day: 2023-02-30 and 1900-02-29 are none.
_DAY = (
    "(?!0000)(?:[0-9]{4}-(?:"
    "(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)"
    "|(?:0[13578]|1[02])-31)"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_MONTH = "(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_uri = re.compile(r"[^ \t\n\r]+").fullmatch
_code = re.compile(r"[^ \t\n\r]+(?: [^ \t\n\r]+)*").fullmatch
_number = re.compile(
    rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?0*+[0-9]{0,3})?(?<=[0-9])"
).fullmatch
_base64 = re.compile(r"[A-Za-z0-9+/]+={0,2}").fullmatch
_spaces = re.compile(r"[ \t\n\r]+")

Check = Callable[[str], object]


def _remember(value: str) -> bool:
    if len(KNOWN) < _KNOWN_LIMIT and len(value) <= _KNOWN_LENGTH:
        KNOWN.add(value)
    return True


def _remember_moment(value: str, known: set[object]) -> bool:
    if len(known) >= _MOMENTS_LIMIT:
        known.clear()
    if len(value) <= _MOMENT_LENGTH:
        known.add(value)
    return True


def is_uri(value: str) -> bool:
    """Return whether this is a uri, url or canonical: no whitespace."""
    return _uri(value) is not None


def is_code(value: str) -> bool:
    """Return whether this is a code: single spaces within, none around."""
    return _code(value) is not None


def is_common_uri(value: str) -> bool:
    """Return the same as is_uri, and remember it: for systems and urls, which come again."""
    return is_uri(value) and _remember(value)


def is_common_code(value: str) -> bool:
    """Return the same as is_code, and remember it, if it is a uri also."""
    return is_code(value) and (" " in value or _remember(value))


def is_common_date_time(value: str) -> bool:
    """Return whether this is a dateTime, and remember it."""
    return is_date_time(value) is not None and _remember_moment(value, MOMENTS)


def is_common_instant(value: str) -> bool:
    """Return whether this is an instant, and remember it."""
    return is_instant(value) is not None and _remember_moment(value, INSTANTS)


def is_decimal(value: bytes | msgspec.Raw) -> bool:
    """Return whether this is the text of a decimal that a database can hold.

    R4 sets no limit. More than 100 characters or an exponent beyond 999 is refused.
    """
    return len(bytes(value)) <= MAX_DECIMAL and _number(value) is not None


def is_base64(value: str) -> bool:
    """Return whether this is base64, whole groups of four, whitespace ignored."""
    if _base64(value) is None:
        value = _spaces.sub("", value)
        if _base64(value) is None:
            return False
    return len(value) % 4 == 0


is_id: Check = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
is_oid: Check = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
is_uuid: Check = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
is_date: Check = re.compile(f"{_DAY}|{_MONTH}").fullmatch
is_date_time: Check = re.compile(f"{_DAY}(?:T{_TIME}{_ZONE})?|{_MONTH}").fullmatch
is_instant: Check = re.compile(f"{_DAY}T{_TIME}{_ZONE}").fullmatch
is_time: Check = re.compile(_TIME).fullmatch

TEXT_CHECKS: Final[dict[str, Check]] = {
    "base64Binary": is_base64,
    "canonical": is_uri,
    "code": is_code,
    "date": is_date,
    "dateTime": is_date_time,
    "id": is_id,
    "instant": is_instant,
    "oid": is_oid,
    "time": is_time,
    "uri": is_uri,
    "url": is_uri,
    "uuid": is_uuid,
    "xhtml": is_narrative,
}
"""The format of each primitive that is a JSON string with a format."""

FREE_TEXT: Final = frozenset({"string", "markdown"})
"""Primitives that are any JSON string of 1 to MAX_STRING characters."""

UNLIMITED: Final = frozenset({"base64Binary"})
"""Primitives longer than MAX_STRING: only the request's own limit holds."""

INTEGERS: Final[dict[str, tuple[int, int]]] = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
}
"""The range of each primitive that is a JSON number without a fraction."""

PRIMITIVES: Final = frozenset({"boolean", "decimal", *TEXT_CHECKS, *FREE_TEXT, *INTEGERS})
"""The names of the R4 primitive types."""

FORMATS: Final[dict[str, str]] = {
    "base64Binary": "base64 in groups of four characters",
    "canonical": "a URL without whitespace",
    "code": "a code: no whitespace around it, single spaces within",
    "date": "YYYY, YYYY-MM or YYYY-MM-DD, a day that exists",
    "dateTime": "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone",
    "id": "1 to 64 letters, digits, '-' and '.'",
    "instant": "YYYY-MM-DDThh:mm:ss with a time zone",
    "oid": "urn:oid: and an OID",
    "time": "hh:mm:ss without a time zone",
    "uri": "a URI without whitespace",
    "url": "a URL without whitespace",
    "uuid": "urn:uuid: and a UUID in lower case",
    "xhtml": "a well-formed <div> of the XHTML that a narrative may hold: no scripts, no forms",
}
"""What to write instead, for the messages."""
