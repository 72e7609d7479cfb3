"""One write as the rows that it becomes, and many writes as the arrays of one statement."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import accumulate
from typing import Final

import msgspec

INDEX_VERSION: Final = 3
"""Raised when index rows change their meaning; ``polyclinic reindex`` rebuilds older ones."""
_CUSTOM_BITS: Final = 20
"""Of the number in index rows, those that count how often a tenant changed a type's parameters."""


def index_version(custom: int = 0) -> int:
    """Return what index rows are made by, given the number of a tenant's own parameters."""
    return (INDEX_VERSION << _CUSTOM_BITS) + custom


REPEATED: Final = 2
"""Bits by which the marks of dates are shifted under a second patient, and under each further one.

Walked without a patient, a date counts once; walked under a patient, under each of its patients.
"""

_encode = msgspec.msgpack.Encoder().encode


class Index(msgspec.Struct, frozen=True):
    """The index rows of one resource."""

    patients: list[int]
    """rids of the patients whose compartments it belongs to, sorted."""
    keys: list[int]
    edges: list[tuple[int, int]]
    """Parameter and rid of the target."""
    strings: list[tuple[int, int, str, int]]
    """Parameter, extreme, normalised text, number of the text as it stands."""
    dates: list[tuple[int, int, int, int]]
    """Parameter, extreme, low, high."""
    numbers: list[tuple[int, int, int, float, float]]
    """Parameter, extreme, unit, low, high."""
    words: list[int] = []
    labels: list[int] = []
    """Keys of the security labels, sorted."""
    care: list[tuple[int, int, int, int]] = []
    """Care relations: rids of a member of staff and a patient, low, high."""
    version: int = index_version()
    """What it was made by."""

    def digest(self) -> int:
        """Return 64 bits that differ when any row does."""
        return int.from_bytes(blake2b(_encode(self), digest_size=8).digest(), "big", signed=True)


EMPTY: Final = Index([], [], [], [], [], [])
"""The index of a deleted resource."""


class Row(msgspec.Struct, frozen=True):
    """One resource to be written, against the version that is expected to be current."""

    tenant: int
    rid: int
    expected: int
    existing: bool
    type: int
    id: str
    deleted: bool
    updated: datetime
    digest: int
    dict_id: int
    key_id: int
    """The data key that the body is sealed under; 0 without a body."""
    key_epoch: int
    """When that key was known to be there."""
    body: bytes | None
    index: Index
    account: int
    custom: int = 0
    """The number of the tenant's own search parameters that the index was made by."""

    @property
    def version(self) -> int:
        """Return the version that the write makes."""
        return self.expected + 1


def arguments(
    rows: Sequence[Row], txgroup: int, worker: int, counters: Sequence[int]
) -> list[object]:
    """Return the arguments of the ``write`` statement for rows of one tenant."""
    indexes = [row.index for row in rows]
    edges = [(at, *edge) for at, index in enumerate(indexes, 1) for edge in index.edges]
    strings = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.strings]
    numbers = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.numbers]
    care = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.care]
    string_columns = _columns(strings, 5)
    return [
        rows[0].tenant,
        [row.rid for row in rows],
        [row.expected for row in rows],
        [row.existing for row in rows],
        [row.type for row in rows],
        [row.id for row in rows],
        [row.deleted for row in rows],
        [row.updated for row in rows],
        [txgroup] * len(rows),
        [row.digest for row in rows],
        [row.dict_id for row in rows],
        [row.body for row in rows],
        [index.digest() for index in indexes],
        *ragged([index.patients for index in indexes]),
        *ragged([index.keys for index in indexes]),
        *_columns(edges, 3),
        *string_columns[:4],
        *_columns(_dates(indexes), 6),
        *_columns(numbers, 6),
        [index.version for index in indexes],
        worker,
        list(counters),
        [row.account for row in rows],
        [row.key_id for row in rows],
        *ragged([index.labels for index in indexes]),
        *_columns(care, 5),
        [row.key_epoch for row in rows],
        string_columns[4],
        *ragged([index.words for index in indexes]),
        [row.custom for row in rows],
    ]


def index_arguments(indexes: Sequence[Index]) -> list[object]:
    """Return the arguments of the ``reindex`` statement, from the index digests on."""
    edges = [(at, *edge) for at, index in enumerate(indexes, 1) for edge in index.edges]
    strings = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.strings]
    numbers = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.numbers]
    care = [(at, *value) for at, index in enumerate(indexes, 1) for value in index.care]
    return [
        [index.digest() for index in indexes],
        *ragged([index.patients for index in indexes]),
        *ragged([index.labels for index in indexes]),
        [index.version for index in indexes],
        *ragged([index.keys for index in indexes]),
        *ragged([index.words for index in indexes]),
        *_columns(edges, 3),
        *_columns(strings, 5),
        *_columns(_dates(indexes), 6),
        *_columns(numbers, 6),
        *_columns(care, 5),
    ]


def _dates(indexes: Sequence[Index]) -> list[tuple[int, ...]]:
    return [
        (at, param, extreme << shift, subject, low, high)
        for at, index in enumerate(indexes, 1)
        for subject, shift in _subjects(index)
        for param, extreme, low, high in index.dates
    ]


def _subjects(index: Index) -> list[tuple[int, int]]:
    """Return under whom dates stand, each with the shift of their marks; 0 is nobody."""
    first, *others = index.patients or [0]
    return [(first, 0), *((other, REPEATED) for other in others)]


def ragged(lists: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return the concatenation, and where each list starts in it."""
    offsets = [0, *accumulate(map(len, lists))]
    return [value for values in lists for value in values], offsets


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width
