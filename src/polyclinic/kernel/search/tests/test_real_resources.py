"""Resources that others made: each has index values and keys, and is found by its own values."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard

from polyclinic.kernel.errors import InvalidResource
from polyclinic.kernel.search.extract import extract
from polyclinic.kernel.search.hashed_forms import path_prefixes
from polyclinic.kernel.search.hashing import (
    below_keys,
    hash_keys,
    reference_key,
    token_keys,
    uri_key,
)
from polyclinic.kernel.search.index_values import IndexValues
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import Resource, parse

SHARED = Path(__file__).parents[6] / "shared"
SYNTHEA = SHARED / "data" / "synthea"
EXAMPLES = SHARED / "conformance" / "fhir-r4-examples" / "examples.tar.xz"
KEY = b"the key of one tenant, 32 bytes."
FILES = sorted(SYNTHEA.rglob("*.ndjson*"))
MOST = 300
"""Resources of each file that are looked at."""

needs_synthea = pytest.mark.skipif(not FILES, reason=f"{SYNTHEA} is not there")
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} is not there")


def lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as packed:
        plain = zstandard.ZstdDecompressor().stream_reader(packed)
        stream = io.BufferedReader(plain if file.suffix == ".zst" else packed)
        for _, line in zip(range(MOST), stream, strict=False):
            yield line


def examples() -> Iterator[Resource]:
    with tarfile.open(EXAMPLES) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".json"):
                packed = archive.extractfile(member)
                assert packed is not None
                try:
                    yield parse(packed.read(), resource_id="example")
                except InvalidResource:
                    continue  # those that R4's own rules refuse are listed with the types


def asked_keys(values: IndexValues) -> Iterator[set[int]]:
    """Yield, of each value, the keys of which a query for it asks for one."""
    kind, params = values.resource_type, parameters(values.resource_type)
    for row in values.references:
        yield {reference_key(kind, params[row.param], row.target, row.id, KEY)}
    for one in values.uris:
        yield {uri_key(kind, params[one.param], one.uri, KEY)}
        if params[one.param].type == "uri":
            for above in (one.uri, *path_prefixes(one.uri)):
                yield set(below_keys(kind, params[one.param], above, KEY))
    for token in values.tokens:
        if token.code is not None:
            for system in (None, token.system or ""):
                yield set(token_keys(kind, params[token.param], (system, token.code), KEY))


def not_found(resource: Resource) -> bool:
    values = extract(resource)
    found = set(hash_keys(values, resource.type, KEY))
    return any(found.isdisjoint(asked) for asked in asked_keys(values))


@needs_synthea
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_synthea_resource_is_found_by_its_own_values(file: Path):
    assert [line for line in lines(file) if not_found(parse(line))] == []


@needs_synthea
def test_a_synthea_observation_is_in_the_compartment_of_its_subject():
    line = next(lines(SYNTHEA / "Observation.ndjson.zst"))
    subject = msgspec.json.decode(line)["subject"]["reference"]

    assert [f"Patient/{one}" for one in extract(parse(line)).patients] == [subject]


@needs_examples
def test_the_official_examples_are_found_by_their_own_values():
    resources = list(examples())

    assert [str(one) for one in resources if not_found(one)] == []
    assert len(resources) > 1000
    assert len({one.type for one in resources}) > 100
