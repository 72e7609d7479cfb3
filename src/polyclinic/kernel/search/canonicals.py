"""References by canonical URL, https://hl7.org/fhir/R4/references.html#canonical.

A definition answers to its ``url``, and where it has a ``version`` to ``url|version``. A canonical
names what answers to it; of several the one that was stored last, since R4 gives versions no order.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.types import RESOURCE_TYPES, Resource, type_definition

_BY_ID: Final = frozenset({"Reference", "Resource"})
_BY_URL: Final = frozenset({"canonical", "uri"})


@cache
def canonical_types() -> frozenset[str]:
    """Return the types whose resources have a canonical URL: a ``url`` that they are found by."""
    return frozenset(name for name in RESOURCE_TYPES if _is_canonical(name))


def _is_canonical(resource_type: str) -> bool:
    known = type_definition(resource_type).properties
    url, version = known.get("url"), known.get("version")
    return (
        url is not None
        and url.type == "uri"
        and version is not None
        and version.type == "string"
        and "url" in parameters(resource_type)
    )


def answers(resource: Resource) -> tuple[str, ...]:
    """Return the canonicals that a resource answers to: none, its URL, and that with a version."""
    if resource.type not in canonical_types():
        return ()
    content: Any = resource.content
    url, version = content.url, content.version
    if url is UNSET or not url:
        return ()
    return (url,) if version is UNSET or not version else (url, f"{url}|{version}")


def named(text: str) -> str:
    """Return what a canonical names; empty for what is contained in the resource itself.

    A fragment is a part of what is named.
    """
    return text.partition("#")[0].removesuffix("|")


def by_id(param: SearchParameter) -> bool:
    """Say whether a parameter refers to resources by type and id."""
    return param.type == "reference" and any(path.type in _BY_ID for path in param.paths)


def by_url(param: SearchParameter) -> bool:
    """Say whether a parameter refers to resources by canonical URL."""
    return param.type == "reference" and any(path.type in _BY_URL for path in param.paths)


def led_to(param: SearchParameter) -> tuple[str, ...]:
    """Return the types of the resources that a link of a parameter may lead to."""
    if by_id(param) or not by_url(param):
        return param.targets
    # R4 names no type where any may be meant.
    known = canonical_types()
    return tuple(name for name in param.targets or RESOURCE_TYPES if name in known)


class Definition(NamedTuple):
    """A resource that answers to canonicals."""

    stored: tuple[int, int]
    """When, in microseconds since 1970, and its rid: of two with one name the greater is meant."""
    id: str
    names: tuple[str, ...]


def resolved(found: Iterable[Definition]) -> Mapping[str, Definition]:
    """Return what each canonical names among some definitions of one type."""
    return {name: one for one in sorted(found) for name in one.names}
