"""Search pages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from polyclinic.kernel.access.decide import Action, may
from polyclinic.kernel.access.policy import Policy
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Forbidden, TooCostly
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store import select
from polyclinic.kernel.store.as_of import AsOf
from polyclinic.kernel.store.audit_events import AUDIT_EVENT
from polyclinic.kernel.store.bodies import Bodies, sealed_body
from polyclinic.kernel.store.connections import Pools
from polyclinic.kernel.store.costs import Costs
from polyclinic.kernel.store.explaining import Explainer, may_explain
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.page_links import context, seal, unseal
from polyclinic.kernel.store.paging import Pager, SearchPlace
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach
from polyclinic.kernel.store.snapshot import Snapshots
from polyclinic.kernel.store.stored import Page, Stored
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.store.versions import Row
from polyclinic.kernel.types import type_name, type_number


def _searchable(query: Query, policy: Policy, principal: Principal) -> Query:
    """Return a query of several types without those that a principal may not search at all.

    One that is asked for by itself stays, and is refused as such.
    """
    if len(query.types) == 1:
        return query
    types = [name for name in query.types if may(policy, principal, Action.SEARCH, name)]
    # AuditEvents are rows of another table.
    return replace(
        query, types=tuple(name for name in types if name != AUDIT_EVENT) or query.types[:1]
    )


def _types_of(query: Query, policy: Policy, principal: Principal) -> list[str]:
    """Return the types whose reach decides what a query finds.

    Those that it names have to be allowed. Of the others, which only come along, those that are not
    are left out.
    """
    more = select.includable(query) if query.includes else ()
    allowed = [name for name in more if may(policy, principal, Action.SEARCH, name)]
    return list(dict.fromkeys([*select.walked(query), *allowed]))


class Rights(NamedTuple):
    """How the rights of a principal are looked up, and a refusal is noted."""

    policy: Callable[[int], Awaitable[Policy]]
    allowed: Callable[[Principal, Action, str], Awaitable[Reach]]
    denied: Callable[[Principal, Action, FhirError, str], Awaitable[None]]


class Searcher:
    """Run searches."""

    def __init__(self, pools: Pools, bodies: Bodies, snapshots: Snapshots, rights: Rights) -> None:
        self._rights = rights
        self._pool = pools.searches
        self._bodies = bodies
        self.costs = Costs(pools.searches)
        self._snapshots = snapshots
        self._pager = Pager(pools, bodies, snapshots, self.costs)
        self._explainer = Explainer(pools.searches, snapshots.versions)
        self._as_of = AsOf(pools.searches, snapshots, self.costs)

    async def search(
        self, tenant: Tenant, principal: Principal, query: Query
    ) -> tuple[Page, list[int]]:
        """Return one page, with the total when the query asks for it, and whose data is on it.

        Raise ``Forbidden`` and ``TooCostly``.
        """
        asked = await self._asked(tenant, principal, query)
        query = asked.query
        with translated():
            asked = await self._as_of.prepared(asked)
            if query.count == 0:
                return Page((), None, await self._total(asked)), []
            bound = context(principal, query)
            after = unseal(tenant, bound, query.after, SearchPlace) if query.after else None
            rows, last = await self._pager.page(asked, after)
            more = await self._included(asked, rows)
            total = None
            if query.total:
                is_all = after is None and last is None
                total = len(rows) if is_all else await self._total(asked)
            explanation = None
            if query.view.explain:
                chosen = await self._pager.chosen(asked, after)
                explanation = await self._explainer.explain(asked, rows, *chosen)
        link = None if last is None else seal(tenant, bound, last)
        entries = await self._stored(tenant.number, rows)
        included = await self._stored(tenant.number, more)
        patients = sorted({rid for row in (*rows, *more) for rid in row["patients"]})
        return Page(entries, link, total, included, explanation), patients

    async def _asked(self, tenant: Tenant, principal: Principal, query: Query) -> select.Asked:
        """Return a query of what a principal may search, and what of each type."""
        if query.view.explain:
            try:
                may_explain(principal)
            except Forbidden as error:
                await self._rights.denied(principal, Action.SEARCH, error, query.resource_type)
                raise
        policy = await self._rights.policy(principal.tenant)
        query = _searchable(query, policy, principal)
        reaches = {
            name: await self._rights.allowed(principal, Action.SEARCH, name)
            for name in _types_of(query, policy, principal)
        }
        scope = select.Scope(tenant.number, reaches)
        return select.Asked(query, scope, QueryKeys(tenant.index_key, *query.types))

    async def _total(self, asked: select.Asked) -> int:
        query, scope, _, _ = asked
        if query.as_of is not None:
            return await self._counted(asked) + len(await self._snapshots.moved(asked, query.as_of))
        if not query.where.parts and all(scope.reaches[name].whole for name in query.types):
            within = self._pool.within(scope.tenant)
            counts = [
                await within.fetchval(STATEMENTS["type_count"], scope.tenant, type_number(name))
                for name in query.types
            ]
            return sum(map(int, counts))
        return await self._counted(asked)

    async def _counted(self, asked: select.Asked) -> int:
        query, scope, _, _ = asked
        statement = select.total(asked)
        named = None if select.is_selective(query.where) else select.dear(query) or "_total"
        await self.costs.check(asked, named, statement)
        sql, arguments = statement
        within = self._pool.within(scope.tenant, scope.audience())
        return int(await within.fetchval(sql, *arguments))

    async def _included(self, asked: select.Asked, rows: Sequence[Row]) -> Sequence[Row]:
        if not asked.query.includes:
            return ()
        scope = asked.scope
        page = [select.Match(row["rid"], row["type"]) for row in rows]
        statement = select.included(asked, page)
        if statement is None:
            return ()
        sql, arguments = statement
        found = await self._pool.within(scope.tenant, scope.audience()).fetch(sql, *arguments)
        if len(found) > select.MOST_INCLUDED:
            message = (
                f"More than {select.MOST_INCLUDED} resources would come along with this page;"
                " ask for fewer matches by _count, or include less."
            )
            raise TooCostly(message)
        return found

    async def _stored(self, tenant: int, rows: Sequence[Row]) -> tuple[Stored, ...]:
        bodies = await self._bodies.open(tenant, [sealed_body(row) for row in rows])
        return tuple(
            Stored.opened(
                (type_name(row["type"]), row["id"], row["version"]), row["last_updated"], body
            )
            for row, body in zip(rows, bodies, strict=True)
        )
