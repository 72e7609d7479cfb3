"""A limit means the same in memory, in a search, in a history and for a write."""

from dataclasses import replace
from itertools import product
from typing import NamedTuple

import msgspec
import pytest

from polyclinic.kernel.access.policy import Document, Role, Rule, Verb, Withheld, shipped
from polyclinic.kernel.errors import Forbidden, NotFound
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import HistoryQuery
from polyclinic.kernel.types import from_json

LABEL = {"system": "urn:labels", "code": "V"}
LAB = "http://terminology.hl7.org/CodeSystem/observation-category"
READ = (Verb.READ,)
ALL = tuple(Verb)


def observation(number, patient, category, labelled):
    found = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": LAB, "code": category}]}],
        "code": {"text": "x"},
    }
    if patient:
        found["subject"] = {"reference": f"Patient/{patient}"}
    if labelled:
        found["meta"] = {"security": [LABEL]}
    return found


class Kind(NamedTuple):
    patient: str | None
    category: str
    labelled: bool


KINDS = [
    Kind(*one)
    for one in product(["a", "b", "c", None], ["laboratory", "vital-signs"], [False, True])
]
ROWS = [observation(number, *kind) for number, kind in enumerate(KINDS)]


def rule(**more):
    return Rule(may=ALL, on=("Observation", "Patient", "Encounter"), **more)


DOCUMENT = Document(
    "tried",
    "Each way of limiting",
    {
        "administrator": shipped("organization").document.roles["administrator"],
        "job": shipped("organization").document.roles["job"],
        "everything": Role("", (rule(),)),
        "labelled": Role("", (rule(),)),
        "laboratory": Role("", (Rule(ALL, ("Observation",), where="category=laboratory"),)),
        "either": Role(
            "",
            (
                Rule(ALL, ("Observation",), where="category=laboratory&status=final"),
                Rule(ALL, ("Observation",), whose="own", where="category=vital-signs,exam"),
            ),
        ),
        "own": Role("", (rule(whose="own"),)),
        "represented": Role("", (rule(whose="represented"),)),
        "nobody": Role("", (rule(whose="nobody"),)),
        "care": Role("", (rule(whose="care"), Rule(ALL, ("Observation",), whose="nobody"))),
        "labcare": Role("", (Rule(ALL, ("Observation",), "care", where="category=laboratory"),)),
    },
    shipped("organization").document.groups,
    (Withheld("urn:labels|V", ("labelled", "job")),),
)
EXPECTED = {
    "everything": lambda _: True,
    "labelled": lambda _: True,
    "laboratory": lambda row: row.category == "laboratory",
    "either": lambda row: row.category == "laboratory" or row.patient == "a",
    "own": lambda row: row.patient == "a",
    "represented": lambda row: row.patient in ("b", "c"),
    "nobody": lambda row: row.patient is None,
    "care": lambda row: row.patient in ("c", None),
    "labcare": lambda row: row.patient == "c" and row.category == "laboratory",
}
"""What each role reaches, of what has no label."""


@pytest.fixture
async def filled(clinic):
    """Store the rows, a care relation of Practitioner d with patient c, and the policy."""
    await clinic.store.policies.set(
        clinic.principal("administrator"), msgspec.json.encode(DOCUMENT)
    )
    for patient in "abc":
        await clinic.put({"resourceType": "Patient", "id": patient})
    for number, (patient, staff, status) in enumerate(
        [("c", "d", "in-progress"), ("b", "d", "cancelled"), ("a", "other", "in-progress")]
    ):
        await clinic.put(
            {
                "resourceType": "Encounter",
                "id": f"e{number}",
                "status": status,
                "class": {"code": "AMB"},
                "subject": {"reference": f"Patient/{patient}"},
                "participant": [{"individual": {"reference": f"Practitioner/{staff}"}}],
            }
        )
    for row in ROWS:
        await clinic.put(row)
    return clinic


def principal(clinic, role):
    who = clinic.principal(role, patient="a")
    return replace(who, practitioner="d", represents=frozenset("bc"))


def expected(role):
    return {
        f"o{number}"
        for number, row in enumerate(KINDS)
        if EXPECTED[role](row) and (not row.labelled or role == "labelled")
    }


async def reads(clinic, who):
    found = set()
    for row in ROWS:
        try:
            await clinic.store.read(who, "Observation", row["id"])
        except NotFound:
            continue
        found.add(row["id"])
    return found


async def finds(clinic, who, *given):
    query, _ = parse_query("Observation", [("_count", "100"), ("_total", "accurate"), *given], "")
    page = await clinic.store.search(who, query)
    assert page.total == len(page.entries)
    return {entry.id for entry in page.entries}


@pytest.mark.parametrize("role", EXPECTED)
async def test_reading_and_searching_reach_the_same(filled, role):
    who = principal(filled, role)

    assert await reads(filled, who) == expected(role)
    assert await finds(filled, who) == expected(role)
    assert await finds(filled, who, ("_sort", "-_lastUpdated")) == expected(role)
    assert await finds(filled, who, ("_sort", "date")) == expected(role)


@pytest.mark.parametrize("role", EXPECTED)
async def test_versions_and_histories_reach_the_same(filled, role):
    who = principal(filled, role)
    seen = set()
    for row in ROWS:
        try:
            await filled.store.vread(who, "Observation", row["id"], 1)
        except NotFound:
            with pytest.raises(NotFound):
                await filled.store.history(who, HistoryQuery("Observation", row["id"]))
            continue
        page = await filled.store.history(who, HistoryQuery("Observation", row["id"]))
        assert len(page.entries) == 1
        seen.add(row["id"])

    assert seen == expected(role)


@pytest.mark.parametrize("role", sorted(set(EXPECTED) - {"everything", "labelled"}))
async def test_a_write_must_lie_within_before_and_after(filled, role):
    who = principal(filled, role)
    done = set()
    for row in ROWS:
        changed = {**row, "issued": "2020-01-01T00:00:00Z"}
        try:
            await filled.store.update(who, from_json(changed))
        except Forbidden:
            continue
        done.add(row["id"])

    assert done == expected(role)


async def test_i5_nothing_is_moved_into_or_out_of_ones_reach(filled):
    who = principal(filled, "own")
    mine = next(row for row in ROWS if row["id"] in expected("own"))
    theirs = next(row for row in ROWS if row["subject"]["reference"] == "Patient/b")

    with pytest.raises(Forbidden):
        await filled.store.update(who, from_json({**mine, "subject": theirs["subject"]}))
    with pytest.raises(Forbidden):
        await filled.store.update(who, from_json({**theirs, "subject": mine["subject"]}))
    with pytest.raises(Forbidden):
        await filled.store.delete(who, "Observation", theirs["id"])


async def test_i5_a_version_that_was_another_s_stays_theirs(filled):
    who = principal(filled, "own")
    theirs = next(row for row in ROWS if row["subject"]["reference"] == "Patient/b")
    await filled.put({**theirs, "subject": {"reference": "Patient/a"}})

    assert (await filled.store.vread(who, "Observation", theirs["id"], 2)).version == 2
    with pytest.raises(NotFound):
        await filled.store.vread(who, "Observation", theirs["id"], 1)
    page = await filled.store.history(who, HistoryQuery("Observation", theirs["id"]))
    assert [entry.version for entry in page.entries] == [2]
