"""The types that a search walks through: what is found depends on what may be searched of each."""

from collections.abc import Iterator

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


def walked(query: Query) -> list[str]:
    """Return the types that a query names: its own, at the ends of references, or included.

    A principal that may not search one of them may not run the query.
    """
    named = {include.target for include in query.includes}
    named.update(include.source for include in query.includes)
    named.discard(None)
    named.update(query.types, _ends(query.where))
    return sorted(name for name in named if name is not None)


def _ends(part: Predicate) -> Iterator[str]:
    match part:
        case AllOf(parts) | AnyOf(parts):
            for one in parts:
                yield from _ends(one)
        case Not(part):
            yield from _ends(part)
        case Linked(_, target, where):
            yield target
            yield from _ends(where)
        case Has(source, _, where):
            yield source
            yield from _ends(where)
        case InList():
            yield "List"
        case _:
            return
