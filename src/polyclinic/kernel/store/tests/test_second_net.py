"""The two nets between a statement and a row: each holds where the other is broken."""

import re
from dataclasses import replace

import asyncpg
import pytest

from polyclinic.base.db.connect import connected
from polyclinic.kernel.errors import Erased, NotFound
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import HistoryQuery, select
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.store.reach import Reach

GUARDED = (
    "resource",
    "version",
    "string_value",
    "date_value",
    "number_value",
    "care_relation",
)


def observation(patient, number):
    return {
        "resourceType": "Observation",
        "id": f"{patient}{number}",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2020-01-01",
        "valueQuantity": {"value": 5, "unit": "kg"},
    }


@pytest.fixture
async def patient(clinic):
    """Store two patients' records, and return the first one's account."""
    for one in "ab":
        doctor = [{"reference": "Practitioner/d"}]
        person = {"resourceType": "Patient", "id": one, "name": [{"family": one}]}
        await clinic.put({**person, "generalPractitioner": doctor})
        await clinic.put(observation(one, 1))
        await clinic.put({**observation(one, 1), "issued": "2020-01-02T00:00:00Z"})
    return clinic.principal("patient", patient="a")


@pytest.fixture
def without_policies(owner):
    """Return a function that lets the database see no difference between contexts."""
    return _Switch(owner)


class _Switch:
    def __init__(self, owner):
        self._owner = owner

    async def __aenter__(self):
        for table in GUARDED:
            await self._owner.execute(f"alter table {table} disable row level security")

    async def __aexit__(self, *_):
        for table in GUARDED:
            await self._owner.execute(f"alter table {table} enable row level security")


def everything(_clinic):
    query, _ = parse_query("Observation", [("_total", "accurate")], "")
    return query


async def found(clinic, who, **changes):
    page = await clinic.store.search(who, replace(everything(clinic), **changes))
    return {entry.id for entry in page.entries}


@pytest.mark.parametrize("table", GUARDED)
async def test_without_a_context_no_row_is_there(database, patient, owner, table):
    del patient
    count = f"select count(*) from {table}"  # noqa: S608 - a name of ours
    assert await owner.fetchval(count)

    for url in (database.app_dsn, database.require_owner()):
        async with connected(url) as connection:
            assert await connection.fetchval(count) == 0


async def test_every_table_with_a_tenant_and_a_body_is_guarded(owner):
    rows = await owner.fetch(
        "select relname, relrowsecurity, relforcerowsecurity from pg_class "
        "where relname = any($1::text[])",
        GUARDED,
    )

    assert {tuple(row)[1:] for row in rows} == {(True, True)}
    assert len(rows) == len(GUARDED)


async def test_a_row_cannot_be_written_into_another_context(database, clinic, patient):
    del patient
    async with connected(database.app_dsn) as connection:
        await connection.execute(
            "select set_config('polyclinic.tenant', $1, false), "
            "set_config('polyclinic.audience', '*', false)",
            str(clinic.tenant.number + 1),
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "insert into resource (rid, tenant, type, version, id, last_updated) "
                "values (-1, $1, 1, 0, 'planted', '2020-01-01Z')",
                clinic.tenant.number,
            )
        assert await connection.execute("update resource set version = 9") == "UPDATE 0"


async def test_what_ran_before_on_a_connection_gives_no_context(clinic, patient):
    await clinic.store.read(clinic.principal("clinician"), "Patient", "a")

    hot = clinic.store._hot
    counts = [await hot.fetchval("select count(*) from resource") for _ in range(20)]

    assert set(counts) == {0}
    assert patient


@pytest.mark.parametrize("tables", [True, False], ids=["rows guarded", "rows not guarded"])
async def test_i3_a_search_that_forgets_its_limit(
    clinic, patient, without_policies, monkeypatch, tables
):
    assert await found(clinic, patient) == {"a1"}
    monkeypatch.setattr(select.conditions, "reached", lambda _statement: "true")

    if tables:
        assert await found(clinic, patient) == {"a1"}
        return
    async with without_policies:
        assert await found(clinic, patient) == {"a1", "b1"}


async def test_i3_a_search_keeps_its_limit_where_rows_are_not_guarded(
    clinic, patient, without_policies
):
    async with without_policies:
        assert await found(clinic, patient) == {"a1"}


@pytest.mark.parametrize("statement", ["read", "vread"])
async def test_i1_a_read_by_id_is_refused_twice(clinic, patient, monkeypatch, statement):
    version = (1,) if statement == "vread" else ()
    ask = getattr(clinic.store, statement)
    broken = re.sub(r"q\.own = 0 or ", "true or ", STATEMENTS[statement])
    broken = re.sub(r"\$5(::bigint)? = 0 or ", r"$5\1 is not null or ", broken)
    assert broken != STATEMENTS[statement]
    monkeypatch.setitem(STATEMENTS, statement, broken)

    with pytest.raises(NotFound):
        await ask(patient, "Observation", "b1", *version)


async def test_i1_a_read_that_is_decided_wrongly_shows_no_body(clinic, patient, monkeypatch):
    monkeypatch.setattr(Reach, "allows", lambda _self, _row: True)

    with pytest.raises(NotFound):
        await clinic.store.read(patient, "Observation", "b1")
    with pytest.raises(Erased):
        await clinic.store.vread(patient, "Observation", "b1", 1)


async def test_i1_a_history_that_forgets_its_limit_shows_nothing(clinic, patient, monkeypatch):
    broken = STATEMENTS["history_instance"].replace(
        "$7::bigint = 0 or", "true or $7::bigint = 0 or"
    )
    assert broken != STATEMENTS["history_instance"]
    monkeypatch.setitem(STATEMENTS, "history_instance", broken)
    monkeypatch.setattr(type(clinic.store), "read_or_gone", _silent)

    page = await clinic.store.history(patient, HistoryQuery("Observation", "b1"))

    assert page.entries == ()


async def _silent(*_):
    return None


async def test_i8_a_statement_that_forgets_the_tenant_sees_no_other(clinic, store, kek, patient):
    other = await store.open_tenant(f"{clinic.tenant.name}-other", kek)
    within = store._hot.within(other.number)

    assert await within.fetchval("select count(*) from resource") == 0
    assert await store._hot.within(clinic.tenant.number).fetchval("select count(*) from resource")
    assert patient


async def test_the_first_revocation_of_an_installation_shows(own_database):
    async with connected(own_database.app_dsn) as connection:
        before = await connection.fetchval(STATEMENTS["revocation"])
        await connection.execute("select nextval('revocation')")
        after = await connection.fetchval(STATEMENTS["revocation"])

    assert after > before
