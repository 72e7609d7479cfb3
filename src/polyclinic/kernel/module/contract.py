"""The contract between the platform and a feature."""

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from polyclinic.base.clock import Clock
from polyclinic.base.db.pool import Pool
from polyclinic.base.ids import Ids
from polyclinic.base.jobs.run import JobKind
from polyclinic.base.jobs.schedule import Schedule
from polyclinic.base.outbound import Disabled, HttpClient
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store import Store, Tenant

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Services:
    """What a running platform lends to its modules for one tenant.

    A process has services for each tenant that it serves. What is kept in them, or opened with
    them, is of that tenant alone; tenants share nothing but what ``Module.share`` opens.
    """

    store: Store
    tenant: Tenant
    pool: Pool
    clock: Clock
    ids: Ids
    settings: Settings
    http: HttpClient = field(default_factory=Disabled)
    """The one way to other servers."""
    parts: dict[type, object] = field(default_factory=dict)
    """What modules opened or share, and their settings, by class."""

    def part(self, kind: type[Part]) -> Part:
        """Return what a module opened, or its settings."""
        found = self.parts[kind]
        assert isinstance(found, kind)
        return found


class Authenticator(Protocol):
    """Find out who sends a request."""

    async def __call__(self, headers: dict[bytes, bytes], method: str) -> Principal:
        """Return the principal. Raise ``Unauthenticated`` when there is none."""
        ...


Handler = Callable[[Services, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A page or an endpoint outside the FHIR base."""

    method: str
    path: str
    handler: Handler
    public: bool = False
    """Answers without a principal. Only sign-in does."""


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand of ``polyclinic``."""

    name: str
    summary: str
    example: str
    run: Callable[[Services, Namespace], Awaitable[int]]
    """Returns the exit code."""
    add_arguments: Callable[[ArgumentParser], None] | None = None
    """Adds what it takes besides ``--data``."""


class Population(Protocol):
    """Make the demonstration population."""

    def __call__(self, seed: int, size: int, today: date) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield records of resources as JSON objects.

        The record of the clinic comes first, then one for each of `size` patients, which begins
        with its Patient. A reference points to what came before it.
        """
        ...


class Contributor(Protocol):
    """Add to the demonstration population, record by record."""

    def __call__(
        self, record: Sequence[Mapping[str, Any]], seed: int, today: date
    ) -> Iterable[dict[str, Any]]:
        """Return what to add to a record; nothing where it has no place.

        `record` holds what the population made, to read and not to write to; of other contributors
        it knows nothing. The same record, seed and day must give the same resources: draw from
        ``polyclinic.base.chance.Chance`` with the seed, the patient's id and a topic as key, and
        take ids that begin with the patient's.
        """
        ...


DEMO_ACCOUNT_SYSTEM: Final = "https://polyclinic.example/fhir/sid/demo-account"
"""System of the identifier by which a population says whom a demonstration account stands for.

A Practitioner or Patient with the account's name as value, such as ``doctor``, is that person.
"""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demonstration."""

    name: str
    display: str
    role: str
    password: str
    patient: str | None
    """The id of the Patient that it belongs to."""
    is_new: bool
    """Its password was made just now, and has to be set if there is an account already."""
    practitioner: str | None = None
    """The id of the Practitioner that it belongs to."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Work done later, and how often some of it comes again."""

    kinds: tuple[JobKind, ...]
    schedules: tuple[Schedule, ...] = ()


Opener = Callable[[Services], AbstractAsyncContextManager[object]]
"""Opens what the module's handlers of one tenant work with, a part of that tenant's services.

Entered when the tenant is first used, left when it has long been unused or the process stops,
maybe in another task: it must hold no task group or timeout open across its yield.
"""

Sharer = Callable[[Settings], AbstractAsyncContextManager[object]]
"""Opens what the module's handlers of every tenant share, such as threads; a part of all services.

It can hold nothing that belongs to a tenant. Entered at start, left at stop.
"""


@dataclass(frozen=True, slots=True)
class Module:
    """One feature: its name, a sentence, and what it adds."""

    name: str
    summary: str
    routes: tuple[Route, ...] = ()
    commands: tuple[Command, ...] = ()
    open: Opener | None = None
    share: Sharer | None = None
    settings: type | None = None
    """A dataclass of ``polyclinic.base.config.setting`` fields."""
    jobs: Callable[[Services], Jobs] | None = None
    authenticator: Callable[[Services], Authenticator] | None = None
    """At most one module knows who signs in."""
    population: Population | None = None
    """At most one module makes the people of the demonstration."""
    contributor: Contributor | None = None
    demo_accounts: Callable[[Services, Sequence[DemoAccount]], Awaitable[None]] | None = None
    """Makes the accounts of the demonstration that are missing."""
    has_migrations: bool = False
    """Its package has a folder ``migrations``."""
