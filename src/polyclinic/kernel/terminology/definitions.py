"""Where code systems and value sets come from: the resources that are stored here."""

from typing import Any, Final, Protocol

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Gone, NotFound
from polyclinic.kernel.search.elements import literal_reference
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Store, Stored

Json = dict[str, Any]


class Definitions(Protocol):
    """The code systems and value sets that are known."""

    async def find(self, resource_type: str, url: str) -> Json | None:
        """Return a CodeSystem or ValueSet by its canonical URL, or by ``Type/id``; None for none.

        Without a version it is the one that was stored last.
        """
        ...


class StoredDefinitions:
    """The definitions that a principal may read, each read once."""

    def __init__(self, store: Store, principal: Principal, base: str) -> None:
        self._store = store
        self._principal = principal
        self._base = base
        self._found: dict[tuple[str, str], Json | None] = {}

    async def find(self, resource_type: str, url: str) -> Json | None:
        """Return a CodeSystem or ValueSet; see ``Definitions``."""
        key = resource_type, url
        if key not in self._found:
            server, target, identity = literal_reference(url, f"{self._base}/")
            here = target == resource_type and not server
            stored = await (self._read(*key[:1], identity) if here else self._search(*key))
            self._found[key] = None if stored is None else msgspec.json.decode(stored.body)
        return self._found[key]

    async def _read(self, resource_type: str, identity: str) -> Stored | None:
        try:
            return await self._store.read(self._principal, resource_type, identity)
        except (NotFound, Gone):
            return None

    async def _search(self, resource_type: str, url: str) -> Stored | None:
        canonical, _, version = url.partition("|")
        given = [("url", _escaped(canonical)), ("_count", "1"), ("_sort", "-_lastUpdated")]
        if version:
            given.append(("version", f"|{_escaped(version)}"))
        query, _ = parse_query(resource_type, given, self._base)
        page = await self._store.search(self._principal, query)
        return next((entry for entry in page.entries if entry.fault is None), None)


_SIGNS: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\,|$"})


def _escaped(text: str) -> str:
    return text.translate(_SIGNS)
