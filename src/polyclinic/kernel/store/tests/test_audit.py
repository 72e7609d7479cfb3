"""Who did what: one row each, with no value in clear, which nobody can change."""

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import msgspec
import pytest

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import Forbidden, NotFound
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import HistoryQuery
from polyclinic.kernel.store.audit import Counter
from polyclinic.kernel.types import from_json, type_number
from polyclinic.testing.tables import faults

PATIENT = from_json({"resourceType": "Patient", "id": "p", "name": [{"family": "Featherstone"}]})


def observation_of(patient):
    return from_json(
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{patient}"},
        }
    )


MINOR, SERIOUS = 4, 8
"""Codes of http://terminology.hl7.org/CodeSystem/audit-event-outcome."""


@pytest.fixture
def rows(clinic, owner):
    """Return a function that reads the audit rows, oldest first."""

    async def read():
        return await owner.fetch(
            "select account, action::text, outcome, type, rid, version, patients, detail"
            " from audit where tenant = $1 order by counter",
            clinic.tenant.number,
        )

    return read


@pytest.fixture
async def rid(clinic, store, owner, job):
    """Store the patient, forget how, and return its rid."""
    await store.update(job, PATIENT)
    await owner.execute("delete from audit where tenant = $1", clinic.tenant.number)
    found = "select rid from resource where tenant = $1 and id = 'p'"
    return await owner.fetchval(found, clinic.tenant.number)


async def test_a_create_an_update_and_a_delete_are_one_row_each(store, rows, job):
    await store.update(job, PATIENT)
    await store.update(job, from_json({"resourceType": "Patient", "id": "p", "active": True}))
    await store.delete(job, "Patient", "p")

    found = [(row["action"], row["outcome"], row["version"]) for row in await rows()]
    assert found == [("C", 0, 1), ("U", 0, 2), ("D", 0, 3)]
    assert {row["account"] for row in await rows()} == {job.account}


async def test_a_read_names_the_reader_the_resource_and_the_patient(store, rows, job, rid):
    await store.read(job, "Patient", "p")

    (row,) = await rows()
    assert (row["account"], row["action"], row["outcome"]) == (job.account, "R", 0)
    assert (row["type"], row["rid"], row["version"]) == (type_number("Patient"), rid, 1)
    assert row["patients"] == [rid]


async def test_a_vread_names_the_version_that_was_read(store, rows, job, rid):
    await store.vread(job, "Patient", "p", 1)

    (row,) = await rows()
    assert (row["action"], row["outcome"]) == ("R", 0)
    assert (row["type"], row["rid"], row["version"]) == (type_number("Patient"), rid, 1)
    assert row["patients"] == [rid]


async def test_every_read_of_a_batch_has_its_row(store, rows, job, rid):
    await asyncio.gather(*(store.read(job, "Patient", "p") for _ in range(40)))

    assert [row["rid"] for row in await rows()] == [rid] * 40


@pytest.mark.usefixtures("rid")
async def test_a_read_of_nothing_is_a_row_too(store, rows, job):
    for asked in (store.read(job, "Patient", "nobody"), store.vread(job, "Patient", "p", 9)):
        with pytest.raises(NotFound):
            await asked

    assert [(row["action"], row["outcome"]) for row in await rows()] == [("R", MINOR)] * 2


async def test_a_search_has_one_row_with_whose_data_was_on_the_page(store, rows, job, rid):
    query, _ = parse_query("Patient", [("family", "Featherstone")], "")

    await store.search(job, query)

    (row,) = await rows()
    assert (row["action"], row["outcome"], row["type"]) == ("E", 0, type_number("Patient"))
    assert row["patients"] == [rid]


@pytest.mark.usefixtures("rid")
async def test_what_was_searched_for_is_sealed(clinic, store, rows, job):
    query, _ = parse_query("Patient", [("family", "Featherstone")], "")

    await store.search(job, query)

    (row,) = await rows()
    opened = clinic.tenant.sealer.open(row["detail"], b"audit detail")
    assert msgspec.msgpack.decode(opened) == [["family", "Featherstone"]]
    assert b"eatherston" not in b"".join(bytes(str(value), "utf-8") for value in row.values())


async def test_a_search_that_finds_nothing_is_a_row_too(store, rows, job):
    query, _ = parse_query("Patient", [("family", "Nobody")], "")

    await store.search(job, query)

    assert [(row["action"], row["patients"]) for row in await rows()] == [("E", [])]


@pytest.mark.usefixtures("rid")
async def test_a_history_of_a_type_is_a_row(store, rows, job, rid):
    await store.history(job, HistoryQuery("Patient"))

    assert [(row["action"], row["patients"]) for row in await rows()] == [("E", [rid])]


async def test_a_history_of_one_names_the_patients_of_older_versions(store, rows, job, rid):
    await store.update(job, observation_of("p"))
    await store.update(job, observation_of("q"))

    await store.history(job, HistoryQuery("Observation", "o"))

    other = (await rows())[-2]["patients"]
    last = (await rows())[-1]
    assert (last["action"], sorted(last["patients"])) == ("R", sorted([rid, *other]))
    assert rid not in other


@pytest.mark.parametrize(
    ("role", "ask", "action"),
    [
        ("administrator", lambda s, p: s.read(p, "Patient", "p"), "R"),
        ("administrator", lambda s, p: s.vread(p, "Patient", "p", 1), "R"),
        ("administrator", lambda s, p: s.update(p, PATIENT), "U"),
        ("administrator", lambda s, p: s.create(p, PATIENT), "C"),
        ("administrator", lambda s, p: s.delete(p, "Patient", "p"), "D"),
        ("administrator", lambda s, p: s.search(p, parse_query("Patient", [], "")[0]), "E"),
        ("administrator", lambda s, p: s.history(p, HistoryQuery("Patient")), "R"),
        ("stranger", lambda s, p: s.history(p, HistoryQuery()), "R"),
        ("patient", lambda s, p: s.history(p, HistoryQuery("Patient")), "R"),
    ],
)
async def test_a_denial_has_a_row(clinic, rows, role, ask, action):
    denied = clinic.principal(role, patient="p")

    with pytest.raises(Forbidden):
        await ask(clinic.store, denied)

    (row,) = [row for row in await rows() if row["account"] == denied.account]
    assert (row["action"], row["outcome"]) == (action, SERIOUS)


async def test_a_patient_who_asks_for_another_is_noted_as_refused(clinic, store, rows, rid):
    own = clinic.principal("patient", patient="someone-else")

    with pytest.raises(NotFound):
        await store.read(own, "Patient", "p")
    with pytest.raises(NotFound):
        await store.vread(own, "Patient", "p", 1)

    found = [(row["action"], row["outcome"], row["rid"]) for row in await rows()]
    assert found == [("R", SERIOUS, rid)] * 2


@pytest.mark.parametrize("table", ["audit", "version"])
@pytest.mark.parametrize("statement", ["update {} set tenant = 0", "delete from {}", "truncate {}"])
async def test_the_role_that_serves_cannot_change_what_happened(pool, table, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pool.acquire() as connection:
            await connection.execute(statement.format(table))


async def test_the_role_that_serves_cannot_change_a_month_either(pool, owner):
    month = await owner.fetchval(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit'::regclass"
        " and inhrelid::regclass::text <> 'audit_rest' limit 1"
    )

    for statement in ("delete from {}", "update {} set tenant = 0", "truncate {}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pool.acquire() as connection:
                await connection.execute(statement.format(month))


async def test_tampering_with_a_row_shows_as_a_gap(clinic, store, owner, job):
    await store.update(job, PATIENT)
    await store.update(job, from_json({"resourceType": "Patient", "id": "p", "active": True}))

    await owner.execute("delete from audit where tenant = $1 and version = 1", clinic.tenant.number)

    assert [
        fault
        for fault in await faults(owner, clinic.tenant, store.bodies)
        if fault.startswith("audit")
    ]


async def test_a_month_whose_rows_came_before_its_partition_stops_no_start(owner):
    late = datetime(2031, 5, 7, tzinfo=UTC)
    insert = (
        "insert into audit (tenant, worker, counter, at, account, action, outcome, type, rid,"
        " version, patients) values (0, 0, 1, $1, 0, 'R', 0, 0, 0, 0, '{}')"
    )
    await owner.execute(insert, late)

    await owner.execute("select audit_month($1)", date(2031, 5, 1))
    await owner.execute(insert, late)

    assert await owner.fetchval("select count(*) from audit where at = $1", late) == 2


def test_numbers_of_what_was_not_written_are_given_out_again():
    counter = Counter(7)
    first = counter.take(3)

    counter.give_back(first[1:])

    assert first == [1, 2, 3]
    assert counter.take(3) == [2, 3, 4]


def test_the_actions_are_those_of_auditevent():
    assert {action.value for action in Action} == {"C", "R", "U", "D", "E"}
