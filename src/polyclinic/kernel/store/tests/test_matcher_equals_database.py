"""What the matcher says in memory is what PostgreSQL finds: random resources, trees and people."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, note, settings
from hypothesis import strategies as st

from polyclinic.kernel.access.policy import Document, Role, Rule, Verb, Withheld, shipped
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.search.canonicals import Definition, led_to, resolved
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.facts import KINDS, Facts
from polyclinic.kernel.search.matcher import compile_matcher
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    CanonicalIs,
    Comparison,
    CompositeIs,
    DateIs,
    Has,
    IdentifierIs,
    IdIs,
    InCompartment,
    Linked,
    Missing,
    Near,
    Not,
    NumberIs,
    Query,
    RefersTo,
    Sort,
    StringIs,
    TokenIs,
    TokenOfType,
    TokenText,
    UriBelow,
    UriIs,
    Words,
)
from polyclinic.kernel.store import Change
from polyclinic.kernel.types import from_json
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.matching.resources import resources
from polyclinic.testing.matching.trees import Trees, described

TYPES = (
    "Patient",
    "Observation",
    "Encounter",
    "Condition",
    "Location",
    "Organization",
    "MedicationRequest",
    "DocumentReference",
    "ValueSet",
    "RiskAssessment",
    "MolecularSequence",
    "Questionnaire",
    "QuestionnaireResponse",
    "ConceptMap",
)
EACH = 12
LEAVES = (
    TokenIs,
    TokenText,
    TokenOfType,
    RefersTo,
    IdentifierIs,
    CanonicalIs,
    UriIs,
    UriBelow,
    StringIs,
    DateIs,
    NumberIs,
    Near,
    CompositeIs,
    IdIs,
    Words,
    Missing,
    InCompartment,
)
ASKED = (*LEAVES, Not, Linked, Has)
ALL = tuple(Verb)
LABEL = {"system": "urn:labels", "code": "V"}


def rule(**more):
    return Rule(may=ALL, on=TYPES, **more)


POLICY = Document(
    "tried",
    "Each way of limiting",
    {
        "administrator": shipped("organization").document.roles["administrator"],
        "job": shipped("organization").document.roles["job"],
        "everything": Role("", (rule(),)),
        "own": Role("", (rule(whose="own"), rule(whose="nobody"))),
        "represented": Role("", (rule(whose="represented"),)),
        "care": Role("", (rule(whose="care"), rule(whose="nobody"))),
    },
    shipped("organization").document.groups,
    (Withheld("urn:labels|V", ("everything", "job")),),
)
ROLES = ("job", "everything", "own", "represented", "care")


R4 = "http://hl7.org/fhir/SearchParameter/"


def own(code, kind, base, expression, **more):
    """Return a search parameter that the clinic defines itself."""
    return from_json(
        {
            "resourceType": "SearchParameter",
            "id": code,
            "url": f"urn:own:{code}",
            "name": code,
            "status": "active",
            "description": "Of this test",
            "code": code,
            "base": base,
            "type": kind,
            "expression": expression,
        }
        | more
    )


def parts(*given):
    return [{"definition": R4 + name, "expression": expression} for name, expression in given]


BEFORE = (
    own("own-label", "token", ["DomainResource"], "meta.security | meta.tag"),
    own("own-reach", "token", ["Patient", "Organization"], "telecom"),
    own("own-words", "string", ["Patient", "Encounter"], "Patient.name | Encounter.type.text"),
    own("own-many", "number", ["Patient"], "Patient.name.count() + Patient.telecom.count()"),
    own(
        "own-said",
        "date",
        ["Condition", "Observation"],
        "Condition.recordedDate | Observation.effective | Observation.issued",
    ),
)
"""Defined before anything is stored."""
AFTER = (
    own("own-measure", "quantity", ["Observation"], "Observation.value as Quantity"),
    own("own-odds", "number", ["RiskAssessment"], "RiskAssessment.prediction.probability"),
    own("own-source", "uri", ["DomainResource"], "meta.source | meta.profile"),
    own("own-who", "reference", list(TYPES), "descendants().ofType(Reference)"),
    own("own-flag", "token", ["Patient"], "Patient.name.exists() and Patient.active"),
    own(
        "own-pair",
        "composite",
        ["Observation"],
        "Observation | Observation.component",
        component=parts(
            ("clinical-code", "code.coding"),
            ("Observation-value-quantity", "value.ofType(Quantity)"),
        ),
    ),
    own(
        "own-contact",
        "composite",
        ["Patient"],
        "Patient.link",
        component=parts(
            ("Patient-link", "other"), ("Patient-language", "type"), ("Patient-link", "other")
        ),
    ),
)
"""Defined when all is stored, which a job files then."""


def relation(number, patient, staff):
    return {
        "resourceType": "Encounter",
        "id": f"care-{number}",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"individual": {"reference": f"Practitioner/{staff}"}}],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hospital(store, kek):
    """Return a clinic, what is stored there, and people who reach more or less of it."""
    clinic = Clinic(store, await store.open_tenant("matched in memory", kek))
    administrator = clinic.principal("administrator")
    await store.policies.set(administrator, msgspec.json.encode(POLICY))
    chance = Chance(20260301)
    made = [relation(1, "p-2", "d"), relation(2, "p-3", "d"), relation(3, "p-1", "other")]
    made += list(resources(chance, TYPES, EACH))
    for one in made:
        if chance.happens(0.2):
            one.setdefault("meta", {})["security"] = [LABEL]
    parsed = [from_json(one) for one in made]
    job = clinic.principal("job")
    for some in (BEFORE, parsed, AFTER):
        await store.write_all(job, [Change(one.type, one.id, one) for one in some])
    await (await store.reindexer(job)).run(lambda _: None)
    custom = await store.custom_parameters(job)
    people = {role: who(clinic, role) for role in ROLES}
    stored = await asyncio.gather(*(store.read(job, one.type, one.id) for one in parsed))
    facts = [
        Facts(one, at.last_updated, extract(one, custom=custom))
        for one, at in zip(parsed, stored, strict=True)
    ]
    seen = {role: await reads(clinic, one, facts) for role, one in people.items()}
    return Hospital(clinic, facts, people, seen)


class Visible:
    """Other resources as somebody finds them, for chains and ``_has``."""

    def __init__(self, facts, seen):
        self.stored = facts
        self.facts = [one for one in facts if (one.type, one.id) in seen]

    def places(self, part):
        match part:
            case Linked(_, target, where):
                holds = compile_matcher(where, self)
                return {
                    (one.type, one.id) for one in self.facts if one.type == target and holds(one)
                }
            case Has(source, param, where):
                holds = compile_matcher(where, self)
                found = [one for one in self.facts if one.type == source and holds(one)]
                rows = (row for one in found for row in one.rows("references", param.code))
                names = [row.uri for one in found for row in one.rows("canonicals", param.code)]
                return {(row.target, row.id) for row in rows} | self.named(led_to(param), names)
            case _:
                return set()

    def canonicals(self, part):
        holds = compile_matcher(part.where, self)
        meant = self.definitions(part.target)
        return {name for name, one in meant.items() if holds(self.at(part.target, one.id))}

    def named(self, types, names):
        found = {kind: self.definitions(kind) for kind in types}
        return {
            (kind, known[name].id)
            for kind, known in found.items()
            for name in names
            if name in known
        }

    def definitions(self, kind):
        of_kind = [one for one in self.facts if one.type == kind]
        order = {(one.type, one.id): at for at, one in enumerate(self.stored)}
        return resolved(
            Definition((one.updated_micros, order[one.type, one.id]), one.id, one.values.answers)
            for one in of_kind
        )

    def at(self, kind, id_):
        return next(one for one in self.facts if (one.type, one.id) == (kind, id_))


class Hospital:
    """A clinic, what is stored there, people by role, and what each may read.

    No tuple: a failure would show all of it.
    """

    def __init__(self, *all_of_it):
        self.all = all_of_it


def who(clinic, role):
    one = clinic.principal(role, patient="p-1")
    return replace(one, practitioner="d", represents=frozenset({"p-2", "p-4"}))


async def reads(clinic, principal, facts):
    """Return what somebody may read, one by one: what a search may find."""

    async def is_read(one):
        with suppress(NotFound):
            return await clinic.store.read(principal, one.type, one.id)

    read = await asyncio.gather(*map(is_read, facts))
    return {(one.type, one.id) for one in read if one}


@settings(max_examples=100)
@given(seed=st.integers(0, 2**64 - 1))
async def test_a_search_finds_what_the_matcher_says(hospital, seed):
    clinic, facts, people, seen = hospital.all
    chance = Chance(seed)
    trees = Trees(facts, ASKED)
    role, kind = chance.choice(ROLES), chance.choice(TYPES)
    where = trees.tree(chance, kind)
    note(f"{role}: {kind} where {described(where)}")
    holds = compile_matcher(where, Visible(facts, seen[role]))

    page = await clinic.store.search(people[role], query(kind, where))

    matched = {one.id for one in facts if one.type == kind and holds(one)}
    allowed = {id_ for type_, id_ in seen[role] if type_ == kind}
    assert {entry.id for entry in page.entries} == matched & allowed
    assert page.total == len(page.entries)


def query(kind, where):
    return Query(
        (kind,), where, (Sort(None, descending=True),), 1000, total=True, after=None, understood=()
    )


@pytest.mark.parametrize("leaf", LEAVES)
async def test_each_kind_of_leaf_is_asked_and_matches(hospital, leaf):
    _, facts, _, _ = hospital.all
    chance, trees = Chance(7), Trees(facts, ASKED)
    asked = [(kind, trees.some_leaf(chance, kind)) for kind in TYPES for _ in range(400)]
    found = [(kind, compile_matcher(one)) for kind, one in asked if isinstance(one, leaf)]

    matched = [any(holds(one) for one in facts if one.type == kind) for kind, holds in found]
    assert sum(matched) >= 5


async def test_each_parameter_that_was_defined_has_values_in_several_resources(hospital):
    _, facts, _, _ = hospital.all

    rows = [{row.param for kind in KINDS for row in getattr(one.values, kind)} for one in facts]
    counts = {one.id: sum(one.id in params for params in rows) for one in (*BEFORE, *AFTER)}
    assert min(counts.values()) >= 2, counts


async def test_who_reaches_what_differs(hospital):
    _, facts, _, seen = hospital.all

    sizes = {role: len(found) for role, found in seen.items()}
    assert sizes["everything"] == len(facts)
    assert len(set(sizes.values())) == len(ROLES) - 1


async def test_the_moment_of_the_last_update_is_compared_alike(hospital):
    clinic, facts, people, _ = hospital.all
    at = facts[0].last_updated
    for shift in (-1, 0, 1):
        low = int((at + timedelta(milliseconds=shift)).timestamp() * 1000) * 1000
        for comparison in Comparison:
            where = DateIs(None, comparison, low, low + 1000)
            page = await clinic.store.search(people["job"], query("Patient", AllOf((where,))))
            holds = compile_matcher(where)
            expected = {one.id for one in facts if one.type == "Patient" and holds(one)}
            assert {entry.id for entry in page.entries} == expected


BY_URL = (
    ("QuestionnaireResponse", "questionnaire", "Questionnaire"),
    ("ConceptMap", "source", "ValueSet"),
)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("source", "code", "target"), BY_URL)
async def test_a_canonical_leads_where_the_matcher_says(hospital, role, source, code, target):
    clinic, facts, people, seen = hospital.all
    chance, trees = Chance(20260302), Trees(facts, LEAVES)
    links = Visible(facts, seen[role])
    param = parameters(source)[code]
    found = 0
    for _ in range(15):
        forward = AllOf((Linked(param, target, trees.leaf(chance, target)),))
        backward = AllOf((Has(source, param, trees.leaf(chance, source)),))
        for kind, where in ((source, forward), (target, backward)):
            holds = compile_matcher(where, links)
            page = await clinic.store.search(people[role], query(kind, where))
            matched = {one.id for one in links.facts if one.type == kind and holds(one)}
            assert {entry.id for entry in page.entries} == matched, described(where)
            found += len(matched)

    assert found >= (5 if role in ("job", "everything") else 0)
