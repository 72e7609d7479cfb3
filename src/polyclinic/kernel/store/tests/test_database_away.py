"""The database goes away and comes back: clear answers meanwhile, and everything works again."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change, HistoryQuery, open_store
from polyclinic.kernel.types import from_json
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.postgres import cloned

PATIENT = from_json({"resourceType": "Patient", "id": "p", "active": True})
EVERYTHING, _ = parse_query("Patient", [], "")


class Away:
    """A database of its own that can be taken away."""

    def __init__(self, postgres, database, name):
        self._postgres = postgres
        self.database = database
        self._name = name

    async def command(self, *statements):
        async with connected(self._postgres.url("postgres")) as superuser:
            for statement in statements:
                await superuser.execute(statement.format(self._name))

    async def end_sessions(self):
        await self.command(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'"
        )

    @asynccontextmanager
    async def gone(self):
        await self.command('alter database "{}" allow_connections false')
        await self.end_sessions()
        try:
            yield
        finally:
            await self.command('alter database "{}" allow_connections true')


@pytest_asyncio.fixture(loop_scope="session")
async def away(postgres, migration_packages, request):
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    name = postgres.name_of(f"{worker}_away")
    async with cloned(postgres, name, template) as database:
        yield Away(postgres, database, name)


@asynccontextmanager
async def opened(away, kek, statement_timeout=30.0):
    clock = SystemClock()
    ids = TimeOrderedIds(clock)
    settings = Settings(statement_timeout=statement_timeout)
    async with open_store(away.database.app_dsn, settings, clock=clock, ids=ids) as store:
        yield Clinic(store, await store.open_tenant("away", kek))


async def test_every_call_says_that_it_cannot_be_answered_now(away, kek):
    async with opened(away, kek) as clinic:
        store, job = clinic.store, clinic.principal("job")
        await store.update(job, PATIENT)
        denied, own = clinic.principal("administrator"), clinic.principal("patient", patient="x")

        async with away.gone():
            answers = await asyncio.gather(
                store.read(job, "Patient", "p"),
                store.vread(job, "Patient", "p", 1),
                store.read(own, "Patient", "p"),
                store.read(denied, "Patient", "p"),
                store.create(job, from_json({"resourceType": "Patient", "id": "new"})),
                store.update(job, from_json({"resourceType": "Patient", "id": "p"})),
                store.delete(job, "Patient", "p"),
                store.write_all(job, [Change("Patient", "p", None)]),
                store.search(job, EVERYTHING),
                store.history(job, HistoryQuery("Patient", "p")),
                store.history(job, HistoryQuery()),
                store.is_empty(job),
                store.upkeep(job),
                store.progress(job).lines(b"x"),
                return_exceptions=True,
            )

    assert [type(answer) for answer in answers] == [Unavailable] * len(answers)


async def test_everything_works_again_once_it_is_back(away, kek):
    async with opened(away, kek) as clinic:
        store, job = clinic.store, clinic.principal("job")
        await store.update(job, PATIENT)
        async with away.gone():
            with pytest.raises(Unavailable):
                await store.read(job, "Patient", "p")

        written = await store.update(job, from_json({"resourceType": "Patient", "id": "p"}))

        assert written.stored.version == 2
        assert (await store.read(job, "Patient", "p")).version == 2
        assert [entry.id for entry in (await store.search(job, EVERYTHING)).entries] == ["p"]


async def test_connections_that_died_while_idle_are_not_noticed(away, kek):
    async with opened(away, kek) as clinic:
        store, job = clinic.store, clinic.principal("job")
        await store.update(job, PATIENT)

        await away.end_sessions()
        await asyncio.sleep(0.1)

        assert (await store.read(job, "Patient", "p")).version == 1


async def test_a_write_whose_connection_dies_is_not_half_stored(away, kek):
    async with opened(away, kek) as clinic:
        store, job = clinic.store, clinic.principal("job")
        await store.update(job, PATIENT)
        changes = [
            Change("Patient", name, from_json({"resourceType": "Patient", "id": name}))
            for name in ("a", "p", "z")
        ]
        async with connected(away.database.require_owner()) as holder:
            await holder.execute("begin; lock table version in access exclusive mode")
            writing = asyncio.ensure_future(store.write_all(job, changes))
            await asyncio.sleep(0.2)
            await away.command(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = '{}' and wait_event_type = 'Lock'"
            )
            with pytest.raises(Unavailable):
                await writing

        found = (await store.search(job, EVERYTHING)).entries
        assert [(entry.id, entry.version) for entry in found] == [("p", 1)]


async def test_an_answer_that_takes_too_long_is_given_up(away, kek):
    async with opened(away, kek, statement_timeout=0.2) as clinic:
        async with connected(away.database.require_owner()) as holder:
            await holder.execute("begin; lock table keys in access exclusive mode")
            with pytest.raises(Unavailable, match="took too long"):
                await clinic.store.search(clinic.principal("job"), EVERYTHING)

        page = await clinic.store.search(clinic.principal("job"), EVERYTHING)

    assert page.entries == ()
