"""Single values of a query as conditions on ``k`` (keys) and ``r`` (resource)."""

from collections.abc import Iterable, Sequence
from typing import Final

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.index_values import MAX_NORMALISED
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import (
    CanonicalIs,
    CompositeIs,
    DateIs,
    IdIs,
    Leaf,
    Missing,
    Near,
    NumberIs,
    StringIs,
    TokenIn,
    TokenText,
    Words,
)
from polyclinic.kernel.search.strings import normalise, phonetic
from polyclinic.kernel.store.select import composite
from polyclinic.kernel.store.select.canonical import refers
from polyclinic.kernel.store.select.near import near
from polyclinic.kernel.store.select.ranges import last_updated, of_date, of_number
from polyclinic.kernel.store.select.statement import Among, Statement

_LAST: Final = "\U0010ffff"
"""Sorts behind every character in "C" order."""
_COMPARED: Final = {"equals": "=", "differs": "<>", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
"""In the order of code points, as "C" has it."""
_PATTERN: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def condition(leaf: Leaf, statement: Statement) -> str:
    """Return what holds for a match of a leaf."""
    keys = statement.keys.of(leaf)
    if keys is not None:
        return f"k.keys && {statement.argument(keys, 'bigint[]')}"
    match leaf:
        case StringIs():
            return _within("string_value", leaf.param, _string(leaf, statement), statement)
        case TokenText(param, words) | Words(param, words):
            return _words(param, words, statement)
        case Missing(param, missing):
            return f"not {_present(param, statement)}" if missing else _present(param, statement)
        case CompositeIs():
            return composite.condition(leaf, statement, condition)
        case _:
            return _other(leaf, statement)


def _other(leaf: Leaf, statement: Statement) -> str:
    match leaf:
        case DateIs(None, comparison, low, high):
            return last_updated(comparison, low, high, statement)
        case DateIs(param, comparison, low, high) if param:
            found = of_date(comparison, low, high, statement)
            return _within("date_value", param, found, statement)
        case NumberIs(param):
            unit = statement.keys.unit(leaf.system, leaf.code) if leaf.code else 0
            found = f"v.unit = {statement.argument(unit, 'bigint')}"
            found += f" and {of_number(leaf, statement)}"
            return _within("number_value", param, found, statement)
        case CanonicalIs():
            return refers(leaf, statement)
        case Near():
            return near(leaf, statement)
        case IdIs(ids):
            return f"r.id = any({statement.argument(list(ids), 'text[]')})"
        case TokenIn(param, how):
            message = f"{param.code}:{how}: what it stands for is not known here; name the codes."
            raise BadRequest(message)
        case _:
            raise NotImplementedError(type(leaf).__name__)


def _within(table: str, param: SearchParameter, condition: str, statement: Statement) -> str:
    numbers = statement.keys.searched(param)
    return Among.of(
        f"select v.rid from {table} v where v.tenant = $1"  # noqa: S608 - names of tables
        f" and {statement.numbered('v', numbers)} and {condition}"
    )


def _string(leaf: StringIs, statement: Statement) -> str:
    # Longer values are kept by their beginning only.
    text = leaf.text[:MAX_NORMALISED]
    match leaf.how:
        case "exact":
            compared = phonetic if leaf.param.code == "phonetic" else normalise
            value = statement.argument(compared(leaf.text)[:MAX_NORMALISED], "text")
            exact = statement.argument(statement.keys.exact(leaf.text), "int")
            return f"v.value = {value} and v.exact = {exact}"
        case "equals" | "differs" | "gt" | "lt" | "ge" | "le":
            return f"v.value {_COMPARED[leaf.how]} {statement.argument(text, 'text')}"
        case "starts":
            low = statement.argument(text, "text")
            high = statement.argument(text + _LAST, "text")
            return f"v.value >= {low} and v.value < {high}"
        case "contains" | "ends":
            pattern = "%" + leaf.text.translate(_PATTERN) + "%" * (leaf.how == "contains")
            return f"v.value like {statement.argument(pattern, 'text')}"


def _words(param: SearchParameter, words: Iterable[str], statement: Statement) -> str:
    """Return what holds for what has every word; of each, one key is enough."""
    found = [statement.keys.words(param, word) for word in words]
    several = [_has_word(keys, statement) for keys in found if len(keys) > 1]
    single = [key for keys in found if len(keys) == 1 for key in keys]
    if single:
        several.insert(0, f"k.words @> {statement.argument(single, 'bigint[]')}")
    return " and ".join(several)


def _has_word(keys: Sequence[int], statement: Statement) -> str:
    return f"k.words && {statement.argument(list(keys), 'bigint[]')}"


def _present(param: SearchParameter, statement: Statement) -> str:
    """Return what holds for what has a value of a parameter."""
    keys = statement.keys.present(param)
    if keys is not None:
        return f"k.keys && {statement.argument(keys, 'bigint[]')}"
    match param.code:
        case "_text":
            return _has_word(statement.keys.narrated(), statement)
        case "_content":
            return "k.words <> '{}'"
        case _ if param.type == "composite":
            return composite.present(param, statement)
        case _:
            return "true"
