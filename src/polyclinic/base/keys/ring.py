"""The key-encryption keys that a process holds, by name.

There is more than one while keys are being rotated: the old one until nothing is wrapped under it.
"""

from collections.abc import Sequence
from typing import Protocol

from polyclinic.base.crypto import Sealer


class Source(Protocol):
    """Where the keys come from."""

    async def changed(self) -> Sequence[Sealer] | None:
        """Return the keys when they may have changed since the last call, None when not."""
        ...


class KeyRing:
    """Key-encryption keys, looked up by name; an unknown name is looked for where they lie."""

    def __init__(self, keys: Sequence[Sealer], source: Source | None = None) -> None:
        """Hold at least one key; the first is the one that a new installation begins with."""
        self._source = source
        self._take(keys)

    @property
    def first(self) -> Sealer:
        """Return the key that an installation uses whose database names none yet."""
        return next(iter(self._keys.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the keys, in their order."""
        return tuple(self._keys)

    async def find(self, name: str) -> Sealer | None:
        """Return a key, or None when nobody has it."""
        if name not in self._keys and self._source is not None:
            keys = await self._source.changed()
            if keys is not None:
                self._take(keys)
        return self._keys.get(name)

    def _take(self, keys: Sequence[Sealer]) -> None:
        self._keys = {key.name: key for key in keys}
