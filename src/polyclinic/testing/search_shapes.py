"""The searches that are asked most, by shape, and the statements that they become.

``python -m polyclinic.testing.search_shapes`` writes the statements as the test of them keeps them.
"""

import sys
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from polyclinic.kernel.search.predicate import InCompartment, Query
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import select
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.reach import EVERYTHING, Part, Reach

KEY: Final = bytes(32)
"""The key of hashes in which the shapes are written."""
TENANT: Final = 1

_SNAPSHOT: Final = "4000000000:4000000000:"
"""One after which nothing was changed."""

_STORED: Final = 30_000

SHAPES: Final[tuple[str, ...]] = (
    "Patient?identifier=urn:mr|1",
    "Patient?name=smi",
    "Patient?family=smi&given=jo",
    "Patient?name=smi&birthdate=1980-05-01",
    "Patient?birthdate=1980-05-01",
    "Patient?name=smi&_sort=family,-birthdate",
    "Patient?_id=p1,p2,p3",
    "Patient?gender=female&_sort=-_lastUpdated",
    "Patient?gender:not=female",
    "Patient?name=smi,jon",
    "Patient?address-city=east&_count=50",
    "Patient?_lastUpdated=ge2026-01-01",
    "Patient?_has:Observation:patient:code=urn:c|c1",
    "Observation?patient=p1",
    "Observation?patient=p1&_sort=-date",
    "Observation?patient=p1&category=laboratory&_sort=-date",
    "Observation?patient=p1&code=urn:c|c1&_sort=-date",
    "Observation?patient=p1&code=urn:c|c1,urn:c|c2&_sort=-date",
    "Observation?patient=p1&date=ge2020-01-01&date=lt2021-01-01",
    "Observation?subject=Patient/p1&status:not=cancelled",
    "Observation?code=urn:c|c1&_sort=-date",
    "Observation?code=urn:c|c1&date=2020-06",
    "Observation?date=2020-06-01",
    "Observation?status=final&_sort=-date",
    "Observation?value-quantity=gt5|http://unitsofmeasure.org|mg",
    "Observation?code-value-quantity=urn:c|c1$gt5|http://unitsofmeasure.org|mg",
    "Observation?patient.identifier=urn:mr|1",
    "Observation?subject:Patient.name=smi",
    "Observation?patient.birthdate=1980-05-01&code=urn:c|c1",
    "Observation?encounter=e1",
    "Observation?patient=p1&_total=accurate",
    "Observation?patient=p1&_include=Observation:subject",
    "Observation?patient=p1&_revinclude=Provenance:target",
    "Observation?patient=p1&_include:iterate=Patient:organization&_include=Observation:patient",
    "Observation?_tag=urn:t|x",
    "Observation?patient=p1&device:missing=true",
    "Observation?_list=l1",
    "Observation?patient=p1&_sort=-date,value-quantity",
    "QuestionnaireResponse?questionnaire:Questionnaire.url=urn:q|1",
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=p1",
    "QuestionnaireResponse?patient=p1&_include=QuestionnaireResponse:questionnaire",
)
"""Type and parameters."""
COMPARTMENTS: Final[tuple[tuple[str, InCompartment], ...]] = (
    ("Observation?_sort=-date", InCompartment("Patient", "p1")),
    ("Observation", InCompartment("Encounter", "e1")),
)
"""The same within a compartment."""
OWN: Final = Reach(
    (
        Part(frozenset([7]), (11,), nobody=False, care=False, keys=()),
        Part(None, (), nobody=True, care=False, keys=()),
    )
)
"""What a patient reaches: rids and keys are made up."""


def queries() -> Iterator[tuple[str, Query]]:
    """Yield each shape with its query."""
    for text in SHAPES:
        yield text, _query(text, None)
    for text, within in COMPARTMENTS:
        yield f"{within.owner}/{within.id}/{text}", _query(text, within)


def _query(text: str, within: InCompartment | None) -> Query:
    name, _, given = text.partition("?")
    query, ignored = parse_query(name, parse_qsl(given), "", within=within)
    if ignored:
        message = f"{text}: {ignored}"
        raise ValueError(message)
    return query


def asked(query: Query, reach: Reach = EVERYTHING, key: bytes = KEY) -> select.Asked:
    """Return a query as its statements are made of it, of types that are all reached alike."""
    names = {*select.walked(query), *select.includable(query)}
    scope = select.Scope(TENANT, dict.fromkeys(sorted(names), reach))
    return select.Asked(query, scope, QueryKeys(key, *query.types))


def statements(one: select.Asked) -> Iterator[tuple[str, str, list[object]]]:
    """Yield the statements that a search may become: what for, SQL and arguments."""
    few = select.few(one, _STORED)
    if few is not None:
        yield "few", few.sql, few.arguments
        many = select.many(one, _STORED, few)
        if many is not None:
            yield "many", many.sql, many.arguments
    yield "page", *select.page(one)
    if select.has_rest(one.query):
        after = select.Place("rest", (), 0, _SNAPSHOT)
        yield "rest", *select.page(one._replace(after=after))
    if one.query.total:
        yield "total", *select.total(one)
    if one.query.includes:
        found = select.included(one, [select.Match(1, 1)])
        if found is not None:
            yield "included", *found


def written() -> str:
    """Return all statements as text."""
    lines = []
    for text, query in queries():
        lines.append(f"# {text}\n")
        lines += [f"-- {name}\n{sql}\n" for name, sql, _ in statements(asked(query))]
        if query.types == ("Observation",) and not query.includes:
            own = [
                f"-- {name} of one's own\n{sql}\n" for name, sql, _ in statements(asked(query, OWN))
            ]
            lines += own[:1]
        lines.append("\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(written())
