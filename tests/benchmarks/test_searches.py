"""What the search rows ask is what the server understands, and of every kind of the mix."""

from itertools import islice
from urllib.parse import parse_qsl

import pytest

from benchmarks.rows import STEPS, USUAL
from benchmarks.searches import CHART, KINDS, PATIENT, Asker, Known, address
from benchmarks.seed import SEED, TODAY
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.search.query import parse_query
from polyclinic.modules.population.generate import generate
from polyclinic.testing.isolation.chance import Chance

QUERIES = [*CHART, *PATIENT, *(query for queries in KINDS.values() for query in queries)]


@pytest.fixture(scope="module")
def asker():
    known = Known()
    for resource in islice(generate(SEED, 20, TODAY), 4000):
        known.learn(resource)
    return Asker(known, Chance(1))


@pytest.mark.parametrize("query", QUERIES)
def test_every_search_is_understood(asker, query):
    resource_type, _, given = address(query, asker).partition("?")

    parsed, ignored = parse_query(resource_type, parse_qsl(given), "http://clinic.test/fhir")

    assert isinstance(parsed, Query)
    assert ignored == ()
    assert parsed.count == 20
    assert parsed.where.parts


def test_the_mix_has_the_kinds_that_comparisons_use():
    assert set(KINDS) == {
        *("string", "date", "token", "quantity", "reference", "composite", "chain"),
    }
    assert {f"search-{kind}" for kind in KINDS} == set(STEPS) - set(USUAL)


def test_values_are_of_what_is_stored(asker):
    known = asker.known

    assert all(getattr(known, name) for name in known.__struct_fields__)
    assert {"8480-6", "8462-4", "8478-0"} == {
        code.partition("|")[2] for code, _, _ in known.components
    }
