"""Composites: values that one element has together.

https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Callable
from itertools import product
from typing import Final, get_args

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import AnyOf, CompositeIs, Leaf, Predicate
from polyclinic.kernel.search.query import ordered
from polyclinic.kernel.search.query.limits import refuse
from polyclinic.kernel.search.query.references import reference
from polyclinic.kernel.search.query.searched import Searched, parameters_of
from polyclinic.kernel.search.query.strings import string
from polyclinic.kernel.search.query.tokens import token
from polyclinic.kernel.search.query.uris import uri

_LEAVES: Final = get_args(Leaf)

_READERS: Final[dict[str, Callable[[Searched, SearchParameter, str, str], Predicate]]] = {
    "token": token,
    "reference": reference,
    "string": string,
    "uri": uri,
    "date": ordered.date,
    "number": ordered.number,
    "quantity": ordered.quantity,
}


def composite(searched: Searched, param: SearchParameter, _: str, text: str) -> Predicate:
    """Return what one value of a composite asks, of its components in their order."""
    texts = values.split_composite(text)
    parts = component_parameters(searched, param)
    if len(texts) != len(parts) or not all(texts):
        names = "$".join(part.code for part in parts)
        refuse(f"{param.code} takes {len(parts)} values with $ between them: {names}.")
    alternatives = [
        _leaves(_READERS[part.type](searched, part, "", one))
        for part, one in zip(parts, texts, strict=True)
    ]
    found = tuple(CompositeIs(param, chosen) for chosen in product(*alternatives))
    return found[0] if len(found) == 1 else AnyOf(found)


def component_parameters(searched: Searched, param: SearchParameter) -> list[SearchParameter]:
    """Return the search parameters that the components of a composite name."""
    if param.custom:
        return list(param.parts)
    known = parameters_of(searched.types[0])
    return [known[code] for code, _ in param.components]


def _leaves(found: Predicate) -> list[Leaf]:
    """Return the leaves of which one has to hold: a bare id may be of several types."""
    parts = found.parts if isinstance(found, AnyOf) else (found,)
    return [part for part in parts if isinstance(part, _LEAVES)]
