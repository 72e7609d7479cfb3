"""Why a policy lets a principal do something, or does not: rule by rule."""

from collections.abc import Iterator
from typing import NamedTuple

from polyclinic.kernel.access.decide import Action, Extent, extent_of, narrowed, rules_for
from polyclinic.kernel.access.policy import Granted, Policy
from polyclinic.kernel.access.principal import Principal

_LACKS = {
    "own": "the account is not linked to a patient",
    "represented": "the account represents no patient",
    "care": "the account is not linked to a practitioner",
    "nobody": "the account is linked to nobody",
}


class Reason(NamedTuple):
    """What one rule comes to."""

    granted: Granted
    extents: tuple[Extent, ...]
    """What of the type it lets the principal reach; empty: nothing."""
    lacks: str
    """What is missing where that is nothing."""


def explain(
    policy: Policy, principal: Principal, action: Action, resource_type: str
) -> Iterator[Reason]:
    """Yield a reason for each rule that speaks of an action on a type."""
    for rule in rules_for(policy, principal, action, resource_type):
        extent = extent_of(rule, principal)
        if extent is None:
            yield Reason(rule, (), _LACKS[rule.rule.whose])
            continue
        within = narrowed([extent], principal, action, resource_type)
        yield Reason(rule, tuple(within), "" if within else "the app's scopes do not reach it")
