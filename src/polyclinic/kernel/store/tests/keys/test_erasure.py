"""Erasure of a patient: nothing of it is opened again, and everybody else's is as it was."""

import asyncio

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.kernel.errors import Erased, NotFound
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change, HistoryQuery
from polyclinic.kernel.store.erasure import Eraser
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.types import from_json

NAME = "Quetzalcoatlus"
ASKED = "w.key_epoch = (select last_value from key_epoch)"
POINTS = ["destroyed", "deleted", "removed", "rewritten"]


def patient(identity, family=NAME, **elements):
    return from_json(
        {"resourceType": "Patient", "id": identity, "name": [{"family": family}], **elements}
    )


def observation(identity, subject, *performers, day=1):
    content = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": "1"}]},
        "subject": {"reference": f"Patient/{subject}", "display": NAME},
        "effectiveDateTime": f"2020-01-0{day}",
    }
    if performers:
        content["performer"] = [
            {"reference": f"Patient/{one}", "display": NAME} for one in performers
        ]
    return from_json(content)


def group(*members):
    return from_json(
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": f"Patient/{one}"}} for one in members],
        }
    )


@pytest.fixture
async def filled(clinic, job):
    """Return a clinic where patients a and b have records, apart and together."""
    resources = [
        patient("a"),
        patient("b", "Zuri"),
        observation("of-a", "a"),
        observation("of-b", "b"),
        observation("of-both", "a", "b"),
        observation("moved", "a"),
        group("a", "b", "c"),
    ]
    await clinic.store.write_all(job, [Change(one.type, one.id, one) for one in resources])
    for later in (
        patient("a", active=True),
        observation("of-a", "a", day=2),
        observation("of-both", "b", "a", day=2),
        observation("moved", "b"),
        group("a", "b"),
    ):
        await clinic.store.update(job, later)
    return clinic


@pytest.fixture
def erase(installation, filled, job):
    """Return a function that erases patient a."""

    async def run(reached=lambda _: None):
        eraser = Eraser(filled.store, installation.owner, filled.tenant, SystemClock(), reached)
        return await eraser.erase(job, "a")

    return run


@pytest.fixture
async def erased(filled, erase):
    """Return the clinic after the erasure."""
    await erase()
    return filled


async def found(clinic, job, resource_type, *given):
    query, _ = parse_query(resource_type, list(given), "")
    return sorted(entry.id for entry in (await clinic.store.search(job, query)).entries)


async def versions(clinic, job, resource_type, identity):
    page = await clinic.store.history(job, HistoryQuery(resource_type, identity))
    return [(one.version, one.deleted, type(one.fault), one.body) for one in page.entries]


@pytest.mark.parametrize("place", [("Patient", "a"), ("Observation", "of-a")])
async def test_current_versions_and_earlier_ones_say_that_they_were_erased(
    installation, erased, job, place
):
    for clinic in (erased, await installation.process()):
        for read in (
            clinic.store.read(job, *place),
            clinic.store.vread(job, *place, 1),
            clinic.store.vread(job, *place, 2),
        ):
            with pytest.raises(Erased):
                await read


async def test_a_history_tells_when_and_nothing_of_what(erased, job):
    assert await versions(erased, job, "Patient", "a") == [
        (3, True, type(None), b""),
        (2, False, Erased, b""),
        (1, False, Erased, b""),
    ]


async def test_what_was_the_patients_and_is_anothers_now_keeps_its_current_version(erased, job):
    (current, first) = await versions(erased, job, "Observation", "moved")

    assert current[2] is type(None)
    assert b"Patient/b" in current[3]
    assert first[1:] == (False, Erased, b"")


async def test_nothing_is_found_by_what_the_patient_was(erased, job):
    assert await found(erased, job, "Patient") == ["b"]
    assert await found(erased, job, "Patient", ("name", NAME)) == []
    assert await found(erased, job, "Observation", ("patient", "a")) == []
    assert await found(erased, job, "Observation") == ["moved", "of-b", "of-both"]


@pytest.mark.parametrize("place", [("Observation", "of-both"), ("Group", "g")])
async def test_records_of_several_name_the_patient_no_more_also_in_their_history(
    erased, job, place
):
    told = await versions(erased, job, *place)

    assert [version for version, *_ in told] == [3, 2, 1]
    for _, _, fault, body in told:
        assert fault is type(None)
        assert b"Patient/a" not in body
        assert b"Patient/b" in body
    assert b'"display":"erased"' in told[0][3]


@pytest.mark.usefixtures("erased")
async def test_a_record_of_two_is_the_other_ones_alone_from_then_on(installation):
    rows = await installation.everything.fetch(
        "select k.purpose, p.id from (select rid, key_id from resource union all"
        " select rid, key_id from version) b join resource r on r.rid = b.rid"
        " join data_key k on k.key_id = b.key_id left join resource p on p.rid = k.patient"
        " where r.id = 'of-both'"
    )

    assert {tuple(row) for row in rows} == {("patient", "b")}
    assert len(rows) == 3


LEFT = """
    select (select count(*) from edge where dst = $1 or src = $1) as edges,
           (select count(*) from date_value where subject = $1) as dates,
           (select count(*) from string_value where value ilike $2) as names,
           (select count(*) from care_relation where patient = $1) as relations
"""


async def left_of(installation):
    """Return how many rows of the tables of values are about the patient."""
    rid = await installation.everything.fetchval("select rid from resource where id = 'a'")
    return dict(await installation.everything.fetchrow(LEFT, rid, f"%{NAME}%"))


async def test_no_table_of_values_names_the_patient_or_refers_to_it(installation, erased):
    assert await left_of(installation) == {"edges": 0, "dates": 0, "names": 0, "relations": 0}
    assert await installation.faults(erased) == []


@pytest.mark.usefixtures("filled")
async def test_these_tables_named_the_patient_before(installation):
    left = await left_of(installation)

    assert min(left["edges"], left["dates"], left["names"]) > 0


async def test_everybody_elses_is_as_it_was(installation, erased, job):
    later = await installation.process()

    for clinic in (erased, later):
        assert b"Zuri" in (await clinic.store.read(job, "Patient", "b")).body
        assert b"Patient/b" in (await clinic.store.read(job, "Observation", "of-b")).body


async def test_nothing_is_written_about_an_erased_patient_again(installation, filled, job, erase):
    other = await installation.process()
    await other.store.update(job, observation("remembered", "a"))
    await erase()

    for clinic in (filled, other, await installation.process()):
        for resource in (patient("a"), observation("new", "a"), observation("of-a", "a", day=3)):
            with pytest.raises(Erased):
                await clinic.store.update(job, resource)
            with pytest.raises(Erased):
                await clinic.store.write_all(job, [Change(resource.type, resource.id, resource)])
    assert await found(filled, job, "Observation", ("patient", "a")) == []


async def test_writes_that_are_under_way_are_erased_or_refused(installation, filled, job, erase):
    other = await installation.process()
    ended = asyncio.Event()

    async def write():
        number = 0
        while not ended.is_set():
            number += 1
            try:
                await other.store.update(job, observation(f"w{number}", "a"))
            except Erased:
                await asyncio.sleep(0)

    writing = [asyncio.create_task(write()) for _ in range(4)]
    await asyncio.sleep(0.2)
    await erase()
    ended.set()
    await asyncio.gather(*writing)

    left = await installation.everything.fetchval(
        "select count(*) from (select key_id, body from resource union all"
        " select key_id, body from version) b join data_key k on k.key_id = b.key_id"
        " where k.wrapped is null and b.body is not null"
    )
    assert left == 0
    assert await found(filled, job, "Observation", ("patient", "a")) == []


@pytest.mark.usefixtures("filled")
async def test_a_write_that_does_not_ask_would_be_left_over(installation, job, erase, monkeypatch):
    other = await installation.process()
    await other.store.update(job, observation("known", "a"))
    await erase()
    monkeypatch.setitem(STATEMENTS, "write", STATEMENTS["write"].replace(ASKED, "true"))

    await other.store.update(job, observation("left", "a"))

    assert (await other.store.read(job, "Observation", "left")).id == "left"


class Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("point", POINTS)
async def test_an_erasure_that_was_interrupted_is_completed_by_another(
    installation, filled, job, erase, point
):
    def reached(here):
        if here == point:
            raise Killed

    with pytest.raises(Killed):
        await erase(reached)
    await erase()

    with pytest.raises(Erased):
        await filled.store.read(job, "Patient", "a")
    assert await found(filled, job, "Observation", ("patient", "a")) == []
    assert {body for *_, body in await versions(filled, job, "Observation", "of-a")} == {b""}
    assert all(b"Patient/a" not in body for *_, body in await versions(filled, job, "Group", "g"))
    assert await installation.faults(filled) == []


async def test_a_patient_that_has_no_key_of_its_own_is_erased_too(installation, clinic, job):
    linked = patient("l", link=[{"other": {"reference": "Patient/o"}, "type": "seealso"}])
    await clinic.store.update(job, linked)
    eraser = Eraser(clinic.store, installation.owner, clinic.tenant, SystemClock())

    await eraser.erase(job, "l")

    for read in (
        clinic.store.read(job, "Patient", "l"),
        clinic.store.vread(job, "Patient", "l", 1),
    ):
        with pytest.raises(Erased):
            await read


async def test_nobody_of_this_id_is_told(installation, filled, job):
    eraser = Eraser(filled.store, installation.owner, filled.tenant, SystemClock())

    with pytest.raises(NotFound):
        await eraser.erase(job, "nobody")
