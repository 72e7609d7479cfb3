"""The keys of what is searched for as a whole: tokens, references, uris, presence.

``hash_keys`` makes those of a resource, the other functions those of a query (``hashed_forms`` says
what a key is). Bounded caches hold the keys of short values met lately: common codes and patients
come again.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.search.composites import Tie, ties
from polyclinic.kernel.search.hashed_forms import (
    Field,
    digest,
    field_of,
    fields,
    form,
    forms,
    path_prefixes,
    reference_form,
    typed,
    uri_form,
)
from polyclinic.kernel.search.index_values import MAX_SEGMENTS, IndexValues, TokenValue
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.strings import LONGEST_REMEMBERED, contact
from polyclinic.kernel.search.tied_keys import tied_keys


@lru_cache(maxsize=16_384)
def _token(key: bytes, field: Field, system: str | None, code: str | None) -> tuple[int, ...]:
    found = [digest(key, field.name + one) for one in forms(field, system, code)]
    return (digest(key, field.present), *found)


@lru_cache(maxsize=16_384)
def _reference(key: bytes, field: Field, target: str, id_: str) -> tuple[int, int]:
    return digest(key, field.present), digest(key, field.name + reference_form(target, id_))


@lru_cache(maxsize=16_384)
def compartment_key(resource_type: str, patient: str, key: bytes) -> int:
    """Return the key of what lies in a patient's compartment, by whichever parameter."""
    return digest(key, f"{resource_type}.\0@{patient}")


@lru_cache(maxsize=4_096)
def _uri(key: bytes, field: Field, uri: str) -> tuple[int, ...]:
    found = [digest(key, field.present), _uri_key(key, field, uri)]
    if field.paths:
        prefixes = path_prefixes(uri)
        if len(prefixes) > MAX_SEGMENTS:
            message = f"A uri has more than {MAX_SEGMENTS} path segments."
            raise InvalidResource((Issue("too-costly", message),))
        found += [digest(key, f"{field.name}b{prefix}") for prefix in prefixes]
    return tuple(found)


def _uri_key(key: bytes, field: Field, uri: str) -> int:
    # Under the parameter's own name: a shared one would not know what `resolves` keeps out.
    return digest(key, (field.present if field.resolves else field.name) + uri_form(uri))


@lru_cache(maxsize=4_096)
def _present(key: bytes, field: Field) -> int:
    return digest(key, field.present)


def hash_keys(values: IndexValues, resource_type: str, key: bytes) -> list[int]:
    """Return the keys of a resource, sorted, each once.

    Tokens (also ``:of-type``), references (also ``:identifier``), uris (also ``:below``),
    composites of nothing else, the compartments of patients, the types of what is contained, and a
    mark for each parameter that has a value (``:missing``).

    Raise InvalidResource when one composite element has more than MAX_COMBINATIONS combinations.
    """
    own = values.custom
    known = fields(resource_type) if own is None else own.fields
    found: set[int] = set()
    _add_tokens(found, values.tokens, known, key)
    for reference in values.references:
        found.update(_reference(key, known[reference.param], reference.target, reference.id))
    for uri in values.uris:
        short = len(uri.uri) <= LONGEST_REMEMBERED
        found.update((_uri if short else _uri.__wrapped__)(key, known[uri.param], uri.uri))
    if values.identifiers:
        found.update(_identifiers(key, known, values.identifiers))
    found.update(_marks(values, known, key))
    found.update([compartment_key(resource_type, one, key) for one in values.patients])
    if values.contained:
        found.update([contained_key(resource_type, one, key) for one in values.contained])
    ties_of = ties(resource_type) if own is None else own.ties
    if ties_of:
        found.update(_composites(values, ties_of, key))
    if values.faults:
        found.update([fault_key(resource_type, code, key) for code in values.faults])
    return sorted(found)


def _add_tokens(
    found: set[int], tokens: Iterable[TokenValue], known: Mapping[str, Field], key: bytes
) -> None:
    for token in tokens:
        field = known[token.param]
        if field.united:
            continue
        system, code = token.system, token.code
        short = len(code or "") + len(system or "") <= LONGEST_REMEMBERED
        found.update((_token if short else _token.__wrapped__)(key, field, system, code))
        if token.types:
            found.update(_of_type(key, field, token))


def label_keys(values: IndexValues, resource_type: str, key: bytes) -> list[int]:
    """Return the keys of a resource's security labels, sorted; they are among its other keys."""
    labels = [token for token in values.tokens if token.param == "_security" and token.code]
    if not labels:
        return []
    field = fields(resource_type)["_security"]
    found = {form(field, token.system or "", token.code) for token in labels}
    return sorted(digest(key, field.name + one) for one in found)


def _marks(values: IndexValues, known: Mapping[str, Field], key: bytes) -> list[int]:
    """Return the marks of the parameters whose values are not hashed."""
    params = {row.param for row in values.strings}
    params.update([row.param for row in values.dates])
    params.update([row.param for row in values.numbers])
    params.update([row.param for row in values.quantities])
    params.update([row.param for row in values.positions])
    return [_present(key, known[param]) for param in params if not known[param].united]


def _of_type(key: bytes, field: Field, token: TokenValue) -> Iterable[int]:
    for system, code in token.types:
        yield digest(key, field.name + typed(system or "", code, token.code or ""))


def _identifiers(
    key: bytes, known: Mapping[str, Field], tokens: Iterable[TokenValue]
) -> Iterable[int]:
    for token in tokens:
        field = known[token.param]
        yield digest(key, field.present)
        # Under the parameter's own name: a shared one would not know what `resolves` keeps out.
        for one in forms(field, token.system, token.code):
            yield digest(key, f"{field.present}i{one}")


def _composites(
    values: IndexValues, ties_of: Mapping[str, Sequence[Tie]], key: bytes
) -> Iterable[int]:
    """Yield the keys of composites of whole values, their marks, and the marks of loose ties."""
    resource_type = values.resource_type
    for composite in values.composites:
        tie = ties_of[composite.param][composite.at]
        if tie.code == composite.param and tie.stored and not tie.ordered:
            yield tie_key(resource_type, tie, key)
            yield from tied_keys(composite, tie, values, key)
    for tie in _loose(resource_type):
        if not any((one.param, one.at) == (tie.code, tie.at) for one in values.composites):
            yield from _unmet(values, tie, key)


@cache
def _loose(resource_type: str) -> tuple[Tie, ...]:
    every = chain.from_iterable(ties(resource_type).values())
    return tuple(dict.fromkeys(tie for tie in every if tie.loose))


def _unmet(values: IndexValues, tie: Tie, key: bytes) -> Iterable[int]:
    """Yield the mark of a tie whose parameters have values of the resource that it has not."""
    codes = {param.code for param in tie.loose}
    params = {row.param for row in values.tokens}
    params.update([row.param for row in values.strings])
    params.update([row.param for row in values.quantities])
    params.update([row.param for row in values.dates])
    params.update([row.param for row in values.numbers])
    if not params.isdisjoint(codes):
        yield unmet_key(values.resource_type, tie, key)


def tie_key(resource_type: str, tie: Tie, key: bytes) -> int:
    """Return the key of every resource that has a composite's values, for ``:missing``."""
    return digest(key, f"{resource_type}.{tie.name}\0k")


def unmet_key(resource_type: str, tie: Tie, key: bytes) -> int:
    """Return the key of a resource where only a component's own parameter has values."""
    return digest(key, f"{resource_type}.{tie.name}\0!")


def fault_key(resource_type: str, code: str, key: bytes) -> int:
    """Return the key of every resource that a tenant's own parameter could not be evaluated on."""
    return digest(key, f"{resource_type}.{code}\0e")


def contained_key(resource_type: str, contained: str, key: bytes) -> int:
    """Return the key of every resource that contains one of a type."""
    return digest(key, f"{resource_type}.\0#{contained}")


def token_keys(
    resource_type: str, param: SearchParameter, token: tuple[str | None, str | None], key: bytes
) -> list[int]:
    """Return the keys of a token in a query, of which a match has one.

    ``token`` is system and code: system None is any, empty is none; code None is any of the system.
    """
    field = field_of(resource_type, param)
    return [_token_key(part, *token, key) for part in field.parts]


def token_key(
    resource_type: str, param: SearchParameter, system: str | None, code: str | None, key: bytes
) -> int:
    """Return the one key of a token in a query; not for what is a union of other parameters."""
    (found,) = token_keys(resource_type, param, (system, code), key)
    return found


def _token_key(field: Field, system: str | None, code: str | None, key: bytes) -> int:
    asked = form(field, system, contact(code) if field.contact and code else code)
    return digest(key, field.present if asked == "p" else field.name + asked)


def reference_key(
    resource_type: str, param: SearchParameter, target: str, target_id: str, key: bytes
) -> int:
    """Return the key of a reference to one resource of this server."""
    field = field_of(resource_type, param)
    # The shared keys hold references to other types too, this parameter does not.
    foreign = field.resolves and target != field.resolves
    name = field.present if foreign else field.name
    return digest(key, name + reference_form(target, target_id))


def uri_key(resource_type: str, param: SearchParameter, uri: str, key: bytes) -> int:
    """Return the key of a uri, or of a reference to somewhere else."""
    return _uri_key(key, field_of(resource_type, param), uri)


def below_keys(resource_type: str, param: SearchParameter, uri: str, key: bytes) -> list[int]:
    """Return the keys of a uri and of those that go on from it, of which a match has one."""
    field = field_of(resource_type, param)
    return [_uri_key(key, field, uri), digest(key, f"{field.name}b{uri}")]


def present_keys(resource_type: str, param: SearchParameter, key: bytes) -> list[int]:
    """Return the keys of which a resource has one when the parameter has a value."""
    return [_present(key, part) for part in field_of(resource_type, param).parts]


def present_key(resource_type: str, param: SearchParameter, key: bytes) -> int:
    """Return the one key of what has a value; not for what is a union of other parameters."""
    (found,) = present_keys(resource_type, param, key)
    return found


def identifier_key(
    resource_type: str, param: SearchParameter, system: str | None, code: str | None, key: bytes
) -> int:
    """Return the key of a reference by identifier, for ``:identifier``; as ``token_keys``."""
    field = field_of(resource_type, param)
    return digest(key, f"{field.present}i{form(field, system, code)}")


def of_type_keys(
    resource_type: str, param: SearchParameter, parts: tuple[str, str, str], key: bytes
) -> list[int]:
    """Return the keys of an identifier by its type: ``parts`` are type system, type code, value."""
    field = field_of(resource_type, param)
    return [digest(key, part.name + typed(*parts)) for part in field.parts]
