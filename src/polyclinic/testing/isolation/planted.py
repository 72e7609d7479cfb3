"""Leaks that are planted on purpose, to see that the twin-world test finds each of them.

Each is a fault that a change could make, planted where the product is asked (the store, the policy,
the application), so that it stays what it is when what lies below is written anew.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store import Store
from polyclinic.testing.isolation import twins
from polyclinic.testing.isolation.calls import Application, Call, Reply, send

Ask = Callable[[Call], Awaitable[Reply]]


class Patch(Protocol):
    """Puts an attribute in place of another until the test ends: pytest's monkeypatch."""

    def setattr(self, target: Any, name: str, value: Any) -> None:
        """Replace an attribute."""


@dataclass(frozen=True)
class Planted:
    """What a leak is planted with."""

    patch: Patch
    clinician: Any
    """A caller who sees everybody."""

    def method(self, name: str, leaky: Callable[..., Awaitable[Any]]) -> None:
        """Put a method of the store in front of the one that is there, which it is given."""
        original = getattr(Store, name)

        async def instead(store: Store, principal: Principal, *rest: Any) -> Any:
            return await leaky(original, store, principal, *rest)

        self.patch.setattr(Store, name, instead)

    def front(self, leaky: Callable[[Call, Ask], Awaitable[Reply]]) -> None:
        """Put something before the application: it is given a call, and what puts calls to it."""

        async def instead(application: Application, call: Call) -> Reply:
            return await leaky(call, lambda other: send(application, other))

        self.patch.setattr(twins, "send", instead)

    def by_clinician(self, call: Call) -> Call:
        """Return a call as if a clinician had made it."""
        kept = tuple(header for header in call.headers if header[0] != "authorization")
        signed: Call = self.clinician.signed(replace(call, headers=kept))
        return signed


class Leak(NamedTuple):
    """One leak."""

    plant: Callable[[Planted], None]
    caller: str
    """Who asks."""
    types: tuple[str, ...]
    """Of which types."""


@dataclass
class Leaks:
    """Leaks by what they are."""

    usual: tuple[str, ...]
    """The types that are asked about unless a leak says others."""
    found: dict[str, Leak] = field(default_factory=dict)

    def __call__(
        self, what: str, caller: str = "reader", types: tuple[str, ...] = ()
    ) -> Callable[[Callable[[Planted], None]], Callable[[Planted], None]]:
        """Return a decorator that enters a leak."""

        def enter(plant: Callable[[Planted], None]) -> Callable[[Planted], None]:
            self.found[what] = Leak(plant, caller, types or self.usual)
            return plant

        return enter


def as_job(principal: Principal) -> Principal:
    """Return somebody without a limit."""
    return Principal("leak", principal.tenant, principal.account, frozenset({"job"}))
