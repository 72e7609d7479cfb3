"""Row-level security costs a search no index."""

import re

import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import select
from polyclinic.kernel.store.index import QueryKeys
from polyclinic.kernel.store.reach import EVERYTHING
from polyclinic.kernel.types import type_number

GUARDED = ("resource", "version", "string_value", "date_value", "number_value", "care_relation")
FILL = [
    """
    insert into resource (rid, tenant, type, version, id, last_updated, patients, body)
    select g, 1, $1, 1, 'r' || g, 'epoch', array[g % 500], repeat('x', 200)::bytea
    from generate_series(1, 20000) g
    """,
    """
    insert into keys (rid, tenant, type, index_version, index_digest, keys)
    select g, 1, $1, 1, 0, array[g % 500, 1000 + g % 40]
    from generate_series(1, 20000) g
    """,
    """
    insert into date_value (rid, subject, low, high, tenant, param, extreme)
    select g, g % 500, g, g + 1, 1, $1, 3 from generate_series(1, 20000) g
    """,
]
SEARCHES = [
    [("patient", "Patient/1"), ("_sort", "-date")],
    [("patient", "Patient/1"), ("code", "http://loinc.org|1-8")],
    [("code", "http://loinc.org|1-8"), ("date", "ge2020")],
    [("patient", "Patient/1"), ("_sort", "_lastUpdated")],
]
BOTH_TENANTS = """
select r.rid from keys k join resource r on r.rid = k.rid
where r.tenant = $1 and k.tenant = $1 and k.keys @> $2::bigint[]
"""
EQUALITY = "tenant = nullif(current_setting('polyclinic.tenant', true), '')::int"


@pytest_asyncio.fixture(loop_scope="session")
async def tables(postgres, own_database):
    """Yield connections of the superuser and of the serving role to 20,000 resources."""
    name = own_database.app_dsn.split("?")[0].rsplit("/", 1)[1]
    async with (
        connected(postgres.url(name)) as owner,
        connected(own_database.app_dsn) as app,
    ):
        for sql in FILL:
            await owner.execute(sql, type_number("Observation"))
        await owner.execute("analyze")
        await app.execute(
            "select set_config('polyclinic.tenant', '1', false),"
            " set_config('polyclinic.audience', '*', false)"
        )
        yield owner, app


async def plans(app):
    """Return how each search is run: its nodes, without costs."""
    found = []
    for given in SEARCHES:
        query, _ = parse_query("Observation", given, "")
        keys = QueryKeys(bytes(32), "Observation")
        scope = select.Scope(1, {"Observation": EVERYTHING})
        sql, arguments = select.page(select.Asked(query, scope, keys))
        rows = await app.fetch("explain (costs off) " + sql, *arguments)
        nodes = [row[0] for row in rows if re.search(r"Scan|Join|Loop|Sort$|Aggregate", row[0])]
        found.append([re.sub(r"^[\s>-]+", "", node) for node in nodes])
    return found


async def secure(owner, verb):
    """Switch row-level security on or off."""
    for table in GUARDED:
        await owner.execute(f"alter table {table} {verb} row level security")


async def test_a_search_is_planned_as_without_row_level_security(tables):
    owner, app = tables
    guarded = await plans(app)
    await secure(owner, "disable")
    bare = await plans(app)
    await secure(owner, "enable")

    assert guarded == bare
    assert not any("Seq Scan" in node for plan in guarded for node in plan)


async def test_the_control_with_a_bare_equality_reads_the_whole_table(tables):
    owner, app = tables
    for table in GUARDED:
        await owner.execute(f"alter policy in_context on {table} using ({EQUALITY})")

    rows = await app.fetch(f"explain (costs off) {BOTH_TENANTS}", 1, [1])
    assert any("Seq Scan on keys" in row[0] for row in rows)


async def test_a_statement_that_names_the_tenant_twice_is_planned_well_all_the_same(tables):
    _, app = tables

    rows = await app.fetch(f"explain (costs off) {BOTH_TENANTS}", 1, [1])
    assert not any("Seq Scan" in row[0] for row in rows)
