"""A resource of any type is found by each of its values, in each way of asking, and no other is."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from polyclinic.kernel.search.facts import Facts
from polyclinic.kernel.search.matcher import compile_matcher
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.query import parse_query, supported_parameters
from polyclinic.kernel.store import Change
from polyclinic.kernel.types import RESOURCE_TYPES, from_json
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.samples import sample
from polyclinic.testing.matching.own_values import own_searches

TYPES = tuple(one for one in RESOURCE_TYPES if one != "AuditEvent")
NOW = datetime(2026, 1, 15, tzinfo=UTC)
BASE = "http://localhost/fhir"
OF_EACH = 25
"""Searches of each type of parameter and modifier."""


def referring(word):
    """Return what makes references to resources of a word's own."""

    def refer(targets, _):
        kind = targets[0] if targets else "Patient"
        return {
            "reference": f"{kind}/{word}",
            "identifier": {"system": "urn:example:of", "value": word},
        }

    return refer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two_of_each(store, kek):
    """Return a clinic with two resources of each type, and these by type."""
    clinic = Clinic(store, await store.open_tenant("two of each type", kek))
    found = {
        kind: [from_json(sample(kind, word, word, referring(word))) for word in ("alder", "birch")]
        for kind in TYPES
    }
    job = clinic.principal("job")
    for pair in found.values():
        await store.write_all(job, [Change(one.type, one.id, one) for one in pair])
    return clinic, found


def asked_of_all(resources):
    """Return, by type of parameter and modifier, searches that have to find the first of a type."""
    found = defaultdict(list)
    for kind, (one, _) in resources.items():
        known, usable = parameters(kind), {each.code for each in supported_parameters(kind)}
        for asked in dict.fromkeys(own_searches(Facts(one, NOW).values)):
            if asked.param in usable:
                modifier = "[type]" if asked.modifier[:1].isupper() else asked.modifier
                found[known[asked.param].type, modifier].append((kind, asked))
    return found


@pytest.mark.timeout(180)
async def test_each_value_finds_its_own_resource_and_only_what_has_it_too(two_of_each):
    clinic, resources = two_of_each
    chance = Chance(3)
    ways = asked_of_all(resources)
    chosen = [
        (kind, asked)
        for several in ways.values()
        for kind, asked in chance.sample(several, min(OF_EACH, len(several)))
    ]

    found = [await ids_found(clinic, *one) for one in chosen]
    expected = [matching(resources[kind], kind, asked) for kind, asked in chosen]

    assert len(ways) >= 15
    assert [(one, is_) for one, is_ in zip(chosen, found, strict=True) if "alder" not in is_] == []
    assert found == expected
    assert sum(is_ == {"alder"} for is_ in found) > len(found) / 2


async def ids_found(clinic, kind, asked):
    query, ignored = parse_query(kind, [(asked.name, asked.text)], BASE)
    assert ignored == ()
    page = await clinic.store.search(clinic.principal("job"), query)
    return {entry.id for entry in page.entries}


def matching(pair, kind, asked):
    query, _ = parse_query(kind, [(asked.name, asked.text)], BASE)
    holds = compile_matcher(query.where)
    return {one.id for one in pair if holds(Facts(one, NOW))}
