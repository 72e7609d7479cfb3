"""Searches for contained resources: ``_contained`` and ``_containedType``.

https://hl7.org/fhir/R4/search.html#contained

The index knows which types a resource contains. What contains one of the type is read page by page,
and each contained resource is looked at itself, as if it stood alone. Contained resources come in
the order of what contains them, newest first; with ``_contained=both`` behind all others.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, TooCostly
from polyclinic.kernel.rest.bundle import Entry, Found
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.search.matcher import Match, compile_matcher
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Contains,
    Has,
    InList,
    Linked,
    Not,
    Predicate,
    Query,
    Sort,
)
from polyclinic.kernel.store import Store, Stored
from polyclinic.kernel.types import RESOURCE_TYPES, parse

_BEGIN: Final = "contained."
"""Stands before the place of a page of contained resources."""
_MOST_TYPES: Final = 8
_MOST_COUNTED: Final = 2_000
"""Resources that are looked into for a total."""
_CONTAINERS: Final = tuple(name for name in RESOURCE_TYPES if name != "AuditEvent")


class _Contained(msgspec.Struct):
    contained: list[msgspec.Raw] = []


class _Head(msgspec.Struct):
    resource_type: str = msgspec.field(name="resourceType")
    id: str = ""


_contained = msgspec.json.Decoder(_Contained).decode
_head = msgspec.json.Decoder(_Head).decode


async def search(store: Store, principal: Principal, query: Query) -> Found:
    """Return a page of contained resources, or of both kinds.

    Raise ``BadRequest`` for what cannot be asked of contained resources.
    """
    _check(query)
    within = query.after is not None and query.after.startswith(_BEGIN)
    if query.view.contained == "both" and not within:
        return await _both(store, principal, query)
    place = query.after.removeprefix(_BEGIN) if query.after else ""
    inner = _Inner(store, principal, query)
    total = await inner.total() if query.total else None
    if query.count == 0:
        return Found((), None, total)
    return replace(await inner.page(place or None), total=total)


async def _both(store: Store, principal: Principal, query: Query) -> Found:
    """Return a page of what is not contained; the last one leads on to what is."""
    found = Found.of(await store.search(principal, query))
    total = found.total
    if total is not None:
        total += await _Inner(store, principal, query).total()
    is_last = query.count and found.next is None
    return replace(found, total=total, next=_BEGIN if is_last else found.next)


class _Inner:
    """The contained part of one search."""

    def __init__(self, store: Store, principal: Principal, query: Query) -> None:
        self._store = store
        self._principal = principal
        self._query = query
        self._types = frozenset(query.types)
        self._matches: Match = compile_matcher(query.where)
        kinds = tuple(Contains(name) for name in query.types)
        self._containers = replace(
            query,
            types=_CONTAINERS,
            where=AllOf((kinds[0] if len(kinds) == 1 else AnyOf(kinds),)),
            conditions=(("_contained", ",".join(query.types)), *query.conditions),
            sort=(Sort(None, descending=True),),
            total=False,
            after=None,
        )

    async def page(self, place: str | None) -> Found:
        """Return what is contained in as many resources as give no longer page than asked for."""
        count = self._query.count
        while True:
            asked = replace(self._containers, count=count, after=place)
            page = await self._store.search(self._principal, asked)
            found = [entry for one in page.entries for entry in self._shown(one)]
            if len(found) <= self._query.count or count == 1:
                break
            count //= 2
        faults = tuple(one.fault for one in page.entries if one.fault is not None)
        following = None if page.next is None else _BEGIN + page.next
        return Found(tuple(found), following, None, faults)

    async def total(self) -> int:
        """Count the matches. Raise ``TooCostly`` where too much would have to be looked into."""
        asked = replace(self._containers, count=_MOST_COUNTED // 2)
        found, seen = 0, 0
        while True:
            page = await self._store.search(self._principal, asked)
            found += sum(1 for one in page.entries for _ in self._shown(one))
            seen += len(page.entries)
            if page.next is None:
                return found
            if seen >= _MOST_COUNTED:
                message = (
                    f"Over {_MOST_COUNTED} resources contain one of that type; leave _total out."
                )
                raise TooCostly(message)
            asked = replace(asked, after=page.next)

    def _shown(self, container: Stored) -> Iterator[Entry]:
        """Yield the entries of a container, one for each match or one for itself."""
        if container.fault is not None:
            return
        whole = container.json()
        matching = [
            (raw, head)
            for raw in _contained(whole).contained
            if (head := _head(raw)).resource_type in self._types
            and self._matches(self._facts(raw, head, container))
        ]
        address = f"{container.type}/{container.id}"
        if self._query.view.contained_type == "container":
            if matching:
                yield Entry(address, whole)
            return
        for raw, head in matching:
            yield Entry(f"{address}#{head.id}" if head.id else address, bytes(raw))

    def _facts(self, raw: msgspec.Raw, head: _Head, container: Stored) -> Facts:
        identity = None if head.id else "contained"
        resource = parse(bytes(raw), resource_type=head.resource_type, resource_id=identity)
        values = extract(resource, custom=self._query.custom)
        return Facts(resource, container.last_updated, values)


def _check(query: Query) -> None:
    if len(query.types) > _MOST_TYPES:
        message = f"_contained is asked of up to {_MOST_TYPES} types; name them."
        raise BadRequest(message)
    if query.includes or query.view.explain:
        message = "Contained resources have no _include, _revinclude and _explain; leave them out."
        raise BadRequest(message)
    if _goes_on(query.where):
        message = "Chains, _has and _list are not asked of contained resources."
        raise BadRequest(message)
    if not query.any_order and query.view.contained == "true":
        message = "Contained resources come in the order of what contains them; leave _sort out."
        raise BadRequest(message)


def _goes_on(part: Predicate) -> bool:
    match part:
        case AllOf(parts) | AnyOf(parts):
            return any(map(_goes_on, parts))
        case Not(inner):
            return _goes_on(inner)
        case Linked() | Has() | InList():
            return True
        case _:
            return False
