"""Which parameters of a query the tenant defined, and what is to be said of them."""

from collections.abc import Iterator, Sequence

from polyclinic.kernel.search.leaf_tests import param_of
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Has,
    InList,
    Linked,
    Not,
    Predicate,
    Query,
)

Named = tuple[str, SearchParameter]
"""A parameter with the type that it is of."""


def incomplete(query: Query, *, counted: bool = False) -> list[str]:
    """Return a sentence for each of the tenant's own parameters that is not complete yet.

    Only where it is ``counted``, how many resources wait is told: others' are among them.
    """
    found = []
    for name, param in own_parameters(query):
        progress = query.custom.waiting(name, param.code)
        if progress is not None:
            many = f" ({progress.waiting:,})" if counted and progress.waiting is not None else ""
            found.append(
                f"{param.code} of {name} is not complete yet: resources that were stored before it "
                f"was defined or changed wait for their index rows{many}, and are found by what "
                "they had before, or not at all."
            )
    return found


def unevaluated(query: Query) -> list[str]:
    """Return a sentence for each of the tenant's own parameters that fails on some resources.

    It tells how many, and others' are among them.
    """
    found = []
    for name, param in own_parameters(query):
        many = query.custom.faults(name, param.code)
        if many:
            found.append(
                f"The expression of {param.code} could not be evaluated on {many:,} resources when "
                "they were last counted; they have no value of it."
            )
    return list(dict.fromkeys(found))


def own_parameters(query: Query) -> list[Named]:
    """Return the tenant's own parameters that decide what a query finds, or its order."""
    if not query.custom.own:
        return []
    found = list(_in(query.where, query.types))
    for sort in query.sort:
        if sort.param is not None:
            found += [(name, sort.param) for name in query.types]
    for include in query.includes:
        params = (include.param, *include.further)
        found += [(include.source, one) for one in params if one and include.source]
    return list(dict.fromkeys(one for one in found if one[1].custom))


def _in(part: Predicate, types: Sequence[str]) -> Iterator[Named]:
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _in(one, types)
        case Not(inner):
            yield from _in(inner, types)
        case Linked(param, target, where):
            yield from ((name, param) for name in types)
            yield from _in(where, (target,))
        case Has(source, param, where):
            yield source, param
            yield from _in(where, (source,))
        case InList():
            return
        case _:
            found = param_of(part)
            if found is not None:
                yield from ((name, found) for name in types)
