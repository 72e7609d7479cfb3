"""What searches ask for: the values by which the worlds' resources are found, as query texts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.index_values import (
    DATE_MAX,
    DATE_MIN,
    DateValue,
    IndexValues,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    Row,
    StringValue,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.types import from_json
from polyclinic.testing.isolation.defined import own
from polyclinic.testing.isolation.population import (
    ABSENT,
    ASKER,
    MINE,
    MY_WORD,
    THEIRS,
    WORDS,
    moments,
    of,
)
from polyclinic.testing.isolation.samples import Json, sample

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ABSENT_WORD: Final = "nightshade"
_SAMPLED: Final = (
    (ASKER, MINE[0], MY_WORD),
    (THEIRS[0], THEIRS[0], WORDS["left"]),
    (THEIRS[0], THEIRS[0], WORDS["right"]),
    (THEIRS[1], THEIRS[1], WORDS["left"]),
    (ABSENT, ABSENT, _ABSENT_WORD),
)
"""Patient, id and word of the resources whose values are asked for; the last is in no world."""


@cache
def samples(resource_type: str) -> Sequence[Json]:
    """Return a resource of the asker, one of somebody else in each world, and one of nobody."""
    return [
        sample(
            resource_type,
            patient if resource_type == "Patient" else identity,
            word,
            of(patient),
        )
        for patient, identity, word in _SAMPLED
    ]


@cache
def values(resource_type: str) -> Mapping[str, Sequence[str]]:
    """Return query texts by search parameter, of all of ``samples``, each once."""
    found: dict[str, dict[str, None]] = {
        "_id": dict.fromkeys((*MINE, *THEIRS, ASKER, ABSENT)),
        "_lastUpdated": dict.fromkeys(moment.isoformat() for moment in moments()),
    }
    for resource in samples(resource_type):
        for param, text in _texts(extract(from_json(resource), custom=own())):
            found.setdefault(param, {})[text] = None
    return {param: list(texts) for param, texts in found.items()}


def _texts(found: IndexValues) -> Iterator[tuple[str, str]]:
    rows: list[Row] = [*found.tokens, *found.references, *found.uris, *found.strings]
    rows += [*found.dates, *found.numbers, *found.quantities]
    for row in rows:
        if text := _text(row):
            yield row.param, text


def _text(row: Row) -> str:
    found = ""
    match row:
        case TokenValue(system=system, code=code):
            found = f"{system}|{code}" if system is not None and code else code or ""
        case ReferenceValue(target=target, id=identity):
            found = f"{target}/{identity}"
        case UriValue(uri=uri):
            found = uri
        case StringValue(text=text) | NumberValue(text=text):
            found = text
        case DateValue(low=low, high=high):
            found = _day(low if low != DATE_MIN else high)
        case QuantityValue(text=text, system=system, code=code):
            found = f"{text}|{system or ''}|{code or ''}" if text else ""
    return found


def _day(micros: int) -> str:
    if micros in (DATE_MIN, DATE_MAX):
        return ""
    return (_EPOCH + timedelta(microseconds=micros)).date().isoformat()
