"""The official R4 examples are created over HTTP and read back equal."""

import json
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from polyclinic.testing.clinic import Clinic

pytestmark = pytest.mark.conformance

REFUSED = Path(__file__).with_name("r4_examples_refused.txt")
COUNT = 1098


def examples(shared: Path) -> Iterator[tuple[str, bytes]]:
    archive = shared / "conformance/fhir-r4-examples/examples.tar.xz"
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile() and (file := opened.extractfile(member)):
                yield member.name, file.read()


def refused() -> set[str]:
    lines = REFUSED.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def comparable(data: bytes) -> dict[str, Any]:
    """Return the resource with decimals as text and without what the server sets."""
    found: dict[str, Any] = json.loads(data, parse_float=lambda digits: f"decimal {digits}")
    found.pop("id", None)
    meta = found.pop("meta", {})
    kept = {name: meta[name] for name in meta if name not in ("versionId", "lastUpdated")}
    return found | ({"meta": kept} if kept else {})


@pytest.mark.timeout(300)
async def test_every_example_is_read_back_equal(clinic: Clinic, shared: Path) -> None:
    async with clinic.client(clinic.principal("job")) as fhir:
        names, failed = await created_and_compared(fhir, shared)

    assert len(names) == COUNT
    assert failed == refused()


async def created_and_compared(fhir: httpx.AsyncClient, shared: Path) -> tuple[set[str], set[str]]:
    """Return the names of all examples and of those that were not created."""
    names, failed = set(), set()
    for name, data in examples(shared):
        names.add(name)
        created = await fhir.post(json.loads(data)["resourceType"], content=data)
        if created.status_code != 201:
            failed.add(name)
            continue
        read = await fhir.get(created.headers["location"].partition("/_history")[0])
        assert comparable(read.content) == comparable(data), name
    return names, failed


def test_decimals_are_compared_by_their_digits() -> None:
    assert comparable(b'{"a":1.0}') != comparable(b'{"a":1.00}')
    assert Decimal("1.0") == Decimal("1.00")
