"""What is hashed: a field, a form of a value, and the tenant's key.

A key is the first 64 bits, as a signed integer, of BLAKE2b under the tenant's key over the resource
type, the parameter, the kind of key and the value; without the tenant's key nobody can tell a value
from it, nor compare tenants. What a resource writes and what a query asks share every step here, so
that a query's key is one of a resource's exactly when the value is one of the resource's.

Forms of a token ``S|C``: ``C``, ``S|C`` and ``S|``; without a system ``C`` and ``|C``. Where the
system is implied by a required binding, ``C`` alone stands for all of them. A parameter that only
narrows the type of another's references shares its keys (``SearchParameter.keyed_as``); one that
has the values of several others has no keys: a query asks for theirs (``Field.parts``).
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from struct import Struct
from typing import Final

from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.unions import unions

_unpack: Final = Struct("<q").unpack


class Field:
    """A parameter of a type as the hashes see it: one object each, a key of the caches."""

    __slots__ = (
        "contact",
        "implicit_system",
        "name",
        "parts",
        "paths",
        "present",
        "resolves",
        "type",
        "united",
    )

    def __init__(self, resource_type: str, param: SearchParameter) -> None:
        self.name = f"{resource_type}.{param.keyed_as}\0"
        self.present = f"{resource_type}.{param.code}\0p"
        self.implicit_system = param.implicit_system
        self.resolves = param.resolves
        self.contact = any(path.type == "ContactPoint" for path in param.paths)
        self.paths = param.type == "uri"
        self.type = resource_type
        self.parts: tuple[Field, ...] = (self,)
        """The fields whose keys stand for it: as a rule itself."""
        self.united = False
        """Whether it has no keys of its own."""


PLAIN: Final = Field(
    "", SearchParameter("", "token", "", "", (), (), (), "", resolves=None, implicit_system=None)
)
"""Of which nothing is known: neither a system nor a kind of element."""


@cache
def fields(resource_type: str) -> Mapping[str, Field]:
    """Return the fields of a type by the code of their parameter."""
    known = parameters(resource_type)
    found = {code: Field(resource_type, param) for code, param in known.items()}
    for code, parts in unions(resource_type).items():
        found[code].parts = tuple(found[part] for part in parts)
        found[code].united = True
    return found


def field_of(resource_type: str, param: SearchParameter) -> Field:
    """Return the field of a parameter."""
    return _custom(resource_type, param) if param.custom else fields(resource_type)[param.code]


@lru_cache(maxsize=4_096)
def _custom(resource_type: str, param: SearchParameter) -> Field:
    return Field(resource_type, param)


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=8, key=key)


def digest(key: bytes, text: str) -> int:
    """Return the key of a text that names type, parameter, kind and value."""
    state = _keyed(key).copy()
    state.update(text.encode("utf-8", "surrogatepass"))
    found: int = _unpack(state.digest())[0]
    return found


def sized(first: str, second: str) -> str:
    """Return two texts as one that no other two give."""
    return f"{len(first)}:{first}{second}"


def combined(parts: Iterable[str]) -> str:
    """Return the forms of the components of a composite as one."""
    return "k" + "".join([f"{len(part)}:{part}" for part in parts])


def typed(system: str, code: str, value: str) -> str:
    """Return the form of an identifier under its type."""
    return f"o{sized(system, sized(code, value))}"


def form(field: Field, system: str | None, code: str | None) -> str:
    """Return what is hashed for a token in a query; system None is any, empty is none."""
    implicit = field.implicit_system
    if implicit and system in {None, "", implicit}:
        return "p" if code is None else f"c{code}"
    if code is None:
        return f"y{system}"
    if system is None:
        return f"c{code}"
    return f"s{sized(system, code)}" if system else f"n{code}"


def forms(field: Field, system: str | None, code: str | None) -> list[str]:
    """Return all that a resource's token is found by."""
    if code is None:
        return [f"y{system}"] if system else []
    if field.implicit_system:
        return [f"c{code}"]
    if system:
        return [f"c{code}", f"s{sized(system, code)}", f"y{system}"]
    return [f"c{code}", f"n{code}"]


def reference_form(target: str, id_: str) -> str:
    """Return the form of a reference to a resource of this server."""
    return f"r{target}/{id_}"


def uri_form(uri: str) -> str:
    """Return the form of an uri, or of a reference to somewhere else."""
    return f"u{uri}"


def path_prefixes(uri: str) -> list[str]:
    """Return the uris from which this one goes on with a further path segment."""
    found: list[str] = []
    at = uri.find("/", _authority(uri))
    while at >= 0:
        if at:
            found.append(uri[:at])
        at = uri.find("/", at + 1)
    return found


def _authority(uri: str) -> int:
    """Return where the part of an uri begins in which a slash ends a segment."""
    start = uri.find("://")
    return start + 3 if start >= 0 else 0
