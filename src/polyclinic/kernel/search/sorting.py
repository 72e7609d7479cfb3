"""The order of resources in memory, by what the database has only hashes of.

It is the order that the database has: each key by the lowest value of a resource, or the highest
when descending; what has none comes last in either direction.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Sort

SortValue: TypeAlias = str | int | float | None
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def sort_values(
    sorts: Sequence[Sort], identity: str, updated: datetime, values: IndexValues | None
) -> tuple[SortValue, ...]:
    """Return what a resource is sorted by, one value for each key.

    ``values`` None stands for a resource that cannot be opened: it has no value.
    Raise ``BadRequest`` for a parameter whose values have no order.
    """
    return tuple(
        _extreme(sort, identity, (updated - _EPOCH) // timedelta(microseconds=1), values)
        for sort in sorts
    )


def _extreme(sort: Sort, identity: str, updated: int, values: IndexValues | None) -> SortValue:
    if sort.param is None:
        return updated
    if sort.param.code == "_id":
        return identity
    found = sorted(_values(sort.param, values)) if values else []
    if not found:
        return None
    extreme: SortValue = found[-1 if sort.descending else 0]
    return extreme


def _values(param: SearchParameter, values: IndexValues) -> Iterable[Any]:
    of = _VALUES.get(param.type)
    if of is None:
        message = f"_sort: {param.code} has no order."
        raise BadRequest(message)
    return of(param.code, values)


def _uris(code: str, values: IndexValues) -> Iterable[str]:
    return (one.uri for one in values.uris if one.param == code)


_VALUES: Final[dict[str, Callable[[str, IndexValues], Iterable[Any]]]] = {
    "token": lambda code, values: (
        # The system decides only where the codes are the same; no code holds the separator.
        f"{one.code or ''}\n{one.system or ''}"
        for one in values.tokens
        if one.param == code and (one.code or one.system)
    ),
    "reference": lambda code, values: [
        *(f"{one.target}/{one.id}" for one in values.references if one.param == code),
        *_uris(code, values),
    ],
    "uri": _uris,
    "string": lambda code, values: (one.normalised for one in values.strings if one.param == code),
    "date": lambda code, values: (one.low for one in values.dates if one.param == code),
    "number": lambda code, values: (one.low for one in values.numbers if one.param == code),
    "quantity": lambda code, values: (one.low for one in values.quantities if one.param == code),
}
IN_ORDER: Final = frozenset(_VALUES)
"""The types of search parameters that a page can be sorted by."""


def compare(
    sorts: Sequence[Sort],
    one: tuple[tuple[SortValue, ...], int],
    other: tuple[tuple[SortValue, ...], int],
) -> int:
    """Compare two places (values and rid): below 0 when the first comes first.

    Ties go by rid, in the direction of the first key; without keys, the newest comes first.
    """
    for sort, left, right in zip(sorts, one[0], other[0], strict=True):
        found = _compared(left, right, descending=sort.descending)
        if found:
            return found
    return _compared(one[1], other[1], descending=not sorts or sorts[0].descending)


def _compared(left: Any, right: Any, *, descending: bool) -> int:
    if left == right:
        return 0
    if left is None or right is None:
        return 1 if left is None else -1
    return 1 if (left > right) != descending else -1
