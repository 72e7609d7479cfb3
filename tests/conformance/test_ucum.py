"""UCUM's functional tests, and the units of real resources.

https://ucum.org/docs/functional-tests: UcumFunctionalTests.xml of 3 February 2021.
"""

import json
import tarfile
import xml.etree.ElementTree as ET
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import zstandard

from polyclinic.kernel.ucum import SYSTEM, convert, known, parse

SHARED = Path(__file__).parents[3] / "shared"
FUNCTIONAL = SHARED / "conformance/ucum/UcumFunctionalTests.xml"
EXAMPLES = SHARED / "conformance/fhir-r4-examples/examples.tar.xz"
SYNTHEA = SHARED / "data/synthea"

EXAMPLES_REFUSED = {
    "TAB": "a tablet is no unit",
    "drop": "the drop is [drp]",
    "ea": "each is no unit",
    "mEq": "the equivalent is eq: meq",
    "month": "the month is mo",
}
SYNTHEA_REFUSED = {"(score)": "an annotation stands in braces: {score}"}

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(300)]

functional = pytest.mark.skipif(not FUNCTIONAL.exists(), reason=f"{FUNCTIONAL} is not there")
resources = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{SHARED} is not there")


@cache
def cases(section):
    root = ET.parse(FUNCTIONAL).getroot()  # noqa: S314 - a file of the conformance suite
    return [case.attrib for case in root.iterfind(f"{section}/case")]


def ends_like(found, outcome):
    """Return whether a number rounds to the digits of an outcome; 25 is one of 25.2."""
    expected = Decimal(outcome)
    return abs(found - expected) * 2 <= Decimal(1).scaleb(expected.as_tuple().exponent)


def units_of(value):
    """Yield the codes of all quantities that claim to be UCUM."""
    if isinstance(value, dict):
        if value.get("system") == SYSTEM and "code" in value:
            yield value["code"]
        for each in value.values():
            yield from units_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from units_of(each)


@functional
def test_units_are_valid_as_the_functional_tests_say():
    differing = {
        case["id"]
        for case in cases("validation")
        if (known(case["unit"]) is not None) != (case["valid"] == "true")
    }

    assert len(cases("validation")) == 529
    assert differing == set()


@functional
def test_values_are_converted_as_the_functional_tests_say():
    differing = {
        case["id"]: found
        for case in cases("conversion")
        if (found := convert(Decimal(case["value"]), case["srcUnit"], case["dstUnit"])) is None
        or not ends_like(found, case["outcome"])
    }

    assert len(cases("conversion")) == 30
    assert differing == {}


@functional
@pytest.mark.parametrize("section", ["multiplication", "division"])
def test_values_are_multiplied_and_divided_as_the_functional_tests_say(section):
    differing = []
    for case in cases(section):
        one, other, unit = (parse(case[name] or "1") for name in ("u1", "u2", "uRes"))
        first, second = Decimal(case["v1"]), Decimal(case["v2"])
        result = one.times(other) if section == "multiplication" else one.over(other)
        number = first * second if section == "multiplication" else first / second
        factor = result.magnitude / unit.magnitude
        found = number * factor.numerator / factor.denominator
        if result.dimension != unit.dimension or not ends_like(found, case["vRes"]):
            differing.append(case["id"])

    assert differing == []


@resources
def test_the_units_of_the_examples_are_known():
    found = set()
    with tarfile.open(EXAMPLES) as archive:
        for member in archive:
            if member.isfile():
                found.update(units_of(json.load(archive.extractfile(member))))

    assert len(found) == 37
    assert {code for code in found if known(code) is None} == EXAMPLES_REFUSED.keys()


@resources
def test_the_units_of_synthea_are_known():
    found = set()
    decompressor = zstandard.ZstdDecompressor(max_window_size=2**25)
    for path in sorted(SYNTHEA.rglob("*.ndjson.zst")):
        with path.open("rb") as file:
            for line in decompressor.stream_reader(file).read().splitlines():
                if SYSTEM.encode() in line:
                    found.update(units_of(json.loads(line)))

    assert {code for code in found if known(code) is None} == SYNTHEA_REFUSED.keys()
