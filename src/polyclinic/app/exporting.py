"""`polyclinic export`: every resource as NDJSON, one file a type."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Unreadable
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import RESOURCE_TYPES

_PAGE: Final = "1000"
_TYPES: Final = tuple(name for name in RESOURCE_TYPES if name != "AuditEvent")
"""The audit record is the server's own, and cannot be loaded elsewhere."""


class NotEmpty(Exception):
    """The directory holds files already."""


class NotWhole(Exception):
    """Some resources cannot be opened and are not in the export; the text names them."""


async def export(
    store: Store, principal: Principal, directory: Path, watch: Callable[[str, int], None]
) -> int:
    """Write ``Type.ndjson`` for each type that has resources; return how many there were.

    Only the owner of the files may read them.

    A file appears whole under its name. Raise ``NotEmpty`` rather than mix two exports, and at the
    end ``NotWhole`` when something could not be opened.
    """
    _check_empty(directory)
    total = 0
    unreadable: list[str] = []
    for resource_type in _TYPES:
        total += await _export_type(store, principal, directory, resource_type, unreadable)
        watch(resource_type, total)
    if unreadable:
        raise NotWhole(", ".join(unreadable))
    return total


def _check_empty(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise NotEmpty(directory)


async def _export_type(
    store: Store,
    principal: Principal,
    directory: Path,
    resource_type: str,
    unreadable: list[str],
) -> int:
    count, after = 0, None
    beside = directory / f".{resource_type}.ndjson.part"
    beside.touch(mode=0o600)
    with beside.open("wb") as file:
        while True:
            given = [("_count", _PAGE), ("_sort", "_lastUpdated")]
            given += [("_after", after)] if after else []
            query, _ = parse_query(resource_type, given, "")
            page = await store.search(principal, query)
            for entry in page.entries:
                if entry.fault is None:
                    file.write(entry.json() + b"\n")
                    count += 1
                elif isinstance(entry.fault, Unreadable):
                    unreadable.append(f"{entry.type}/{entry.id}")
            after = page.next
            if after is None:
                break
    if count:
        beside.rename(directory / f"{resource_type}.ndjson")
    else:
        beside.unlink()
    return count
