"""The searches by which a resource has to be found: each of its values, in each way of asking."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from math import isfinite
from typing import Final, NamedTuple

from polyclinic.kernel.search.hashed_forms import path_prefixes
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
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.resource_words import as_text, narrative_words, text_words
from polyclinic.kernel.search.strings import normalise

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """One search parameter, as a request has it."""

    param: str
    modifier: str
    text: str

    @property
    def name(self) -> str:
        """Return the parameter with its modifier."""
        return f"{self.param}:{self.modifier}" if self.modifier else self.param


def escaped(text: str) -> str:
    """Return a text as a value of a query."""
    for special in "\\$|,":
        text = text.replace(special, f"\\{special}")
    return text


def own_searches(values: IndexValues) -> Iterator[Asked]:
    """Yield every search of one parameter that finds what has these values."""
    yield from _by_token(values)
    yield from _by_reference(values)
    yield from _by_uri(values)
    yield from _by_string(values)
    rows: list[Row] = [*values.dates, *values.numbers, *values.quantities]
    for row in rows:
        for text in _ordered(row):
            yield Asked(row.param, "", text)
    for place in values.positions:
        yield Asked(place.param, "", f"{place.latitude:f}|{place.longitude:f}|1|m")
    yield from _by_composite(values)
    yield from _by_word(values)


def _by_token(values: IndexValues) -> Iterator[Asked]:
    for token in values.tokens:
        for text in _tokens(token):
            yield Asked(token.param, "", text)
        if token.text and normalise(token.text):
            yield Asked(token.param, "text", escaped(token.text))
        for system, code in token.types if token.code else ():
            parts = (system or "", code, token.code or "")
            yield Asked(token.param, "of-type", "|".join(map(escaped, parts)))


def _tokens(token: TokenValue) -> Iterator[str]:
    if token.code is not None:
        yield escaped(token.code)
        yield f"{escaped(token.system or '')}|{escaped(token.code)}"
    if token.system:
        yield f"{escaped(token.system)}|"


def _by_reference(values: IndexValues) -> Iterator[Asked]:
    known = parameters(values.resource_type)
    for one in values.references:
        yield Asked(one.param, "", f"{one.target}/{one.id}")
        if one.target in known[one.param].targets:
            yield Asked(one.param, one.target, one.id)
    for identifier in values.identifiers:
        for text in _tokens(identifier):
            yield Asked(identifier.param, "identifier", text)


def _by_uri(values: IndexValues) -> Iterator[Asked]:
    known = parameters(values.resource_type)
    for one in values.uris:
        yield Asked(one.param, "", escaped(one.uri))
        if known[one.param].type == "uri" and "://" in one.uri and "|" not in one.uri:
            yield Asked(one.param, "above", escaped(f"{one.uri}/further"))
            for path in (one.uri, *path_prefixes(one.uri)):
                yield Asked(one.param, "below", escaped(path))


def _by_string(values: IndexValues) -> Iterator[Asked]:
    for one in values.strings:
        yield Asked(one.param, "exact", escaped(one.text))
        if one.normalised and one.param != "phonetic":
            yield Asked(one.param, "", escaped(one.text))
            yield Asked(one.param, "contains", escaped(one.normalised[1:] or one.normalised))


def _ordered(row: Row) -> Iterator[str]:
    match row:
        case DateValue(_, low, high):
            if low != DATE_MIN:
                yield from (f"ge{_moment(low)}", f"gt{_moment(low - 1)}")
            if high != DATE_MAX:
                yield f"lt{_moment(high)}"
        case NumberValue(_, low, high, text) if text and isfinite(low) and isfinite(high):
            yield from (text, f"ge{text}", f"le{text}", f"ap{text}")
        case QuantityValue() if row.text and isfinite(row.low) and isfinite(row.high):
            yield row.text
            for name in filter(None, {row.code, row.unit}):
                yield f"{row.text}||{escaped(name)}"
            if row.system and row.code:
                yield f"{row.text}|{escaped(row.system)}|{escaped(row.code)}"
        case _:
            pass


def _moment(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _by_composite(values: IndexValues) -> Iterator[Asked]:
    for composite in values.composites:
        forms = [[text for row in rows for text in _one(row)] for rows in composite.components]
        for texts in product(*forms):
            yield Asked(composite.param, "", "$".join(texts))


def _one(row: Row) -> Iterator[str]:
    match row:
        case TokenValue():
            yield from _tokens(row)
        case ReferenceValue():
            yield f"{row.target}/{row.id}"
        case UriValue():
            yield escaped(row.uri)
        case StringValue():
            yield escaped(row.text)
        case _:
            yield from _ordered(row)


def _by_word(values: IndexValues) -> Iterator[Asked]:
    said = values.said
    for words, param in (
        (narrative_words(said), "_text"),
        *((text_words(as_text(text)), "_content") for text in said.texts),
    ):
        if words:
            yield Asked(param, "", " ".join(f'"{word}"' for word in words))
