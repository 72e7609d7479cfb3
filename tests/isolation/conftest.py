"""Two worlds on databases of their own, and who asks them."""

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import msgspec
import pytest
import pytest_asyncio
from starlette.responses import Response

from polyclinic.app import build, http
from polyclinic.app.modules import MODULES
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.settings import Settings
from polyclinic.kernel.access import decide
from polyclinic.kernel.access.policy import (
    SHIPPED,
    Verb,
    in_patient_compartment,
    read_policy,
    shipped,
)
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import NotFound, Unauthenticated
from polyclinic.kernel.module import DemoAccount, Module, Route
from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.clock import FixedClock
from polyclinic.testing.ids import SequentialIds
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.plan import Plan
from polyclinic.testing.isolation.planted import Planted
from polyclinic.testing.isolation.population import (
    ABSENT,
    ASKER,
    DOCTOR,
    SIDES,
    STORED,
    load,
    stages,
)
from polyclinic.testing.isolation.statements import watched
from polyclinic.testing.isolation.twins import Twins, World
from polyclinic.testing.postgres import cloned

DOCUMENT = msgspec.to_builtins(shipped(SHIPPED[0]).document)
DIRECTORY = ["@directory", "@definitions", "Medication"]
DOCUMENT["roles"] |= {
    "reads-own": {
        "title": "Reads what is its own of every type: the patient's role refuses most types",
        "rules": [
            {"may": ["read"], "on": ["*"], "whose": "own"},
            {"may": ["read"], "on": DIRECTORY, "whose": "nobody"},
        ],
    },
    "cares": {
        "title": "Reads what belongs to those it cares for",
        "rules": [
            {"may": ["read"], "on": ["*"], "whose": "care"},
            {"may": ["read"], "on": DIRECTORY, "whose": "nobody"},
        ],
    },
}
POLICY = read_policy(msgspec.json.encode(DOCUMENT))
"""The policy of both worlds: the one that ships, with the roles of this test."""


def readable(role, whose):
    """Return the types of which a role reads what is everyone's, nobody's, ..."""
    return frozenset(
        name
        for name in RESOURCE_TYPES
        if any(one.rule.whose == whose for one in POLICY.granted(role, Verb.READ, name))
    )


SHARED = readable("patient", "nobody")
"""Types of which a patient sees what is nobody's; the others differ between the worlds."""


@dataclass(frozen=True, repr=False)
class Caller:
    """Somebody who must not learn of others.

    ``sees`` are types of which it sees what is others' or nobody's. Whoever ``writes`` is asked to
    read only: an id that is taken cannot be told from a free one unless answers differ. ``every``
    is how many types there are for each that the bounded test asks about.
    """

    name: str
    role: str
    patient: str | None = None
    represents: frozenset[str] = frozenset()
    practitioner: str | None = None
    scopes: tuple[str, ...] | None = None
    sees: frozenset[str] = frozenset()
    writes: bool = False
    every: int = 6

    def __repr__(self):
        return self.name

    def principal(self, tenant):
        return Principal(
            name=self.name,
            tenant=tenant,
            account=1000 + NAMES.index(self.name),
            roles=frozenset({self.role}),
            patient=self.patient,
            represents=self.represents,
            practitioner=self.practitioner,
            scopes=self.scopes,
        )

    def signed(self, call):
        return call.with_header("authorization", f"Bearer {self.name}")

    def plan(self, types=RESOURCE_TYPES):
        """Return what this caller asks: nothing whose answer may hold what it may see of others."""
        asked = [one for one in INTERACTIONS if not (self.sees and _lists_all(one))]
        asked = [one for one in asked if not (self.writes and one.code in WRITES)]
        return Plan(asked, [name for name in types if name not in self.sees], self.sees)

    def bounded(self):
        """Return what this caller asks in every run."""
        return self.plan(RESOURCE_TYPES[NAMES.index(self.name) % self.every :: self.every])


WRITES = {"create", "update", "patch", "delete", "transaction"}


def _lists_all(interaction):
    if interaction.code == "search-system":
        return True
    return interaction.level == "system" and interaction.code != "transaction"


FREE = frozenset(name for name in RESOURCE_TYPES if not in_patient_compartment(name))
"""Types that belong to no patient."""
STUDIES = frozenset({"AuditEvent", "MeasureReport", "Schedule"}) | readable(
    "researcher", "everyone"
)
CALLERS = (
    Caller("patient", "patient", ASKER, every=3),
    Caller("reader", "reads-own", ASKER, every=2),
    Caller("proxy", "proxy", represents=frozenset({ASKER})),
    Caller("proxy-of-two", "proxy", represents=frozenset({ASKER, ABSENT})),
    Caller("doctor", "cares", practitioner=DOCTOR),
    Caller("app", "clinician", ASKER, scopes=("patient/*.rs",), sees=FREE),
    Caller("narrow-app", "patient", ASKER, scopes=("patient/Observation.rs?status=final",)),
    Caller("unlinked", "patient", ABSENT),
    Caller("stranger", "no such role", every=12),
    Caller("administrator", "administrator", sees=STUDIES, writes=True),
    Caller("researcher", "researcher", sees=STUDIES),
    Caller("epidemiologist", "epidemiologist", sees=STUDIES),
)
"""One row for each kind of principal that must not learn of others."""
CLINICIAN = Caller("clinician", "clinician", sees=frozenset(RESOURCE_TYPES))
NAMES = [one.name for one in (*CALLERS, CLINICIAN)]


def authenticator(services):
    known = {one.name: one.principal(services.tenant.number) for one in (*CALLERS, CLINICIAN)}

    async def authenticate(headers, method):  # noqa: ARG001 - the contract's arguments
        name = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if name not in known:
            raise Unauthenticated
        return known[name]

    return authenticate


class Switch:
    """What a planted leak turns on."""

    tells = False


async def known(services, request):
    """Answer whether somebody is a patient here, to those who may know; to all when it leaks."""
    job = build.job_principal(services, "leak")
    principal = job if Switch.tells else request.state.principal
    try:
        await services.store.read(principal, "Patient", request.query_params["id"])
    except NotFound:
        return Response("no")
    return Response("yes")


GATE = Module(
    name="gate",
    summary="Knows the callers of this test.",
    authenticator=authenticator,
    routes=(Route("GET", "/gate/known", known),),
)


@asynccontextmanager
async def nothing_beside(*_):
    """Run no jobs: their statements would come between those of the requests."""
    yield


@pytest.fixture(scope="session")
def fixed():
    """Take from the platform what differs by chance: the clock, ids, jobs in between."""
    with pytest.MonkeyPatch.context() as patch, watched():
        patch.setattr(build, "SystemClock", FixedClock)
        patch.setattr(build, "TimeOrderedIds", lambda _: SequentialIds())
        patch.setattr(http, "running", nothing_beside)
        yield


def accounts(side):
    """Return who can sign in: of others, one with another password and one on one side only."""
    return [
        DemoAccount(name, name, "patient", f"{side}'s long password", name, is_new=True)
        for name in ("b-both", f"b-{side}")
    ]


async def fill(services, modules, clock, side):
    job = build.job_principal(services, "twins")
    await services.store.policies.set(job, msgspec.json.encode(DOCUMENT))
    await load(services.store, job, clock, stages(side, SHARED))
    await services.store.loaded(job)
    await (await services.store.reindexer(job)).run(lambda _: None)
    for module in modules:
        if module.demo_accounts is not None:
            await module.demo_accounts(services, accounts(side))


async def world(settings, database, side):
    """Return a world that one process has filled and the next one serves."""
    modules = (GATE, *MODULES)
    clock = FixedClock()
    async with build.services(settings, database, modules, clock) as services:
        await fill(services, modules, clock, side)
    application = http.Application(settings, modules, database)
    await application.start()
    served = application._services.clock
    served.set(clock.now())
    return application, World(application, served)


async def links(one):
    """Return page links that a clinician was given."""
    found = {}
    for name in STORED:
        call = CLINICIAN.signed(Call("GET", f"/fhir/{name}?_count=1"))
        reply, _ = await one.ask(call)
        *_, url = [link["url"] for link in msgspec.json.decode(reply.body)["link"]]
        found[name] = url.partition("_after=")[2]
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def twins(postgres, migration_packages, tmp_path_factory, request, fixed):  # noqa: ARG001
    """Yield the two worlds, each served by an application of its own."""
    template = await postgres.ensure_template(find_migrations(migration_packages))
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    worlds = []
    async with AsyncExitStack() as stack:
        for side in SIDES:
            name = postgres.name_of(f"{worker}_{side}")
            database = await stack.enter_async_context(cloned(postgres, name, template))
            # Counting the requests of an account would cost as much as answering them here.
            settings = Settings(data=tmp_path_factory.mktemp(side), rate_limit=0)
            application, one = await world(settings, database, side)
            stack.push_async_callback(application.stop)
            worlds.append(replace(one, links=await links(one)))
        yield Twins(*worlds)


@pytest.fixture(params=CALLERS, ids=lambda one: one.name)
def caller(request):
    """Return each kind of principal that must not learn of others."""
    return request.param


@pytest.fixture(scope="session")
def callers():
    return CALLERS


@pytest.fixture
def patient():
    return CALLERS[0]


@pytest.fixture
def reader():
    """Return who sees of every type what is its own."""
    return CALLERS[1]


@pytest.fixture
def clinician():
    """Return who sees everybody."""
    return CLINICIAN


@pytest.fixture
def served_modules():
    """Return the modules that both worlds run."""
    return (GATE, *MODULES)


@pytest.fixture
def shared_types():
    return SHARED


@pytest.fixture
def telling(monkeypatch):
    """Return a function that lets the test's own route leak."""
    return lambda: monkeypatch.setattr(Switch, "tells", True)


SEED = 7


@pytest.fixture
def planned():
    """Return a function of a caller, types and times that makes requests in a mixed order."""

    def plan(caller, types, times):
        calls = [caller.signed(call) for call in caller.plan(types).everything(SEED, times)]
        Chance(SEED).shuffle(calls)
        return calls

    return plan


@pytest.fixture
def shows(twins, callers, clinician, planned, monkeypatch):
    """Return a function that plants a leak and says whether the worlds then differ.

    No decision that a leak made outlives it, nor does an earlier one hide it.
    """

    async def show(leak, times):
        (caller,) = [one for one in callers if one.name == leak.caller]
        leak.plant(Planted(monkeypatch, clinician))
        return await twins.first(planned(caller, leak.types, times)) is not None

    decide.decide.cache_clear()
    yield show
    decide.decide.cache_clear()
