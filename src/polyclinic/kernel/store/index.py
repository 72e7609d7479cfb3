"""From the values of a resource to index rows, and from a query to the same hashes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from polyclinic.kernel.search.composites import Tie, ties_of
from polyclinic.kernel.search.hashed_words import hash_words, narrative_key, word_keys
from polyclinic.kernel.search.hashing import (
    below_keys,
    compartment_key,
    contained_key,
    hash_keys,
    identifier_key,
    label_keys,
    of_type_keys,
    present_keys,
    reference_key,
    tie_key,
    token_keys,
    unmet_key,
    uri_key,
)
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import (
    COLUMN_PARAMETERS,
    WORD_PARAMETERS,
    SearchParameter,
    compartment_parameters,
    parameters,
)
from polyclinic.kernel.search.predicate import (
    CompositeIs,
    Contains,
    IdentifierIs,
    InCompartment,
    Leaf,
    Missing,
    Predicate,
    RefersTo,
    TokenIs,
    TokenOfType,
    UriBelow,
    UriIs,
)
from polyclinic.kernel.search.tied_keys import asked_key, under_unit
from polyclinic.kernel.search.unions import unions
from polyclinic.kernel.store.care import relations
from polyclinic.kernel.store.number_rows import number_rows, place_number
from polyclinic.kernel.store.numbers import (
    answer_numbers,
    canonical_number,
    edge_number,
    exact_number,
    marked,
    param_number,
    unit_number,
)
from polyclinic.kernel.store.placement import Place
from polyclinic.kernel.store.row import Index, index_version
from polyclinic.kernel.types import type_number


@cache
def _place_type(name: str) -> int:
    return type_number(name)


def targets(values: IndexValues) -> set[Place]:
    """Return what a resource refers to, with the patients whose compartments it is in."""
    found = {(_place_type(value.target), value.id) for value in values.references}
    if values.patients:
        patient = _place_type("Patient")
        found.update((patient, one) for one in values.patients)
    return found


def build(values: IndexValues, key: bytes, rid_of: Mapping[Place, int]) -> Index:
    """Return the index rows of a resource whose targets have rids."""
    resource_type = values.resource_type
    patient = _place_type("Patient")
    return Index(
        patients=sorted(rid_of[patient, one] for one in values.patients),
        keys=hash_keys(values, resource_type, key),
        words=hash_words(values, key),
        edges=sorted({*_by_id(values, rid_of), *_by_url(values, key)}),
        strings=marked(
            (
                param_number(resource_type, value.param),
                value.normalised,
                exact_number(value.text, key),
            )
            for value in values.strings
        ),
        dates=marked(
            (param_number(resource_type, value.param), value.low, value.high)
            for value in values.dates
        ),
        numbers=number_rows(values, key),
        labels=label_keys(values, resource_type, key),
        care=[
            (rid_of[one.staff], rid_of[patient, one.patient], one.low, one.high)
            for one in relations(values)
        ],
        version=index_version(values.custom.number if values.custom else 0),
    )


def _by_id(values: IndexValues, rid_of: Mapping[Place, int]) -> Iterator[tuple[int, int]]:
    """Yield the edges to what a resource refers to by id."""
    for value in values.references:
        place = _place_type(value.target), value.id
        yield edge_number(values.resource_type, value.param), rid_of[place]


def _by_url(values: IndexValues, key: bytes) -> Iterator[tuple[int, int]]:
    """Yield the edges to canonicals: those that a resource refers to, and those it answers to."""
    for value in values.canonicals:
        yield edge_number(values.resource_type, value.param), canonical_number(value.uri, key)
    if values.answers:
        numbers = answer_numbers(values.resource_type)
        yield from (
            (number, canonical_number(name, key))
            for number, name in zip(numbers, values.answers, strict=False)
        )


def _hashed(part: Predicate, key: bytes) -> Callable[[str], Iterable[int]] | None:
    """Return what makes the keys of a single value in a type; None for what is not hashed."""
    found: Callable[[str], Iterable[int]] | None = None
    match part:
        case TokenIs(param, system, code):
            found = lambda one: token_keys(one, param, (system, code), key)  # noqa: E731
        case TokenOfType(param):
            parts = (part.system, part.code, part.value)
            found = lambda one: of_type_keys(one, param, parts, key)  # noqa: E731
        case RefersTo(param, target, identity):
            found = lambda one: [reference_key(one, param, target, identity, key)]  # noqa: E731
        case IdentifierIs(param, system, code):
            found = lambda one: [identifier_key(one, param, system, code, key)]  # noqa: E731
        case UriIs(param, uri):
            found = lambda one: [uri_key(one, param, uri, key)]  # noqa: E731
        case UriBelow(param, uri):
            found = lambda one: below_keys(one, param, uri, key)  # noqa: E731
        case _:
            pass
    return found


class QueryKeys:
    """The hashes of a query's values for one type or several, under one tenant's key."""

    def __init__(self, key: bytes, *types: str) -> None:
        self._key = key
        self.types = types

    def about(self, *types: str) -> "QueryKeys":
        """Return the hashes for other types."""
        return QueryKeys(self._key, *types)

    def of(self, part: Predicate) -> list[int] | None:
        """Return the keys of which a match has one or more; None for what is not hashed."""
        match part:
            case CompositeIs(param, parts):
                return self._composite(
                    param, lambda one, tie: asked_key(parts, tie, one, self._key)
                )
            case Missing(param, missing=False):
                return self.present(param)
            case Contains(kind):
                return self.contains(kind)
            case InCompartment(owner, identity):
                return self._each(lambda one: self._owned(one, owner, identity))
            case _:
                return self._value(part)

    def _value(self, part: Predicate) -> list[int] | None:
        """Return the keys of a single value."""
        keys_of = _hashed(part, self._key)
        return None if keys_of is None else self._each(keys_of)

    def _owned(self, resource_type: str, owner: str, identity: str) -> Iterable[int]:
        """Return the keys of what puts a resource into a compartment."""
        if owner == "Patient":
            yield compartment_key(resource_type, identity, self._key)
            return
        known = parameters(resource_type)
        for code in sorted(compartment_parameters(resource_type, owner)):
            yield reference_key(resource_type, known[code], owner, identity, self._key)

    def _each(self, keys_of: Callable[[str], Iterable[int]]) -> list[int]:
        return [key for one in self.types for key in keys_of(one)]

    def _composite(
        self, param: SearchParameter, key_of: Callable[[str, Tie], int]
    ) -> list[int] | None:
        """Return a key for each tie, where all of them are found by one."""
        found = [(one, tie) for one in self.types for tie in ties_of(one, param)]
        if all(tie.stored and not tie.ordered for _, tie in found):
            return [key_of(*each) for each in found]
        return None

    def compartment(self, patient: str) -> list[int]:
        """Return the keys of what belongs to a patient."""
        return [compartment_key(one, patient, self._key) for one in self.types]

    def contains(self, contained: str) -> list[int]:
        """Return the keys of what contains a resource of a type."""
        return [contained_key(one, contained, self._key) for one in self.types]

    def present(self, param: SearchParameter) -> list[int] | None:
        """Return the keys of which a resource has one when a parameter has a value.

        None where that is no question of keys: of columns, of words, of most composites.
        """
        if param.code in COLUMN_PARAMETERS or param.code in WORD_PARAMETERS:
            return None
        if param.type == "composite":
            return self._composite(param, lambda one, tie: tie_key(one, tie, self._key))
        return self._each(lambda one: present_keys(one, param, self._key))

    def unmet(self, tie: Tie) -> list[int]:
        """Return the keys of what has a component's value outside a composite."""
        return [unmet_key(one, tie, self._key) for one in self.types] if tie.loose else []

    def tied_present(self, tie: Tie) -> list[int]:
        """Return the keys of what has a composite's values where they are found by keys."""
        return [tie_key(one, tie, self._key) for one in self.types]

    def tied(self, tie: Tie, parts: Sequence[Leaf]) -> int:
        """Return what the hashed components of a tie of the one type are filed under."""
        (resource_type,) = self.types
        return asked_key(parts, tie, resource_type, self._key)

    def under(self, tied: int, unit: int) -> int:
        """Return what an ordered component is filed under."""
        return under_unit(tied, unit, self._key)

    def words(self, param: SearchParameter, word: str) -> list[int]:
        """Return the keys of which a resource has one that has a word."""
        return self._each(lambda one: word_keys(one, param, word, self._key))

    def narrated(self) -> list[int]:
        """Return the keys of what has a narrative."""
        return [narrative_key(one, self._key) for one in self.types]

    def unit(self, system: str | None, code: str) -> int:
        """Return the number of a unit."""
        return unit_number(system, code, self._key)

    def canonicals(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of canonicals."""
        return [canonical_number(one, self._key) for one in names]

    def exact(self, text: str) -> int:
        """Return the number of a text as it stands."""
        return exact_number(text, self._key)

    def params(self, param: SearchParameter) -> list[int]:
        """Return the numbers of a parameter in the rows that it is sorted by."""
        return [param_number(one, param.code) for one in self.types]

    def searched(self, param: SearchParameter) -> list[int]:
        """Return the numbers of a parameter in the rows that it is searched for by."""
        return [
            param_number(one, code)
            for one in self.types
            for code in unions(one).get(param.code, (param.code,))
        ]

    def places(self, param: SearchParameter, axis: str) -> list[int]:
        """Return the numbers of a parameter's latitudes or longitudes."""
        return [place_number(one, param.code, axis) for one in self.types]
