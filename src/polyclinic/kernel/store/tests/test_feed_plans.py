"""The statements of the change feed walk its indexes, whatever plan PostgreSQL keeps."""

import re

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.kernel.store.queries import STATEMENTS

FILL = [
    """
    insert into resource (rid, tenant, type, version, id, last_updated, body)
    select g, 1 + g % 3, 1 + g % 7, 2, 'r' || g, 'epoch', repeat('x', 500)::bytea
    from generate_series(1, 20000) g
    """,
    """
    insert into version
    select rid, 1, tenant, type, false, 0, 'epoch', 'epoch', '3', seq - 20000, 0, 0, 0, '{}', '{}',
           '{}', body
    from resource
    """,
    "analyze",
]
ENDLESS = str(2**63 - 1)
PLANS = {
    "feed_window": (
        "int, xid8, bigint, bigint, bigint, xid8, smallint[], bigint, bigint",
        f"1, '3', 0, -1000000, {ENDLESS}, '{ENDLESS}', '{{1,2,3}}', 10000, 500",
    ),
    "feed_rows": (
        "int, xid8, bigint, xid8, bigint, bigint, bigint, smallint[], boolean, bigint, bigint",
        f"1, '3', 0, '1000000', 0, -1000000, {ENDLESS}, '{{1,2,3}}', true, 200, 1000000",
    ),
    "feed_head": ("int, xid8", f"1, '{ENDLESS}'"),
    "feed_behind": (
        "int, xid8, bigint, bigint, bigint, bigint",
        f"1, '3', 19000, -1000000, {ENDLESS}, 100",
    ),
}


@pytest_asyncio.fixture(loop_scope="session")
async def filled(own_database):
    """Yield a connection to tables with 20,000 resources of two versions each."""
    async with connected(own_database.require_owner()) as connection:
        await connection.fetch(
            "select set_config('polyclinic.tenant', '1', false),"
            " set_config('polyclinic.audience', '*', false)"
        )
        for table in ("resource", "version"):
            await connection.execute(f"alter table {table} no force row level security")
        for sql in FILL:
            await connection.execute(sql)
        for table in ("resource", "version"):
            await connection.execute(f"alter table {table} force row level security")
        yield connection


async def test_no_statement_of_the_feed_reads_a_table_from_end_to_end(filled):
    plans = {}
    for mode in ("force_custom_plan", "force_generic_plan"):
        await filled.execute(f"set plan_cache_mode = {mode}")
        for name, (types, values) in PLANS.items():
            await filled.execute(f"prepare {name} ({types}) as {STATEMENTS[name]}")
            rows = await filled.fetch(f"explain (analyze, costs off) execute {name} ({values})")
            plans[mode, name] = "\n".join(row[0] for row in rows)
            await filled.execute(f"deallocate {name}")

    for plan in plans.values():
        assert "Seq Scan" not in plan, plan
        assert "Merge Append" in plan, plan
        assert re.search(r"using resource_change on", plan), plan
        assert re.search(r"using version_change on", plan), plan
        assert "tenant = " in plan


@pytest.mark.parametrize("table", ["resource", "version"])
async def test_the_control_without_an_index_sorts(filled, table):
    types, values = PLANS["feed_rows"]
    await filled.execute(f"drop index {table}_change")

    await filled.execute(f"prepare without ({types}) as {STATEMENTS['feed_rows']}")
    rows = await filled.fetch(f"explain (costs off) execute without ({values})")

    assert any("Sort" in row[0] and "Sort Key" not in row[0] for row in rows)
