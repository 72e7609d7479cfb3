"""Who may see this, and why; why not: a policy tried out on a principal and a resource."""

from dataclasses import replace
from typing import Final, NamedTuple

from polyclinic.base.db.connect import Record
from polyclinic.kernel.access.decide import Action, Decision, Extent, decide
from polyclinic.kernel.access.explain import Reason, explain
from polyclinic.kernel.access.policy import Policy
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden, NotFound
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import ROLE_OF, Binder, Reach, RowFacts
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import type_name, type_number

_CARE: Final = Decision((Extent(care=True),))
_MAY_ASK: Final = frozenset({"administrator", "job"})


class Case(NamedTuple):
    """What is tried: somebody (without roles: every role), an action, a type or one resource."""

    who: Principal
    action: Action
    resource_type: str
    id: str | None


class Verdict(NamedTuple):
    """What one rule says."""

    role: str
    number: int
    whose: str
    where: str
    holds: bool
    why: str


class Related(NamedTuple):
    """A care relation of the resource's patients that holds now."""

    staff: str
    source: str


class Simulation(NamedTuple):
    """The outcome."""

    allowed: bool
    policy: str
    version: int
    verdicts: tuple[Verdict, ...]
    related: tuple[Related, ...]


class Simulator:
    """Try policies out."""

    def __init__(self, pool: Connections, binder: Binder) -> None:
        self._pool = pool
        self._binder = binder

    async def run(self, tenant: Tenant, policy: tuple[int, Policy], case: Case) -> Simulation:
        """Return what the policy says of a case. Raise ``NotFound`` for no such resource."""
        number, rules = policy
        if not case.who.roles:
            case = case._replace(who=replace(case.who, roles=rules.roles))
        facts: RowFacts | None = None
        related: tuple[Related, ...] = ()
        if case.id is not None:
            facts, related = await self._facts(tenant, case)
        reasons = list(explain(rules, case.who, case.action, case.resource_type))
        verdicts = [await self._verdict(tenant, case, reason, facts) for reason in reasons]
        if not verdicts:
            verdicts = [_silent(role, rules) for role in sorted(case.who.roles)]
        return Simulation(
            await self._allowed(tenant, rules, case, facts),
            rules.document.name,
            number,
            tuple(verdicts),
            related,
        )

    async def _allowed(
        self, tenant: Tenant, policy: Policy, case: Case, facts: RowFacts | None
    ) -> bool:
        try:
            decision = decide(policy, case.who, case.action, case.resource_type)
        except Forbidden:
            return False
        if facts is None:
            return True
        reach = await self._binder.bind(tenant, case.who, case.resource_type, decision)
        return reach.allows(facts)

    async def _verdict(
        self, tenant: Tenant, case: Case, reason: Reason, facts: RowFacts | None
    ) -> Verdict:
        rule = reason.granted.rule
        holds, why = bool(reason.extents), reason.lacks
        if holds and facts is not None:
            decision = Decision(reason.extents)
            reach = await self._binder.bind(tenant, case.who, case.resource_type, decision)
            holds = reach.allows(facts)
            why = "" if holds else _why_not(reach, facts)
        return Verdict(
            reason.granted.role, reason.granted.number, rule.whose, rule.where, holds, why
        )

    async def _facts(self, tenant: Tenant, case: Case) -> tuple[RowFacts, tuple[Related, ...]]:
        practitioner = 0
        if case.who.practitioner:
            reach = await self._binder.bind(tenant, case.who, case.resource_type, _CARE)
            practitioner = reach.practitioner
        now = self._binder.now()
        within = self._pool.within(tenant.number)
        with translated():
            row = await within.fetchrow(
                STATEMENTS["simulate_facts"],
                *(tenant.number, type_number(case.resource_type), case.id),
                *(practitioner, now, ROLE_OF),
            )
            if row is None:
                raise NotFound
            rows = await within.fetch(
                STATEMENTS["simulate_related"], tenant.number, row["patients"], now
            )
        facts = RowFacts(row["patients"], row["labels"], row["keys"], row["cared"])
        return facts, tuple(_related(one) for one in rows)


def may_simulate(principal: Principal) -> None:
    """Raise ``Forbidden`` for whoever may not try policies out."""
    if principal.roles.isdisjoint(_MAY_ASK):
        message = "Only an administrator tries policies out."
        raise Forbidden(message)


def _silent(role: str, policy: Policy) -> Verdict:
    known = role in policy.roles
    why = "none of its rules allows this" if known else "the policy has no such role"
    return Verdict(role, 0, "", "", holds=False, why=why)


def _why_not(reach: Reach, facts: RowFacts) -> str:
    part = reach.parts[0]
    if part.patients is not None and part.patients.isdisjoint(facts.patients):
        return "it belongs to another patient" if facts.patients else "it belongs to no patient"
    if part.nobody and facts.patients:
        return "it belongs to a patient"
    if part.care and not facts.cared:
        return "there is no care relation with its patient now"
    return "it does not have what the rule or the app's scope asks for"


def _related(row: Record) -> Related:
    staff_type, staff_id, source_type, source_id = row
    return Related(f"{type_name(staff_type)}/{staff_id}", f"{type_name(source_type)}/{source_id}")
