"""The parameters that say how an answer is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import Include, Query, Sort, View
from polyclinic.kernel.search.query import DEFAULT_COUNT, MOST, page_size, parse_query

OBSERVATION = parameters("Observation")
SUBJECT = OBSERVATION["subject"]
NEWEST = Sort(None, descending=True)


def query(*given: tuple[str, str], types="Observation") -> Query:
    found, ignored = parse_query(types, given, "https://clinic.example/fhir")
    assert ignored == ()
    return found


def test_without_controls_the_newest_come_first():
    found = query(("status", "final"))

    assert (found.sort, found.count, found.total) == ((NEWEST,), DEFAULT_COUNT, False)
    assert (found.includes, found.view, found.as_of, found.after) == ((), View(), None, None)


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (["date"], [("date", False)]),
        (["-date,_id"], [("date", True), ("_id", False)]),
        (["date", "-_lastUpdated"], [("date", False), (None, True)]),
        (["status,-date,status,-status"], [("status", False), ("date", True)]),
        (["value-quantity,value-string,code,subject"], None),
    ],
)
def test_a_sort_has_several_keys(given: list[str], keys):
    found = query(*(("_sort", value) for value in given))

    expected = keys or [(code, False) for code in given[0].split(",")]
    assert [(key.param and key.param.code, key.descending) for key in found.sort] == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nothing",
        "-",
        "--date",
        "_text",
        "_score",
        "code-value-quantity",
        "date,",
        "subject.name",
    ],
)
def test_what_has_no_order_is_refused(value: str):
    with pytest.raises(BadRequest, match="_sort cannot order by"):
        query(("_sort", value))


def test_there_are_at_most_eight_sort_keys():
    with pytest.raises(BadRequest, match="at most 8"):
        query(("_sort", "category,code,data-absent-reason,date,device,encounter,focus,method,_id"))


def test_a_place_has_no_order():
    with pytest.raises(BadRequest, match="_sort"):
        query(("_sort", "near"), types="Location")


@pytest.mark.parametrize(("text", "size"), [(None, 20), ("5", 5), ("0", 0), ("9" * 30, MOST)])
def test_a_page_has_a_size(text: str | None, size: int):
    assert page_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "٣"])
def test_what_is_no_size_is_refused(text: str):
    with pytest.raises(BadRequest, match="_count"):
        query(("_count", text))


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ([("_total", "none")], False),
        ([("_total", "estimate")], True),
        ([("_total", "accurate")], True),
        ([("_count", "0")], True),
        ([("_summary", "count")], True),
    ],
)
def test_a_total_is_counted_when_asked_for(given, total):
    assert query(*given).total is total


def test_a_summary_of_the_count_shows_no_match():
    assert query(("_summary", "count"), ("_count", "50")).count == 0


@pytest.mark.parametrize(
    ("given", "view"),
    [
        ([("_summary", "true")], View(summary="true")),
        ([("_summary", "text")], View(summary="text")),
        ([("_summary", "data")], View(summary="data")),
        ([("_summary", "count")], View(summary="count")),
        ([("_summary", "false")], View()),
        ([("_elements", "status,code")], View(elements=("status", "code"))),
        ([("_elements", "value"), ("_elements", "id")], View(elements=("value", "id"))),
        ([("_elements", "valueQuantity")], View(elements=("valueQuantity",))),
        ([("_contained", "both")], View(contained="both")),
        ([("_containedType", "contained")], View(contained_type="contained")),
        ([("_explain", "true")], View(explain=True)),
    ],
)
def test_a_view_is_what_of_the_matches_shows(given, view: View):
    assert query(*given).view == view


@pytest.mark.parametrize(
    "given",
    [
        [("_summary", "yes")],
        [("_total", "some")],
        [("_contained", "maybe")],
        [("_containedType", "container,contained")],
        [("_explain", "1")],
        [("_elements", "nothing")],
        [("_elements", "")],
        [("_elements", "Observation.status")],
        [("_elements", "status"), ("_summary", "true")],
        [("_count:exact", "5")],
        [("_sort:asc", "date")],
        [("_count", "5"), ("_count", "6")],
        [("_summary", "true"), ("_summary", "data")],
    ],
)
def test_a_control_that_is_not_understood_is_refused(given):
    with pytest.raises(BadRequest):
        query(*given)


def test_the_same_said_twice_is_said_once():
    assert query(("_count", "5"), ("_count", "5")).count == 5


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-17T14:30:00Z", datetime(2024, 5, 17, 14, 30, tzinfo=UTC)),
        ("2024-05-17T14:30:00", datetime(2024, 5, 17, 14, 30, tzinfo=UTC)),
        (
            "2024-05-17T14:30:00.25 02:00",
            datetime(2024, 5, 17, 14, 30, 0, 250_000, timezone(timedelta(hours=2))),
        ),
    ],
)
def test_as_of_is_a_moment(text: str, moment: datetime):
    assert query(("_asOf", text)).as_of == moment


@pytest.mark.parametrize("text", ["", "2024", "2024-05-17", "2024-02-30T00:00:00Z", "yesterday"])
def test_what_is_no_moment_is_refused(text: str):
    with pytest.raises(BadRequest, match="_asOf"):
        query(("_asOf", text))


@pytest.mark.parametrize(
    ("name", "value", "include"),
    [
        (
            "_include",
            "Observation:subject",
            Include("Observation", SUBJECT, None, reverse=False, iterate=False),
        ),
        (
            "_include",
            "Observation:subject:Patient",
            Include("Observation", SUBJECT, "Patient", reverse=False, iterate=False),
        ),
        (
            "_include",
            "Observation:*",
            Include("Observation", None, None, reverse=False, iterate=False),
        ),
        (
            "_include",
            "Observation:*:Patient",
            Include("Observation", None, "Patient", reverse=False, iterate=False),
        ),
        ("_include", "*", Include(None, None, None, reverse=False, iterate=False)),
        (
            "_include:iterate",
            "Patient:organization",
            Include(
                "Patient",
                parameters("Patient")["organization"],
                None,
                reverse=False,
                iterate=True,
            ),
        ),
        ("_include:recurse", "*", Include(None, None, None, reverse=False, iterate=True)),
        (
            "_revinclude",
            "Provenance:target",
            Include(
                "Provenance", parameters("Provenance")["target"], None, reverse=True, iterate=False
            ),
        ),
        ("_revinclude", "*", Include(None, None, None, reverse=True, iterate=False)),
        (
            "_revinclude:iterate",
            "Condition:subject:Patient",
            Include(
                "Condition",
                parameters("Condition")["subject"],
                "Patient",
                reverse=True,
                iterate=True,
            ),
        ),
    ],
)
def test_an_include_says_what_comes_along(name: str, value: str, include: Include):
    assert query((name, value), (name, value)).includes == (include,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_include", ""),
        ("_include", "Observation"),
        ("_include", "Observation:"),
        ("_include", "Observation:subject:Patient:x"),
        ("_include", "Nothing:subject"),
        ("_include", "Observation:nothing"),
        ("_include", "Observation:code"),
        ("_include", "Observation:subject:Medication"),
        ("_include", "Observation:subject:Nothing"),
        ("_include", "Patient:organization"),
        ("_include", "MeasureReport:measure"),
        ("_include:exact", "Observation:subject"),
        ("_revinclude", "Condition:subject"),
        ("_revinclude", "Condition:*:Patient"),
        ("_revinclude", "AuditEvent:entity"),
    ],
)
def test_an_include_of_nothing_is_refused(name: str, value: str):
    with pytest.raises(BadRequest):
        query((name, value))


def test_nothing_comes_along_with_what_the_server_recorded():
    with pytest.raises(BadRequest, match="AuditEvents"):
        query(("_include", "*"), types="AuditEvent")


def test_there_are_at_most_forty_includes():
    with pytest.raises(BadRequest, match="over 40"):
        query(*[("_include", "*")] * 41)
