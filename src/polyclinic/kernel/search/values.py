"""The values of a query, by the type of their parameter.

Everything here raises BadRequest, with what is wrong and an example, for a value that has not the
form of its type. https://hl7.org/fhir/R4/search.html#ptypes
"""

import math
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.elements import literal_reference
from polyclinic.kernel.search.quantities import about, asked
from polyclinic.kernel.search.ranges import date_range, is_date, number_range
from polyclinic.kernel.search.strings import normalise, phonetic
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.kernel.ucum import SYSTEM as UCUM

PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
"""https://hl7.org/fhir/R4/search.html#prefix"""

MAX_VALUE: Final = 4_096
"""Characters of one value at most."""

MAX_VALUES: Final = 65_536
"""Characters at most of all values of a parameter, with the commas."""

_ESCAPED: Final = re.compile(r"\\([,|$\\])")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class ReferenceTo:
    """A reference in a query: an id, with its type if given, or the uri of something elsewhere."""

    target: str | None
    id: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class NumberText:
    """A number or quantity in a query; [low, high) is what its digits leave open.

    A quantity in a unit of UCUM is in base units, under their code.
    """

    prefix: str
    low: float
    high: float
    exact: float
    system: str | None = None
    """None: any system, and the code may be the unit's name."""
    code: str | None = None
    """None: any unit, and the number as it stands."""


def _refuse(what: str, example: str) -> NoReturn:
    message = f"{what}; write for instance {example}."
    raise BadRequest(message)


def split(text: str, separator: str) -> list[str]:
    r"""Return the parts between separators that no backslash stands before, escapes kept.

    Raise BadRequest for a backslash at the end or before what needs none.
    """
    if len(text) > MAX_VALUE:
        _too_long(MAX_VALUE)
    return _split(text, separator)


def _too_long(most: int) -> NoReturn:
    message = f"A search value has at most {most} characters."
    raise BadRequest(message)


def _split(text: str, separator: str) -> list[str]:
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            if text[at + 1 : at + 2] not in {",", "|", "$", "\\"}:
                _refuse(r"A backslash stands only before , | $ and \ ", r"a\,b")
            parts[-1] += text[at : at + 2]
            at += 2
            continue
        if char == separator:
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    return parts


def split_or(text: str) -> list[str]:
    """Return the values between commas, of which one has to match; their escapes stay."""
    if len(text) > MAX_VALUES:
        _too_long(MAX_VALUES)
    found = _split(text, ",")
    if len(text) > MAX_VALUE and any(len(part) > MAX_VALUE for part in found):
        _too_long(MAX_VALUE)
    return found


def split_composite(text: str) -> list[str]:
    """Return the components between dollar signs; their escapes stay."""
    return split(text, "$")


def unescape(text: str) -> str:
    r"""Return the text without the backslashes before ``, | $ \``."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def parse_token(text: str) -> tuple[str | None, str | None]:
    """Return system and code of ``code``, ``system|code``, ``|code`` or ``system|``.

    System None is any, empty is none; code None is any of the system.
    """
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) == 1 and parts[0]:
        return None, parts[0]
    if len(parts) != 2 or not any(parts):  # noqa: PLR2004 - system and code
        _refuse("A token is a code, or a system and a code", "http://loinc.org|8867-4")
    return parts[0], parts[1] or None


def parse_of_type(text: str) -> tuple[str, str, str]:
    """Return type system, type code and value of ``system|code|value``."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts[1:]):  # noqa: PLR2004 - system, code and value
        _refuse(":of-type takes a system, a code and a value", "http://example.org/types|MR|12345")
    return parts[0], parts[1], parts[2]


def parse_reference(text: str, base: str) -> ReferenceTo:
    """Return what ``id``, ``Type/id`` or a URL refers to.

    ``base`` is the URL of this server's endpoint with a slash at its end; other URLs are a uri.
    """
    plain = unescape(text)
    server, target, id_ = literal_reference(plain, base)
    if target is not None:
        return ReferenceTo(None, "", plain) if server else ReferenceTo(target, id_)
    if _ID.fullmatch(plain):
        return ReferenceTo(None, plain)
    if ":" in plain and not any(char.isspace() for char in plain):
        return ReferenceTo(None, "", plain)
    return _refuse("A reference is an id, a type and an id, or a URL", "Patient/123")


def is_resource_type(name: str) -> bool:
    """Return whether R4 has such a resource type."""
    return name in RESOURCE_TYPES


def parse_string(code: str, text: str) -> str:
    """Return a string as that parameter's values are compared (``strings.normalise``)."""
    plain = unescape(text)
    found = phonetic(plain) if code == "phonetic" else normalise(plain)
    if not found:
        _refuse("A string needs a letter or a digit", "Smith")
    return found


def _prefixed(text: str) -> tuple[str, str]:
    prefix = text[:2]
    return (prefix, text[2:]) if prefix in PREFIXES else ("eq", text)


def parse_date(text: str) -> tuple[str, int, int]:
    """Return prefix and range, in microseconds since 1970 UTC, of a date in a query.

    A date ends at the year, month, day, minute, second or a fraction; without a zone it is UTC. A
    blank before the zone is taken for the plus sign that it was before the URL was decoded.
    """
    prefix, moment = _prefixed(unescape(text).strip())
    moment = moment.replace(" ", "+")
    try:
        if is_date(moment):
            return prefix, *date_range(moment)
    except ValueError:
        pass
    return _refuse("A date is as precise as you like", "ge2024-05 or 2024-05-17T14:30:00Z")


def parse_number(text: str) -> NumberText:
    """Return a number in a query with what its digits leave open, or ``ap`` does."""
    prefix, digits = _prefixed(unescape(text))
    try:
        low, high = number_range(digits)
        if prefix == "ap":
            low, high = (float(bound) for bound in about(digits))
        exact = float(digits)
    except (ValueError, OverflowError):
        _refuse("A number has digits, perhaps a point and an exponent", "gt5.40e-3")
    if not (math.isfinite(low) and math.isfinite(high)):
        _refuse("The number is too large", "gt5.40e-3")
    return NumberText(prefix, low, high, exact)


def parse_quantity(text: str) -> NumberText:
    """Return the quantity of ``number``, ``number|system|code`` or ``number||code``.

    ``number||code`` is the code or the unit, whatever the system; what is compared with what,
    ``quantities`` says.
    """
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in {1, 3}:
        _refuse("A quantity is a number, a system and a code", "5.4|http://unitsofmeasure.org|mg")
    found = parse_number(parts[0])
    if not any(parts[1:]):
        return found
    _, system, code = parts
    if not code:
        _refuse("A unit is a code, with its system or without", "5.4|http://unitsofmeasure.org|mg")
    base = asked(found.prefix, _prefixed(parts[0])[1], code) if system == UCUM else None
    if base is not None:
        prefix, measure, exact = base
        return NumberText(prefix, measure.low, measure.high, exact, UCUM, measure.code)
    return NumberText(found.prefix, found.low, found.high, found.exact, system or None, code)
