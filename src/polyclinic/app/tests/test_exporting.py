"""What is exported and loaded elsewhere is the same there."""

import hashlib
from datetime import date
from itertools import islice

import pytest
import pytest_asyncio

from polyclinic.app.exporting import NotEmpty, NotWhole, export
from polyclinic.app.loading import load
from polyclinic.app.source import Unreadable
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change
from polyclinic.kernel.types import RESOURCE_TYPES, from_json
from polyclinic.modules.population.generate import generate
from polyclinic.testing.clinic import Clinic


def quiet(*_):
    """Show nothing."""


async def digests(clinic):
    """Return, by type, the number of resources and a digest of all their bodies."""
    found = {}
    for resource_type in set(RESOURCE_TYPES) - {"AuditEvent"}:
        bodies = [body async for body in everything(clinic, resource_type)]
        if bodies:
            whole = hashlib.sha256(b"\n".join(sorted(bodies))).hexdigest()
            found[resource_type] = (len(bodies), whole)
    return found


async def everything(clinic, resource_type):
    after, principal = None, clinic.principal("job")
    while True:
        given = [("_count", "1000")] + ([("_after", after)] if after else [])
        query, _ = parse_query(resource_type, given, "")
        page = await clinic.store.search(principal, query)
        for entry in page.entries:
            yield entry.body
        if page.next is None:
            return
        after = page.next


@pytest_asyncio.fixture(loop_scope="session")
async def population(clinic):
    """Store a few patients."""
    resources = iter(generate(3, 4, date(2026, 1, 15)))
    while part := [from_json(one) for one in islice(resources, 400)]:
        changes = [Change(one.type, one.id, one) for one in part]
        await clinic.store.write_all(clinic.principal("job"), changes)
    return clinic


async def test_what_is_loaded_elsewhere_is_the_same(population, store, kek, tmp_path):
    elsewhere = Clinic(store, await store.open_tenant(f"elsewhere {population.tenant.number}", kek))
    job = population.principal("job")

    count = await export(store, job, tmp_path / "out", quiet)
    report = await load(store, elsewhere.principal("job"), [tmp_path / "out"], quiet)

    before, after = await digests(population), await digests(elsewhere)
    assert sum(number for number, _ in before.values()) == count == report.created
    assert before == after
    assert len(before) > 10


async def test_pages_of_an_export_meet_every_resource_once(clinic, tmp_path):
    changes = [
        Change("Organization", f"o{n}", from_json({"resourceType": "Organization", "id": f"o{n}"}))
        for n in range(2050)
    ]
    await clinic.store.write_all(clinic.principal("job"), changes)

    count = await export(clinic.store, clinic.principal("job"), tmp_path / "out", quiet)

    lines = (tmp_path / "out/Organization.ndjson").read_bytes().splitlines()
    assert count == len(lines) == len(set(lines)) == 2050


async def test_what_was_deleted_is_not_exported_and_empty_types_have_no_file(clinic, tmp_path):
    job = clinic.principal("job")
    for identity in ("a", "b"):
        await clinic.put({"resourceType": "Patient", "id": identity})
    await clinic.store.delete(job, "Patient", "b")

    assert await export(clinic.store, job, tmp_path / "out", quiet) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Patient.ndjson"]


async def test_only_the_owner_reads_what_was_exported(clinic, tmp_path):
    await clinic.put({"resourceType": "Patient", "id": "a"})

    await export(clinic.store, clinic.principal("job"), tmp_path / "out", quiet)

    modes = [
        path.stat().st_mode & 0o077 for path in [tmp_path / "out", *tmp_path.rglob("*.ndjson")]
    ]
    assert modes == [0, 0]


async def test_two_exports_are_not_mixed(clinic, tmp_path):
    (tmp_path / "something").touch()

    with pytest.raises(NotEmpty):
        await export(clinic.store, clinic.principal("job"), tmp_path, quiet)


async def test_an_empty_store_exports_to_nothing_and_that_is_not_loaded(clinic, tmp_path):
    job = clinic.principal("job")

    assert await export(clinic.store, job, tmp_path / "out", quiet) == 0
    with pytest.raises(Unreadable):
        await load(clinic.store, job, [tmp_path / "out"], quiet)


async def test_what_cannot_be_opened_is_named_and_the_rest_is_exported(clinic, pool, tmp_path):
    for identity in ("a", "b", "c"):
        await clinic.put({"resourceType": "Organization", "id": identity, "active": True})
    async with pool.acquire() as connection:
        await connection.execute(
            "select set_config('polyclinic.tenant', $1, false),"
            " set_config('polyclinic.audience', '*', false)",
            str(clinic.tenant.number),
        )
        await connection.execute(
            "update resource set body = substr(body, 2) where tenant = $1 and id = 'b'",
            clinic.tenant.number,
        )

    with pytest.raises(NotWhole, match=r"^Organization/b$"):
        await export(clinic.store, clinic.principal("job"), tmp_path / "out", quiet)

    lines = (tmp_path / "out" / "Organization.ndjson").read_bytes().splitlines()
    assert len(lines) == 2
