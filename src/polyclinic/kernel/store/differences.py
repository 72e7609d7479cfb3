"""What became of resources between two moments: created, changed or deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from polyclinic.kernel.access.decide import Action, readable_types
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.store import select
from polyclinic.kernel.store.audit import About
from polyclinic.kernel.store.audit_events import AUDIT_EVENT
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.page_links import seal, unseal
from polyclinic.kernel.store.past import Past, PastRights, VersionOf
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.stored import Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.versions import Row
from polyclinic.kernel.types import type_number


class Span(NamedTuple):
    """Between which moments, and of what, differences are asked for."""

    start: datetime
    end: datetime
    types: tuple[str, ...]
    """Empty: all that may be read."""
    id: str | None = None
    """Only of this resource, of the one type."""
    patient: str | None = None
    """Only of this patient's record, at either moment."""


class Difference(NamedTuple):
    """What became of a resource."""

    kind: Literal["created", "changed", "deleted"]
    before: Stored | None
    after: Stored | None

    @property
    def place(self) -> tuple[str, str]:
        """Return type and id."""
        shown = self.after or self.before
        assert shown is not None
        return shown.type, shown.id


class DifferencePage(NamedTuple):
    """A page of differences, in the order of the changes."""

    entries: tuple[Difference, ...]
    next: str | None


class _Place(msgspec.Struct, frozen=True, array_like=True):
    at: datetime
    rid: int


class _Seen(NamedTuple):
    """A change, with what a principal sees of it."""

    place: _Place
    difference: Difference | None
    patients: frozenset[int]


class Differences:
    """Compare two moments."""

    def __init__(self, past: Past, rights: PastRights) -> None:
        self._past = past
        self._rights = rights

    async def page(
        self, principal: Principal, span: Span, count: int, after: str | None
    ) -> DifferencePage:
        """Return what was created, changed and deleted, in the order of the last change.

        Who may see a resource at one of the two moments only is told that it was created, or
        deleted. Raise ``Forbidden``, and ``BadRequest`` for the link of somebody else.
        """
        tenant = self._rights.tenant(principal)
        shape = principal.account, span.types, span.id, span.patient, span.start, span.end
        bound = b"difference page" + msgspec.msgpack.encode(shape)
        place = unseal(tenant, bound, after, _Place) if after else _Place(span.start, 0)
        reaches = await self._reaches(principal, span)
        patient = await self._patient(tenant.number, span)
        seen = await self._page(
            tenant,
            span,
            reaches,
            select.Between(span.start, span.end, patient, place.at, place.rid, count),
        )
        found = [one.difference for one in seen if one.difference is not None]
        patients = {rid for one in seen for rid in one.patients}
        types = [type_number(name) for name in span.types] if len(span.types) == 1 else []
        await self._rights.note(principal, Action.SEARCH, About.history(types, sorted(patients)))
        is_full = len(seen) == count and span.id is None
        link = seal(tenant, bound, seen[-1].place) if is_full else None
        return DifferencePage(tuple(found), link)

    async def _reaches(self, principal: Principal, span: Span) -> dict[str, Reach]:
        """Return what of each type may be read. Raise ``Forbidden``."""
        names: Sequence[str] = span.types
        if not names:
            policy = await self._rights.policy(principal.tenant)
            names = [name for name in readable_types(policy, principal) if name != AUDIT_EVENT]
            if not names:
                error = Forbidden("Your role reads nothing that could have changed.")
                await self._rights.denied(principal, Action.READ, error, "")
                raise error
        return {name: await self._rights.allowed(principal, Action.READ, name) for name in names}

    async def _patient(self, tenant: int, span: Span) -> int | None:
        """Return the rid of the patient that is asked for, -1 where there is none such."""
        if span.patient is None:
            return None
        place = type_number("Patient"), span.patient
        handle = (await self._past.placement.find(tenant, [place])).get(place)
        return handle.rid if handle else -1

    async def _page(
        self, tenant: Tenant, span: Span, reaches: Mapping[str, Reach], between: select.Between
    ) -> list[_Seen]:
        """Return the changes of a page with what may be seen of them."""
        within = self._past.pool.within(tenant.number)
        if span.id is not None:
            one = type_number(span.types[0]), span.id, span.start, span.end
            sql, arguments = STATEMENTS["difference"], [tenant.number, *one]
        else:
            scope, keys = (
                select.Scope(tenant.number, reaches),
                QueryKeys(tenant.index_key, *reaches),
            )
            sql, arguments = select.differences(between, select.Statement(scope, keys))
        with translated():
            rows = await within.fetch(sql, *arguments)
        seen = await self._judged(tenant.number, reaches, rows)
        if between.patient is None or span.id is None:
            return seen
        return [one for one in seen if between.patient in one.patients]

    async def _judged(
        self, tenant: int, reaches: Mapping[str, Reach], rows: Sequence[Row]
    ) -> list[_Seen]:
        """Return changes with what may be seen of them."""
        now = [(row["rid"], row["version"]) for row in rows if not row["deleted"]]
        then = [(row["rid"], row["before"]) for row in rows if not row["was_deleted"]]
        shown = await self._past.reached(tenant, reaches, [*now, *then])
        opened = await self._past.opened(tenant, list(shown.values()))
        stored = dict(zip(shown, opened, strict=True))
        return [_seen(row, shown, stored) for row in rows]


def _seen(row: Row, shown: Mapping[VersionOf, Row], stored: Mapping[VersionOf, Stored]) -> _Seen:
    now, then = (row["rid"], row["version"]), (row["rid"], row["before"])
    after, before = stored.get(now), stored.get(then)
    place = _Place(row["at"], row["rid"])
    patients = frozenset(
        rid for one in (now, then) if one in shown for rid in shown[one]["patients"]
    )
    if after is None and before is None:
        return _Seen(place, None, patients)
    kind: Literal["created", "changed", "deleted"] = "changed"
    if before is None:
        kind = "created"
    elif after is None:
        kind = "deleted"
    return _Seen(place, Difference(kind, before, after), patients)
