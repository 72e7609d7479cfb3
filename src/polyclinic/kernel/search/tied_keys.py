"""Keyed hashes of composites: of the components of one element that are found as a whole.

Where all components are so found, they are keys like those of ``hashing``. Where one has an order,
a number or a date, they are what the rows of its values are filed under.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.search.composites import Tie
from polyclinic.kernel.search.hashed_forms import (
    PLAIN,
    Field,
    combined,
    digest,
    fields,
    form,
    forms,
    reference_form,
    uri_form,
)
from polyclinic.kernel.search.index_values import (
    MAX_COMBINATIONS,
    CompositeValue,
    IndexValues,
    ReferenceValue,
    Row,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.predicate import Leaf, RefersTo, TokenIs, UriIs


def tied_keys(composite: CompositeValue, tie: Tie, values: IndexValues, key: bytes) -> list[int]:
    """Return one key for each combination of the values of the tie's hashed components.

    Raise InvalidResource when there are more than MAX_COMBINATIONS.
    """
    known = fields(values.resource_type) if values.custom is None else values.custom.fields
    found = [list(dict.fromkeys(_forms(known, composite.components[at]))) for at in tie.hashed]
    total = 1
    for one in found:
        total *= len(one)
    if total > MAX_COMBINATIONS:
        message = (
            f"{composite.param} has more than {MAX_COMBINATIONS} combinations; use fewer codes."
        )
        raise InvalidResource((Issue("too-costly", message),))
    name = _name(values.resource_type, tie)
    return [digest(key, name + combined(parts)) for parts in product(*found)]


def asked_key(parts: Sequence[Leaf], tie: Tie, resource_type: str, key: bytes) -> int:
    """Return the key of the hashed components that a query asks for.

    ``parts`` are of all components, in their order.
    """
    known = fields(resource_type)
    # The components of what a tenant defined are no parameters: nothing is implied of their codes.
    asked = [_asked(known.get(tie.components[at].code, PLAIN), parts[at]) for at in tie.hashed]
    return digest(key, _name(resource_type, tie) + combined(asked))


@lru_cache(maxsize=8192)
def under_unit(tied: int, unit: int, key: bytes) -> int:
    """Return what a row of an ordered component is filed under; ``unit`` is 0 without one."""
    return digest(key, f"{tied}\0t{unit}")


def _name(resource_type: str, tie: Tie) -> str:
    return f"{resource_type}.{tie.name}\0"


def _forms(known: Mapping[str, Field], rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        match row:
            case TokenValue(param, system, code):
                field = known.get(param, PLAIN)
                yield from forms(field, system, code)
                if field.implicit_system:
                    yield "p"
            case ReferenceValue(_, target, id_):
                yield reference_form(target, id_)
            case UriValue(_, uri):
                yield uri_form(uri)
            case _:
                pass


def _asked(field: Field, part: Leaf) -> str:
    match part:
        case TokenIs(_, system, code):
            return form(field, system, code)
        case RefersTo(_, target, identity):
            return reference_form(target, identity)
        case UriIs(_, uri):
            return uri_form(uri)
        case _:
            raise NotImplementedError(type(part).__name__)
