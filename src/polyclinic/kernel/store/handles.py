"""Where resources stand: rid, current version, digest; remembered so that a write asks once.

A rid never changes. A version may be out of date when another process wrote; a write that trusts
it changes nothing then, and is tried again with a fresh one.
"""

from typing import Final, NamedTuple

_REMEMBERED: Final = 50_000
"""About 20 MB; the oldest tenth goes when it is full."""

Identity = tuple[int, int, str]
"""Tenant, type number, id."""


class Handle(NamedTuple):
    """Where one resource stands; version 0 is a stub."""

    rid: int
    version: int
    deleted: bool
    digest: int


class Handles:
    """A bounded memory of handles."""

    def __init__(self, largest: int = _REMEMBERED) -> None:
        self._largest = largest
        self._known: dict[Identity, Handle] = {}

    def get(self, identity: Identity) -> Handle | None:
        """Return the handle last seen, or None."""
        return self._known.get(identity)

    def put(self, identity: Identity, handle: Handle) -> None:
        """Remember a handle."""
        if len(self._known) >= self._largest and identity not in self._known:
            for old in list(self._known)[: self._largest // 10]:
                del self._known[old]
        self._known[identity] = handle

    def forget(self, identity: Identity) -> None:
        """Forget a handle that turned out to be old."""
        self._known.pop(identity, None)
