"""Several organizations in one installation share nothing."""

from dataclasses import replace

import pytest
import pytest_asyncio
from typing_extensions import override

from polyclinic.app.build import platform
from polyclinic.app.jobs import jobs_of, make_worker
from polyclinic.app.modules import MODULES
from polyclinic.app.tenants import Tenants
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.jobs.queue import NewJob, enqueue
from polyclinic.base.jobs.run import JobKind
from polyclinic.base.lanes import LANE
from polyclinic.kernel.errors import Unauthenticated
from polyclinic.kernel.module import Jobs, Module
from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.rest.message import Answer
from polyclinic.modules.identity.model import NewAccount, Session
from polyclinic.modules.identity.repository import Accounts, _account
from polyclinic.modules.identity.service import Identity
from polyclinic.testing.postgres import cloned

DEFAULT, NORTH, SOUTH = "http://clinic.test", "http://clinic.test/t/north", "http://south.test"
PASSWORD = "correct horse battery staple"
VALUES = {"compartment": "Patient", "type": "Patient", "id": "same", "vid": "1"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(started, house_database):
    """Yield an application with three tenants: by default, by path, and by host."""
    async with started(database=house_database) as running:
        await running._platform.make_tenant("north", [])
        await running._platform.make_tenant("south", ["south.test"])
        await running._platform.store.directory.set_hosts("default", ["clinic.test"])
        await running._tenants.read()
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house_database(postgres, migration_packages, request):
    """Yield a database whose tenants are this file's own."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_house"), template) as database:
        yield database


async def part(house, tenant, kind=Identity):
    opened = await house._tenants.take(tenant)
    opened.give_back()
    return opened.services.part(kind)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tokens(house):
    """Return a token of the same name and role in each tenant, by address."""
    found = {}
    for tenant, address in (("default", DEFAULT), ("north", NORTH), ("south", SOUTH)):
        identity = await part(house, tenant)
        new = NewAccount("doctor", tenant, frozenset({"clinician"}), None)
        await identity.put_account(new, PASSWORD)
        found[address] = await identity.issue_token("doctor", "test")
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def ask(house, connect, tokens):
    """Yield a function that sends a request with a tenant's own token, or another."""
    async with connect(house, headers={"content-type": "application/fhir+json"}) as client:

        async def send(method, address, path, token=None, **more):
            headers = {"authorization": f"Bearer {token or tokens[address]}"}
            return await client.request(method, f"{address}{path}", headers=headers, **more)

        yield send


@pytest_asyncio.fixture(loop_scope="session")
async def stored(ask):
    """Store a Patient of the same id in each tenant, under a name of its own."""
    for address, family in ((DEFAULT, "Defaultson"), (NORTH, "Northman"), (SOUTH, "Southey")):
        name = [{"family": family}]
        patient = {"resourceType": "Patient", "id": "same", "name": name, "active": True}
        answer = await ask("PUT", address, "/fhir/Patient/same", json=patient)
        assert answer.status_code in (200, 201), answer.text


EVERYWHERE = pytest.mark.parametrize(
    ("address", "own"), [(DEFAULT, "Defaultson"), (NORTH, "Northman"), (SOUTH, "Southey")]
)
READS = sorted(
    {
        "/".join(VALUES.get(word, word) for word in one.shape)
        for one in INTERACTIONS
        if one.method == "GET"
    }
)
SEARCHES = ["Patient?name=north,default,south", "Patient?_id=same", "Patient?active=true"]


@pytest.mark.usefixtures("stored")
@EVERYWHERE
@pytest.mark.parametrize("path", [*READS, *SEARCHES])
async def test_i8_every_read_shows_a_tenant_its_own_and_nobody_elses(ask, address, own, path):
    answer = await ask("GET", address, f"/fhir/{path}")

    others = {"Defaultson", "Northman", "Southey"} - {own}
    assert not any(other in answer.text for other in others)
    assert own in answer.text or "$" in path


@pytest.mark.usefixtures("stored")
async def test_i8_what_is_deleted_in_one_tenant_stays_in_the_others(ask):
    await ask("DELETE", NORTH, "/fhir/Patient/same")

    assert (await ask("GET", NORTH, "/fhir/Patient/same")).status_code == 410
    assert (await ask("GET", DEFAULT, "/fhir/Patient/same")).status_code == 200


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("path", ["/fhir/Patient/same", "/fhir/Patient", "/fhir", "/auth/session"])
@pytest.mark.parametrize("at", [DEFAULT, NORTH, SOUTH])
@pytest.mark.parametrize("of", [DEFAULT, NORTH, SOUTH])
async def test_i8_a_token_of_another_tenant_is_answered_like_an_unknown_one(
    ask, tokens, at, of, path
):
    unknown = await ask("GET", at, path, "nobody-has-this-token")

    answer = await ask("GET", at, path, tokens[of])

    same = (answer.status_code, answer.content, answer.headers) == (
        unknown.status_code,
        unknown.content,
        unknown.headers,
    )
    assert same is (at != of)
    assert unknown.status_code == 401


class AnyTenant(Accounts):
    """A leak: sessions are looked for in every tenant."""

    @override
    async def session(self, secret_hash, now):
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "select a.*, s.kind, s.expires, s.seen from session s join account a"
                " on a.account = s.account where s.secret_hash = $1 and s.expires > $2",
                *(secret_hash, now),
            )
        return Session(_account(row), row["kind"], row["expires"], row["seen"]) if row else None


@pytest.mark.parametrize(("accounts", "leaks"), [(Accounts, False), (AnyTenant, True)])
async def test_i8_a_planted_leak_of_sessions_shows(house, tokens, accounts, leaks):
    identity = await part(house, "north")
    number = identity._accounts.tenant
    north = Identity(
        accounts(house._platform.pool, number),
        identity._passwords,
        identity._clock,
        identity._settings,
    )
    headers = {b"authorization": f"Bearer {tokens[DEFAULT]}".encode()}

    try:
        principal = await north.authenticate(headers, "GET")
    except Unauthenticated:
        principal = None

    assert (principal is not None and principal.tenant != number) is leaks


async def test_i8_a_browsers_session_is_good_at_its_own_tenant_only(house, connect):
    async with connect(house) as client:
        sent = {"user": "doctor", "password": PASSWORD}
        answer = await client.post(f"{NORTH}/auth/sign-in", json=sent)
        cookie = answer.headers["set-cookie"]
        secret = cookie.partition(";")[0]
        headers = {"cookie": secret}
        client.cookies.clear()
        own = await client.get(f"{NORTH}/auth/session", headers=headers)
        other = await client.get(f"{DEFAULT}/auth/session", headers=headers)

    assert "Path=/t/north;" in cookie
    assert (own.status_code, own.json()["tenant"]) == (200, "north")
    assert other.status_code == 401


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("at", [DEFAULT, SOUTH])
async def test_i8_a_page_link_of_another_tenant_is_refused(ask, at):
    for number in range(3):
        patient = {"resourceType": "Patient", "id": f"p{number}"}
        await ask("PUT", NORTH, f"/fhir/Patient/p{number}", json=patient)
    page = (await ask("GET", NORTH, "/fhir/Patient?_count=1")).json()
    (link,) = [one["url"] for one in page["link"] if one["relation"] == "next"]
    assert link.startswith(f"{NORTH}/fhir/Patient?")
    below = link.removeprefix(NORTH)

    answer = await ask("GET", at, below)

    assert answer.status_code == 400
    assert (await ask("GET", NORTH, below)).status_code == 200


@pytest.mark.parametrize("address", [DEFAULT, NORTH, SOUTH])
async def test_addresses_in_answers_are_the_tenants_own(ask, address):
    answer = await ask("POST", address, "/fhir/Patient", json={"resourceType": "Patient"})

    assert answer.status_code == 201
    assert answer.headers["location"].startswith(f"{address}/fhir/Patient/")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("http://evil.test/fhir/metadata", 421),
        ("http://clinic.test/t/east/fhir/metadata", 404),
        ("http://south.test/t/north/fhir/metadata", 404),
        ("http://evil.test/healthz", 200),
        (f"{NORTH}/", 404),
        (f"{NORTH}/chart/1", 404),
        (f"{SOUTH}/", 200),
        (f"{NORTH}/fhir/metadata", 200),
    ],
)
async def test_an_address_of_nobody_is_told_apart(house, connect, address, status):
    async with connect(house) as client:
        assert (await client.get(address)).status_code == status


async def test_a_tenant_made_by_another_process_is_found(house, connect, house_database):
    async with connect(house) as client:
        before = await client.get("http://clinic.test/t/new/fhir/metadata")
        async with platform(house._settings, house_database, MODULES) as other:
            await other.make_tenant("new", [])
        await house._tenants.read()
        after = await client.get("http://clinic.test/t/new/fhir/metadata")

    assert (before.status_code, after.status_code) == (404, 200)


async def test_what_is_unused_is_put_away_but_nothing_that_is_in_use(house, house_database):
    async with platform(house._settings, house_database, MODULES) as other:
        tenants = Tenants(other, lambda services: services.tenant.number, largest=2)
        await tenants.start()
        first = await tenants.take("north")
        first.give_back()
        await tenants.take("south")
        without_north = set(tenants._open)
        again = await tenants.take("north")
        with_both = set(tenants._open)
        await tenants.stop()

    assert without_north == {"default", "south"}
    assert with_both == {"default", "south", "north"}
    assert again is not first
    assert again.surface == first.surface


@pytest.fixture
def worker_of(house):
    """Return a function that makes the worker of a job which tells whose services it got."""
    seen = []

    def jobs(services):
        async def tell(run):
            seen.append((run.tenant, services.tenant.number))

        return Jobs((JobKind("test.tell", tell),))

    def make(leak=None):
        modules = (Module("teller", "Tells whose services a job gets.", jobs=jobs),)
        told = replace(house._platform, modules=modules)
        worker = make_worker(told, house._tenants, house._services)
        if leak:
            worker._kinds["test.tell"] = jobs_of(house._services, modules).kinds[-1]
        return worker, seen

    return make


@pytest.mark.parametrize("leak", [False, True])
async def test_i8_a_job_is_run_with_its_own_tenants_services(house, worker_of, clock, leak):
    numbers = [one.number for one in house._tenants.addresses.listed]
    worker, seen = worker_of(leak)
    async with house._platform.pool.acquire() as connection:
        await enqueue(connection, [NewJob(number, "test.tell") for number in numbers], clock)

    await worker.drain()

    assert sorted(job for job, _ in seen) == numbers
    assert all(job == lent for job, lent in seen) is not leak


async def test_every_tenant_has_its_schedules(house, worker_of):
    worker, _ = worker_of()

    scheduled = {one.tenant for one in worker._schedules}

    assert scheduled == {one.number for one in house._tenants.addresses.listed}


async def lane_at(application, connect, address):
    """Return the lane in which a request to an address is worked on."""
    seen = []

    async def fhir(scope, receive, send):
        del scope, receive
        seen.append(LANE.get())
        await Answer(204).send(send)

    surfaces = [opened.surface for opened in application._tenants._open.values()]
    before = [surface.fhir for surface in surfaces]
    for surface in surfaces:
        object.__setattr__(surface, "fhir", fhir)
    async with connect(application) as client:
        await client.get(f"{address}/fhir/Patient")
    for surface, own in zip(surfaces, before, strict=True):
        object.__setattr__(surface, "fhir", own)
    return seen[0]


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(
    ("tenant", "address"), [("default", DEFAULT), ("north", NORTH), ("south", SOUTH)]
)
async def test_d7_a_request_is_worked_on_in_the_lane_of_its_tenant(house, connect, tenant, address):
    numbers = {one.name: one.number for one in house._tenants.addresses.listed}

    assert await lane_at(house, connect, address) == numbers[tenant]
    assert LANE.get() is None


async def test_d7_with_one_tenant_there_are_no_lanes(application, connect):
    assert await lane_at(application, connect, "http://clinic.test") is None
