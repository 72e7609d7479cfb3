"""Which searches may read very much, told from their shape: the planner is asked about those.

Whatever asks for one patient, one identifier or some ids reads little, and nobody asks.
"""

from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    IdentifierIs,
    IdIs,
    InCompartment,
    InList,
    Linked,
    Missing,
    Near,
    Not,
    NumberIs,
    Predicate,
    Query,
    RefersTo,
    StringIs,
    TokenIs,
    TokenOfType,
)
from polyclinic.kernel.store.select.order import in_memory


def dear(query: Query) -> str | None:
    """Return the parameter that may make a page dear; None where it certainly is not."""
    if is_selective(query.where):
        return None
    for number, part in enumerate(query.where.parts):
        if _is_dear(part):
            named = number < len(query.conditions)
            return query.conditions[number][0] if named else "the search"
    if len(query.sort) > 1 or in_memory(query) or _is_unwalked(query):
        return "_sort"
    return "the search of several types" if len(query.types) > 1 else None


def _is_unwalked(query: Query) -> bool:
    """Say whether no index is in the order: numbers stand under their units."""
    param = query.sort[0].param
    return param is not None and param.type in ("number", "quantity")


def is_selective(part: Predicate) -> bool:
    """Say whether few resources match, however many there are."""
    match part:
        case RefersTo() | IdentifierIs() | TokenOfType() | IdIs() | InCompartment() | InList():
            return True
        case TokenIs(param, _, code):
            return code is not None and param.code == "identifier"
        case AllOf(parts):
            return any(is_selective(one) for one in parts)
        case AnyOf(parts):
            return all(is_selective(one) for one in parts)
        case Linked(_, _, where) | Has(_, _, where):
            return is_selective(where)
        case _:
            return False


def _is_dear(part: Predicate) -> bool:
    match part:
        case StringIs(_, how):
            return how not in ("starts", "exact", "equals")
        case Not() | Linked() | Has() | Near() | NumberIs() | Missing(_, missing=True):
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(_is_dear(one) for one in parts)
        case _:
            return False
