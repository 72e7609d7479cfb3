"""The numbers by which index rows name parameters, units and exact texts."""

from collections.abc import Iterable
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final
from zlib import crc32

from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.strings import LONGEST_REMEMBERED

LOWEST: Final = 1
HIGHEST: Final = 2


@cache
def param_number(resource_type: str, code: str) -> int:
    """Return the number that a parameter has in index rows; a test sees that none collide."""
    return crc32(f"{resource_type}.{code}".encode()) - 2**31


@cache
def edge_number(resource_type: str, code: str) -> int:
    """Return the number of a reference parameter in edges.

    Parameters over the same element, such as ``patient`` and ``subject``, share theirs.
    """
    known = parameters(resource_type).get(code)
    # A tenant's own shares its number with none.
    return param_number(resource_type, known.keyed_as if known else code)


@lru_cache(maxsize=4096)
def unit_number(system: str | None, code: str, key: bytes) -> int:
    """Return the number that a unit has in index rows, never 0."""
    text = f"unit|{system or ''}|{code}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8, key=key).digest(), "big", signed=True) or 1


def canonical_number(name: str, key: bytes) -> int:
    """Return the number of a canonical in edges, in the place of a rid: 63 keyed bits, negative."""
    text = b"canonical|" + name.encode("utf-8", "surrogatepass")
    found = int.from_bytes(blake2b(text, digest_size=8, key=key).digest(), "big", signed=True)
    return found | -(2**63)


def answer_numbers(resource_type: str) -> tuple[int, int]:
    """Return the numbers of edges from a definition to its URL, and to that with a version."""
    return param_number(resource_type, "url"), param_number(resource_type, "version")


def exact_number(text: str, key: bytes) -> int:
    """Return the number that tells a text from others that are compared alike: 32 keyed bits."""
    return (_exact if len(text) <= LONGEST_REMEMBERED else _exact.__wrapped__)(text, key)


@lru_cache(maxsize=8192)
def _exact(text: str, key: bytes) -> int:
    data = b"exact|" + text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=4, key=key).digest(), "big", signed=True)


def marked(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Sort rows of (parameter, value, ...) and mark each parameter's lowest and highest.

    The mark comes second. A sort of resources reads only marked rows, and so meets each once.
    """
    ordered = sorted(set(rows))
    last = len(ordered) - 1
    return [
        (
            row[0],
            (LOWEST if at == 0 or ordered[at - 1][0] != row[0] else 0)
            | (HIGHEST if at == last or ordered[at + 1][0] != row[0] else 0),
            *row[1:],
        )
        for at, row in enumerate(ordered)
    ]
