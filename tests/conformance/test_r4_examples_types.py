"""Real resources are read: the examples of the specification, Synthea's, and US Core's.

https://hl7.org/fhir/R4/downloads.html
"""

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest
import zstandard

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.types import faults, parse

SHARED = Path(__file__).parents[3] / "shared"
EXAMPLES = SHARED / "conformance/fhir-r4-examples/examples.tar.xz"
US_CORE = SHARED / "conformance/us-core/us_core_6.1.0.tgz"
SYNTHEA = SHARED / "data/synthea"

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{SHARED} with the examples is not there"),
]

WITHOUT_LINK_ID = "-questionnaire.json"
"""Questionnaires made from definitions by a tool: items lack linkId, which is 1..1."""

NO_ISSUE = "package/other/validation-oo.json"
"""A Bundle of OperationOutcomes of which some have no issue, which is 1..*."""


class Text(str):
    """A number as it was written."""

    __slots__ = ()


def as_sent(data):
    """Return JSON with its numbers as text, without what the server alone sets in meta."""
    value = json.loads(data, parse_float=Text, parse_int=Text)
    meta = value.get("meta", {})
    meta.pop("versionId", None)
    meta.pop("lastUpdated", None)
    if not meta:
        value.pop("meta", None)
    return value


@cache
def examples():
    with tarfile.open(EXAMPLES) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {Path(file.name).name: archive.extractfile(file).read() for file in files}


def lines(folder):
    decompressor = zstandard.ZstdDecompressor(max_window_size=2**25)
    for path in sorted(folder.glob("*.ndjson.zst")):
        with path.open("rb") as file:
            yield from decompressor.stream_reader(file).read().splitlines()


def issues_of(data):
    try:
        parse(data)
    except InvalidResource as refusal:
        return refusal.issues
    return ()


def test_all_examples_are_there():
    assert len(examples()) == 1098


def test_only_examples_that_break_r4_are_refused():
    refused = {name: issues for name, data in examples().items() if (issues := issues_of(data))}

    assert len(refused) == 82
    assert [name for name in refused if not name.endswith(WITHOUT_LINK_ID)] == []
    assert {
        (issue.code, issue.expression.rsplit(".", 1)[1])
        for issues in refused.values()
        for issue in issues
    } == {("required", "linkId")}


def test_the_walker_finds_no_fault_in_what_is_accepted():
    accepted = [data for data in examples().values() if not issues_of(data)]

    assert len(accepted) == 1016
    assert [data[:80] for data in accepted if faults(data)] == []


def test_an_example_is_kept_as_it_was_sent():
    changed = [
        name
        for name, data in examples().items()
        if not issues_of(data) and as_sent(parse(data).body) != as_sent(data)
    ]

    assert changed == []


@pytest.mark.parametrize(
    ("folder", "count"), [(SYNTHEA, 31453), (SYNTHEA / "bulk10-us-core", 7160)]
)
def test_every_synthea_resource_is_read(folder, count):
    read = [parse(line).type for line in lines(folder)]

    assert len(read) == count


def test_the_resources_of_us_core_are_read():
    with tarfile.open(US_CORE) as archive:
        files = [file for file in archive.getmembers() if file.name.endswith(".json")]
        contents = {file.name: archive.extractfile(file).read() for file in files}
    resources = {
        name: data for name, data in contents.items() if "resourceType" in json.loads(data)
    }

    refused = {name: issues for name, data in resources.items() if (issues := issues_of(data))}

    assert len(resources) > 200
    assert refused.keys() == {NO_ISSUE}
    assert refused[NO_ISSUE][0].expression == "Bundle.entry[0].resource.issue"
