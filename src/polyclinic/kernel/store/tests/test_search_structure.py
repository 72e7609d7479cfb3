"""What a tree of conditions finds: joined, denied, at the other end of references, in lists."""

from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from polyclinic.kernel.errors import BadRequest, Forbidden, TooCostly
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    Comparison,
    DateIs,
    Has,
    IdIs,
    Include,
    InCompartment,
    InList,
    Linked,
    Missing,
    Not,
    Predicate,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
)
from polyclinic.kernel.store import select
from polyclinic.testing.clinic import Clinic

PEOPLE = [
    {
        "resourceType": "Organization",
        "id": "ward",
        "name": "Ward",
        "partOf": {"reference": "Organization/house"},
    },
    {"resourceType": "Organization", "id": "house", "name": "House"},
    {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Holmes"}]},
    {
        "resourceType": "Patient",
        "id": "a",
        "name": [{"family": "Abel"}],
        "gender": "male",
        "birthDate": "1950-05-01",
        "managingOrganization": {"reference": "Organization/ward"},
        "generalPractitioner": [{"reference": "Practitioner/doctor"}],
    },
    {
        "resourceType": "Patient",
        "id": "b",
        "name": [{"family": "Berg"}],
        "gender": "female",
        "birthDate": "1960-05-01",
        "managingOrganization": {"reference": "Organization/house"},
    },
    {"resourceType": "Patient", "id": "c", "name": [{"family": "Cole"}], "gender": "male"},
]


def observation(identity, patient, code, day):
    found = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "encounter": {"reference": "Encounter/visit"},
    }
    return found | ({"effectiveDateTime": day} if day else {})


RECORDS = [
    {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/a"},
    },
    observation("o1", "a", "pulse", "2020-01-01"),
    observation("o2", "a", "weight", "2020-02-01"),
    observation("o3", "b", "pulse", "2020-02-01"),
    observation("o4", "b", "pulse", None),
    {
        "resourceType": "Provenance",
        "id": "p",
        "target": [{"reference": "Observation/o1"}],
        "recorded": "2020-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/doctor"}}],
    },
    {
        "resourceType": "List",
        "id": "ours",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": f"Patient/{one}"}} for one in "ab"],
    },
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hospital(store, kek):
    """Return a clinic with three patients, and what was measured of two."""
    clinic = Clinic(store, await store.open_tenant("structure", kek))
    for one in (*PEOPLE, *RECORDS):
        await clinic.put(one)
    return clinic


def param(resource_type, code):
    return parameters(resource_type)[code]


def token(resource_type, code, value):
    return TokenIs(param(resource_type, code), None, value)


def family(text):
    return StringIs(param("Patient", "family"), "starts", text)


def query(types: str, *parts: Predicate, **more: Any) -> Query:
    given: dict[str, Any] = {
        "sort": (Sort(None, descending=False),),
        "count": 20,
        "total": True,
        "after": None,
    }
    return Query(tuple(types.split()), AllOf(parts), understood=(), **given | more)


async def search(clinic, asked, *roles, patient=None):
    who = clinic.principal(*(roles or ("clinician",)), patient=patient)
    return await clinic.store.search(who, asked)


async def found(clinic, asked, *roles, patient=None):
    page = await search(clinic, asked, *roles, patient=patient)
    assert page.total == len(page.entries)
    return {entry.id for entry in page.entries}


PULSE = token("Observation", "code", "pulse")
ORGANIZATION = param("Patient", "organization")
HOUSE = StringIs(param("Organization", "name"), "starts", "house")
SUBJECT = param("Observation", "subject")
DATED = DateIs(param("Observation", "date"), Comparison.LESS, 1580000000000000, 1580000000000000)
SHAPES: dict[str, tuple[str, list[Predicate], set[str]]] = {
    "patients denied": ("Patient", [Not(token("Patient", "gender", "male"))], {"b"}),
    "a denied lookup": ("Patient", [Not(family("a"))], {"b", "c"}),
    "either of two lookups": ("Patient", [AnyOf((family("a"), family("b")))], {"a", "b"}),
    "a lookup or a hash": (
        "Patient",
        [AnyOf((family("a"), token("Patient", "gender", "female")))],
        {"a", "b"},
    ),
    "an id or what is denied": (
        "Patient",
        [AnyOf((IdIs(("a",)), Not(token("Patient", "gender", "male"))))],
        {"a", "b"},
    ),
    "either of two pairs": (
        "Patient",
        [
            AnyOf(
                (
                    AllOf((family("a"), token("Patient", "gender", "male"))),
                    AllOf((family("b"), token("Patient", "gender", "male"))),
                )
            )
        ],
        {"a"},
    ),
    "nothing of nothing": ("Patient", [AnyOf(())], set()),
    "a chain": ("Patient", [Linked(ORGANIZATION, "Organization", HOUSE)], {"b"}),
    "a chain of three": (
        "Observation",
        [
            Linked(
                SUBJECT,
                "Patient",
                Linked(
                    ORGANIZATION,
                    "Organization",
                    Linked(param("Organization", "partof"), "Organization", HOUSE),
                ),
            )
        ],
        {"o1", "o2"},
    ),
    "a chain through a parameter of patients only": (
        "Observation",
        [Linked(param("Observation", "patient"), "Patient", family("b")), PULSE],
        {"o3", "o4"},
    ),
    "a chain denied": (
        "Observation",
        [Not(Linked(SUBJECT, "Patient", family("b")))],
        {"o1", "o2"},
    ),
    "referred to": ("Patient", [Has("Observation", SUBJECT, PULSE)], {"a", "b"}),
    "referred to by what is referred to": (
        "Organization",
        [
            Has(
                "Patient",
                ORGANIZATION,
                Has("Observation", SUBJECT, token("Observation", "code", "weight")),
            )
        ],
        {"ward"},
    ),
    "nothing refers here": (
        "Patient",
        [Not(Has("Observation", SUBJECT, AllOf(())))],
        {"c"},
    ),
    "a chain out of a way back": (
        "Practitioner",
        [
            Has(
                "Patient",
                param("Patient", "general-practitioner"),
                Linked(ORGANIZATION, "Organization", StringIs(HOUSE.param, "starts", "ward")),
            )
        ],
        {"doctor"},
    ),
    "in a list": ("Patient", [InList("ours")], {"a", "b"}),
    "in no list": ("Patient", [InList("other")], set()),
    "in a patient's compartment": ("Observation", [InCompartment("Patient", "a")], {"o1", "o2"}),
    "all of a patient's compartment": (
        "Patient Observation Encounter Organization",
        [InCompartment("Patient", "a")],
        {"a", "o1", "o2", "visit"},
    ),
    "in an encounter's compartment": (
        "Observation Encounter",
        [InCompartment("Encounter", "visit")],
        {"o1", "o2", "o3", "o4", "visit"},
    ),
    "several types": (
        "Observation Encounter",
        [IdIs(("o1", "visit", "a")), Missing(param("Encounter", "_tag"), missing=True)],
        {"o1", "visit"},
    ),
    "a date or a code": (
        "Observation",
        [AnyOf((DATED, token("Observation", "code", "weight")))],
        {"o1", "o2"},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_each_shape_finds_what_it_says(hospital, shape):
    types, parts, expected = SHAPES[shape]

    assert await found(hospital, query(types, *parts)) == expected


async def test_a_functional_list_is_refused(hospital):
    with pytest.raises(BadRequest, match="functional"):
        await search(hospital, query("Patient", InList("$current-problems")))


async def test_nothing_is_learned_from_resources_that_may_not_be_seen(hospital):
    mine = {"patient": "a"}
    shared = Has("Patient", param("Patient", "general-practitioner"), family("b"))
    own = Has("Patient", param("Patient", "general-practitioner"), family("a"))
    through = Linked(param("Observation", "encounter"), "Encounter", AllOf(()))

    assert await found(hospital, query("Observation", through), "patient", **mine) == {"o1", "o2"}
    assert await found(hospital, query("Practitioner", own), "patient", **mine) == {"doctor"}
    assert await found(hospital, query("Practitioner", shared), "patient", **mine) == set()
    assert await found(hospital, query("Practitioner", own), "patient", patient="b") == set()


async def test_a_chain_through_what_may_not_be_searched_is_forbidden(hospital):
    account = Has("Account", param("Account", "subject"), AllOf(()))

    with pytest.raises(Forbidden):
        await search(hospital, query("Patient", account), "patient", patient="a")


async def test_several_types_are_limited_each_by_its_own_reach(hospital):
    types = "Patient Observation Encounter Organization Practitioner"

    seen = await found(hospital, query(types), "patient", patient="a")

    assert seen == {"a", "o1", "o2", "visit", "ward", "house", "doctor"}


def starred(*, reverse=False, iterate=False):
    return Include(None, None, None, reverse, iterate)


def include(source, code, target=None, *, reverse=False, iterate=False):
    return Include(source, code and param(source, code), target, reverse, iterate)


async def along(clinic, asked, *roles, **who):
    page = await search(clinic, asked, *roles, **who)
    names = [f"{one.type}/{one.id}" for one in page.included]
    assert len(names) == len(set(names))
    return set(names)


async def test_what_is_included_comes_once_and_only_from_the_matches(hospital):
    asked = query("Observation", includes=(include("Observation", "subject"),))

    assert await along(hospital, asked) == {"Patient/a", "Patient/b"}
    one = replace(asked, where=AllOf((IdIs(("o3",)),)))
    assert await along(hospital, one) == {"Patient/b"}


async def test_what_is_included_is_no_match(hospital):
    organizations = query("Organization", includes=(include("Organization", "partof"),))

    assert await along(hospital, organizations) == set()
    assert await along(hospital, replace(organizations, where=AllOf((IdIs(("ward",)),)))) == {
        "Organization/house"
    }


async def test_includes_are_iterated_as_far_as_they_go(hospital):
    asked = query(
        "Observation",
        IdIs(("o1",)),
        includes=(
            include("Observation", "patient"),
            include("Patient", "organization", iterate=True),
            include("Organization", "partof", iterate=True),
        ),
    )

    assert await along(hospital, asked) == {"Patient/a", "Organization/ward", "Organization/house"}
    once = (*asked.includes[:2], include("Organization", "partof"))
    assert await along(hospital, replace(asked, includes=once)) == {
        "Patient/a",
        "Organization/ward",
    }


async def test_what_refers_to_matches_comes_along(hospital):
    back = include("Provenance", "target", reverse=True)
    asked = query("Observation", IdIs(("o1", "o2")), includes=(back,))
    wild = replace(asked, includes=(starred(reverse=True),))
    patients = replace(asked, includes=(replace(back, target="Patient"),))

    assert await along(hospital, asked) == {"Provenance/p"}
    assert await along(hospital, wild) == {"Provenance/p"}
    assert await along(hospital, patients) == set()


async def test_every_reference_comes_along_by_a_star(hospital):
    asked = query("Observation", IdIs(("o3",)), includes=(starred(),))

    assert await along(hospital, asked) == {"Patient/b", "Encounter/visit"}
    own = replace(asked, includes=(include("Observation", None, "Patient"),))
    assert await along(hospital, own) == {"Patient/b"}


async def test_what_may_not_be_seen_does_not_come_along_nor_leads_further(hospital):
    lists = (
        include("Patient", "general-practitioner"),
        include("Patient", "general-practitioner", reverse=True, iterate=True),
    )
    asked = query("Patient", IdIs(("a",)), includes=lists)
    everyone = replace(asked, includes=(starred(reverse=True, iterate=True),))

    assert await along(hospital, asked, "patient", patient="a") == {"Practitioner/doctor"}
    seen = await along(hospital, everyone, "patient", patient="a")
    assert "Observation/o1" in seen
    assert not seen & {"Observation/o3", "Patient/b", "List/ours"}


async def test_too_much_that_comes_along_is_refused(hospital, monkeypatch):
    monkeypatch.setattr(select, "MOST_INCLUDED", 1)
    monkeypatch.setattr(select.includes, "MOST_INCLUDED", 1)
    asked = query("Observation", includes=(include("Observation", "subject"),))

    with pytest.raises(TooCostly, match="come along"):
        await search(hospital, asked)


async def test_a_reference_by_a_parameter_of_one_type_takes_no_other_type(hospital):
    link = RefersTo(param("Observation", "patient"), "Group", "a")

    assert await found(hospital, query("Observation", link)) == set()
