"""Keyed hashes of what is searched for as a whole: tokens, references, uris, presence, words.

A key is the first 64 bits, as a signed integer, of BLAKE2b under the tenant's key over the resource
type, the parameter, the kind of key and the value; without the tenant's key nobody can tell a value
from it, nor compare tenants. ``hash_keys`` and the functions for queries share every step, so that
a query's key is one of a resource's exactly when the value is one of the resource's.

Keys of a token ``S|C``: ``C``, ``S|C`` and ``S|``; without a system ``C`` and ``|C``. Where the
system is implied by a required binding, ``C`` alone stands for all of them. A parameter that only
narrows the type of another's references shares its keys (``SearchParameter.keyed_as``).

Bounded caches hold the keys of short values met lately: common codes and patients come again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import product
from struct import Struct
from typing import Final

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.search.index_values import (
    MAX_COMBINATIONS,
    CompositeValue,
    IndexValues,
    ReferenceValue,
    Row,
    TokenValue,
    UriValue,
)
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.strings import LONGEST_REMEMBERED, contact, words

_unpack: Final = Struct("<q").unpack


_HASHED: Final = frozenset({"token", "reference", "uri"})
"""The types of parameters whose values are searched for as a whole."""


class _Field:
    """A parameter of a type as the hashes see it: one object each, a key of the caches."""

    __slots__ = ("contact", "hashed_whole", "implicit_system", "name", "present", "resolves")

    def __init__(self, resource_type: str, param: SearchParameter) -> None:
        self.name = f"{resource_type}.{param.keyed_as}\0"
        self.present = f"{resource_type}.{param.code}\0p"
        self.implicit_system = param.implicit_system
        self.resolves = param.resolves
        self.hashed_whole = all(kind in _HASHED for _, kind in param.components)
        self.contact = any(path.type == "ContactPoint" for path in param.paths)


@cache
def _fields(resource_type: str) -> Mapping[str, _Field]:
    found = parameters(resource_type)
    return {code: _Field(resource_type, param) for code, param in found.items()}


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=8, key=key)


def _digest(key: bytes, text: str) -> int:
    state = _keyed(key).copy()
    state.update(text.encode("utf-8", "surrogatepass"))
    found: int = _unpack(state.digest())[0]
    return found


def _sized(first: str, second: str) -> str:
    """Return two texts as one that no other two give."""
    return f"{len(first)}:{first}{second}"


def _form(field: _Field, system: str | None, code: str | None) -> str:
    """Return what is hashed for a token in a query; system None is any, empty is none."""
    implicit = field.implicit_system
    if implicit and system in {None, "", implicit}:
        return "p" if code is None else f"c{code}"
    if code is None:
        return f"y{system}"
    if system is None:
        return f"c{code}"
    return f"s{_sized(system, code)}" if system else f"n{code}"


def _forms(field: _Field, system: str | None, code: str | None) -> list[str]:
    """Return all that a resource's token is found by."""
    if code is None:
        return [f"y{system}"] if system else []
    if field.implicit_system:
        return [f"c{code}"]
    if system:
        return [f"c{code}", f"s{_sized(system, code)}", f"y{system}"]
    return [f"c{code}", f"n{code}"]


@lru_cache(maxsize=16_384)
def _token(key: bytes, field: _Field, system: str | None, code: str | None) -> tuple[int, ...]:
    found = [_digest(key, field.name + form) for form in _forms(field, system, code)]
    return (_digest(key, field.present), *found)


@lru_cache(maxsize=16_384)
def _reference(key: bytes, field: _Field, target: str, id_: str) -> tuple[int, int]:
    return _digest(key, field.present), _digest(key, f"{field.name}r{target}/{id_}")


@lru_cache(maxsize=16_384)
def compartment_key(resource_type: str, patient: str, key: bytes) -> int:
    """Return the key of what lies in a patient's compartment, by whichever parameter."""
    return _digest(key, f"{resource_type}.\0@{patient}")


@lru_cache(maxsize=4_096)
def _uri(key: bytes, field: _Field, uri: str) -> tuple[int, int]:
    return _digest(key, field.present), _digest(key, f"{field.name}u{uri}")


@lru_cache(maxsize=4_096)
def _present(key: bytes, field: _Field) -> int:
    return _digest(key, field.present)


def hash_keys(values: IndexValues, resource_type: str, key: bytes) -> list[int]:
    """Return the keys of a resource, sorted, each once.

    Tokens (also ``:of-type``), references (also ``:identifier``), uris, composites of nothing else,
    the compartments of patients, and a mark for each parameter that has a value (``:missing``;
    composites have none). The words of ``:text`` are in ``hash_words``.

    Raise InvalidResource when one composite element has more than MAX_COMBINATIONS combinations.
    """
    fields = _fields(resource_type)
    found: set[int] = set()
    for token in values.tokens:
        system, code = token.system, token.code
        known = len(code or "") + len(system or "") <= LONGEST_REMEMBERED
        keys = _token if known else _token.__wrapped__
        found.update(keys(key, fields[token.param], system, code))
        if token.types:
            found.update(_of_type(key, fields[token.param], token))
    for reference in values.references:
        found.update(_reference(key, fields[reference.param], reference.target, reference.id))
    for uri in values.uris:
        known = len(uri.uri) <= LONGEST_REMEMBERED
        found.update((_uri if known else _uri.__wrapped__)(key, fields[uri.param], uri.uri))
    if values.identifiers:
        found.update(_identifiers(key, fields, values.identifiers))
    found.update(_marks(values, fields, key))
    found.update([compartment_key(resource_type, one, key) for one in values.patients])
    for composite in values.composites:
        if fields[composite.param].hashed_whole:
            found.update(composite_keys(composite, resource_type, key))
    return sorted(found)


def label_keys(values: IndexValues, resource_type: str, key: bytes) -> list[int]:
    """Return the keys of a resource's security labels, sorted; they are among its other keys."""
    labels = [token for token in values.tokens if token.param == "_security" and token.code]
    if not labels:
        return []
    field = _fields(resource_type)["_security"]
    forms = {_form(field, token.system or "", token.code) for token in labels}
    return sorted(_digest(key, field.name + form) for form in forms)


def _marks(values: IndexValues, fields: Mapping[str, _Field], key: bytes) -> list[int]:
    """Return the marks of the parameters whose values are not hashed."""
    params = {row.param for row in values.strings}
    params.update([row.param for row in values.dates])
    params.update([row.param for row in values.numbers])
    params.update([row.param for row in values.quantities])
    params.update([row.param for row in values.positions])
    return [_present(key, fields[param]) for param in params]


def _of_type(key: bytes, field: _Field, token: TokenValue) -> Iterable[int]:
    for system, code in token.types:
        yield _digest(key, field.name + _typed(system or "", code, token.code or ""))


def _typed(system: str, code: str, value: str) -> str:
    return f"o{_sized(system, _sized(code, value))}"


def _identifiers(
    key: bytes, fields: Mapping[str, _Field], tokens: Iterable[TokenValue]
) -> Iterable[int]:
    for token in tokens:
        field = fields[token.param]
        yield _digest(key, field.present)
        # Under the parameter's own name: a shared one would not know what `resolves` keeps out.
        for form in _forms(field, token.system, token.code):
            yield _digest(key, f"{field.present}i{form}")


_HASHED_ROWS: Final = (TokenValue, ReferenceValue, UriValue)


def composite_keys(composite: CompositeValue, resource_type: str, key: bytes) -> list[int]:
    """Return one key per combination of those components that are hashed.

    Where all components are tokens, references or uris, that is the whole composite. Of a composite
    with a date, number, quantity or string it is what an index row of that value is filed under.
    """
    fields = _fields(resource_type)
    forms = [
        list(dict.fromkeys(form for row in rows for form in _component_forms(fields, row)))
        for rows in composite.components
        if isinstance(rows[0], _HASHED_ROWS)
    ]
    total = 1
    for one in forms:
        total *= len(one)
    if total > MAX_COMBINATIONS:
        message = (
            f"{composite.param} has more than {MAX_COMBINATIONS} combinations; use fewer codes."
        )
        raise InvalidResource((Issue("too-costly", message),))
    name = fields[composite.param].name
    return [_digest(key, name + _combined(parts)) for parts in product(*forms)]


def _combined(parts: Iterable[str]) -> str:
    return "k" + "".join([f"{len(part)}:{part}" for part in parts])


def _component_forms(fields: Mapping[str, _Field], row: Row) -> list[str]:
    match row:
        case TokenValue(param, system, code):
            return _forms(fields[param], system, code)
        case ReferenceValue(_, target, id_):
            return [f"r{target}/{id_}"]
        case UriValue(_, uri):
            return [f"u{uri}"]
        case _:
            return []


def token_key(
    resource_type: str, param: SearchParameter, system: str | None, code: str | None, key: bytes
) -> int:
    """Return the key of a token in a query.

    ``system`` None is any system, empty is none; ``code`` None is any code of the system.
    """
    field = _fields(resource_type)[param.code]
    form = _form(field, system, contact(code) if field.contact and code else code)
    return _digest(key, field.present if form == "p" else field.name + form)


def reference_key(
    resource_type: str, param: SearchParameter, target: str, target_id: str, key: bytes
) -> int:
    """Return the key of a reference to one resource of this server."""
    field = _fields(resource_type)[param.code]
    if field.resolves and target != field.resolves:
        # The shared keys hold such references, this parameter does not: nothing has this key.
        return _digest(key, f"{field.present}r{target}/{target_id}")
    return _digest(key, f"{field.name}r{target}/{target_id}")


def uri_key(resource_type: str, param: SearchParameter, uri: str, key: bytes) -> int:
    """Return the key of a uri, or of a reference to somewhere else."""
    return _digest(key, f"{_fields(resource_type)[param.code].name}u{uri}")


def present_key(resource_type: str, param: SearchParameter, key: bytes) -> int:
    """Return the key of every resource that has a value of the parameter, for ``:missing``."""
    return _present(key, _fields(resource_type)[param.code])


def identifier_key(
    resource_type: str, param: SearchParameter, system: str | None, code: str | None, key: bytes
) -> int:
    """Return the key of a reference by identifier, for ``:identifier``; as ``token_key``."""
    field = _fields(resource_type)[param.code]
    return _digest(key, f"{field.present}i{_form(field, system, code)}")


def of_type_key(
    resource_type: str, param: SearchParameter, parts: tuple[str, str, str], key: bytes
) -> int:
    """Return the key of an identifier by its type: ``parts`` are type system, type code, value."""
    return _digest(key, _fields(resource_type)[param.code].name + _typed(*parts))


def composite_key(
    resource_type: str,
    param: SearchParameter,
    parts: Sequence[tuple[str | None, str | None] | str],
    key: bytes,
) -> int:
    """Return the key of the hashed components of a composite in a query, in their order.

    A token is its system and code as in ``token_key``; a reference is ``Type/id`` or a uri.
    """
    fields = _fields(resource_type)
    hashed = [code for code, kind in param.components if kind in _HASHED]
    forms: list[str] = []
    for code, part in zip(hashed, parts, strict=True):
        if isinstance(part, str):
            forms.append(f"{'u' if ':' in part else 'r'}{part}")
        else:
            forms.append(_form(fields[code], *part))
    return _digest(key, fields[param.code].name + _combined(forms))


def hash_words(values: IndexValues, resource_type: str, key: bytes) -> list[int]:
    """Return the keys of the words of ``:text`` of each token, sorted, each once."""
    fields = _fields(resource_type)
    found: set[int] = set()
    for token in values.tokens:
        if token.text:
            known = len(token.text) <= LONGEST_REMEMBERED
            keys = _text if known else _text.__wrapped__
            found.update(keys(key, fields[token.param], token.text))
    return sorted(found)


@lru_cache(maxsize=4_096)
def _text(key: bytes, field: _Field, text: str) -> tuple[int, ...]:
    return tuple([_digest(key, f"{field.name}t{word}") for word in words(text)])


def word_keys(
    resource_type: str, param: SearchParameter, text: Iterable[str], key: bytes
) -> list[int]:
    """Return the key of each word, for ``:text``, ``_text`` and ``_content``; sorted, each once."""
    name = _fields(resource_type)[param.code].name
    return sorted({_digest(key, f"{name}t{word}") for word in text})
