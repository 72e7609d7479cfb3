"""A resource as the store answers it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Self

import msgspec

from polyclinic.kernel.errors import FhirError
from polyclinic.kernel.search.why import Reason
from polyclinic.kernel.types import splice


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One version of one resource. A Struct: a page makes dozens, and a dataclass takes thrice."""

    type: str
    id: str
    version: int
    last_updated: datetime
    deleted: bool
    body: bytes
    """The canonical JSON without versionId and lastUpdated; empty when deleted."""
    fault: FhirError | None = None
    """Why a version on a page has no body but was not deleted: ``Erased`` or ``Unreadable``."""

    @classmethod
    def opened(
        cls,
        place: tuple[str, str, int],
        at: datetime,
        body: bytes | FhirError,
        *,
        deleted: bool = False,
    ) -> Self:
        """Return a version (type, id, version) whose body was opened, or could not be."""
        if isinstance(body, FhirError):
            return cls(*place, at, deleted, b"", None if deleted else body)
        return cls(*place, at, deleted, body)

    def json(self) -> bytes:
        """Return the resource with its versionId and lastUpdated, without parsing it."""
        return splice(self.body, self.type, self.id, self.version, instant(self.last_updated))

    @property
    def etag(self) -> str:
        """Return the weak entity tag that HTTP knows this version by."""
        return f'W/"{self.version}"'


Effect = Literal["created", "matched", "changed", "unchanged", "deleted"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did."""

    stored: Stored
    created: bool
    """The resource did not exist before, or had been deleted."""
    is_same: bool = False
    """It was so already; no version was made."""
    is_matched: bool = False
    """A condition matched it, and so nothing was to be done."""

    @property
    def effect(self) -> "Effect":
        """Return what was done."""
        if self.stored.deleted:
            return "deleted"
        if self.is_matched:
            return "matched"
        if self.created:
            return "created"
        return "unchanged" if self.is_same else "changed"


class Explanation(NamedTuple):
    """How a page was found, and why each of its entries is on it: ``_explain``."""

    sql: str
    plan: str
    """What ``explain (analyze, format json)`` says of the statement, run once more."""
    read: int
    """Rows that it read from tables and indexes."""
    reasons: tuple[tuple[tuple[Reason, ...], ...], ...]
    """For each entry, for each condition of the query, what satisfies it.

    Nothing for an entry that cannot be opened.
    """


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search or a history."""

    entries: tuple[Stored, ...]
    next: str | None
    """The sealed place where the next page starts; None on the last."""
    total: int | None
    included: tuple[Stored, ...] = ()
    """What comes along with the matches, each once."""
    explanation: Explanation | None = None
    """How it was found and why each entry is on it, where that was asked for."""


def instant(moment: datetime) -> str:
    """Write a moment as a FHIR instant in UTC, to the millisecond."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def to_millisecond(moment: datetime) -> datetime:
    """Cut a moment to what an answer shows, so that it is found again by what it shows."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
