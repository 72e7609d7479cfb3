"""Conditions are found by their index, also by a plan that was made while the tables were small."""

import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.kernel.store.connections import PLANNING
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.types import type_number

PATIENT = type_number("Patient")
FILL = [
    """
    insert into resource (rid, tenant, type, version, id, last_updated, body)
    select g, 1, $1, 1, 'r' || g, 'epoch', 'x'::bytea from generate_series($2::int, $3::int) g
    """,
    """
    insert into keys (rid, tenant, type, index_version, index_digest, keys)
    select g, 1, $1, 1, 0, array[g, -(g % 3)] from generate_series($2::int, $3::int) g
    """,
]
EXECUTE = f"execute found (1, '{{{PATIENT},{PATIENT}}}', '{{2,2}}', '{{77,-1}}', '{{0,1,2}}')"


@pytest_asyncio.fixture(loop_scope="session")
async def planned(postgres, own_database):
    """Yield a connection like those of the hot path, whose plan is older than the rows."""
    name = own_database.app_dsn.split("?")[0].rsplit("/", 1)[1]
    async with connected(postgres.url(name)) as owner, connected(own_database.app_dsn) as app:
        await app.execute(
            "select set_config('polyclinic.tenant', '1', false),"
            " set_config('polyclinic.audience', '*', false)"
        )

        async def prepared(settings):
            for setting, value in settings.items():
                await app.execute(f"set {setting} = {value}")
            for sql in FILL:
                await owner.execute(sql, PATIENT, 1, 5)
            await owner.execute("analyze")
            await app.execute(f"prepare found as {STATEMENTS['conditions']}")
            await app.fetch(EXECUTE)
            for sql in FILL:
                await owner.execute(sql, PATIENT, 6, 20_000)
            return app

        yield prepared


async def plan(app):
    rows = await app.fetch(f"explain (analyze, costs off, timing off) {EXECUTE}")
    return "\n".join(row[0] for row in rows)


async def test_a_plan_of_a_few_rows_uses_the_index_of_keys(planned):
    app = await planned(PLANNING)

    text = await plan(app)

    assert "Seq Scan" not in text
    assert "Index Cond: (keys @>" in text
    assert "resource_pkey" in text
    assert [row["ord"] for row in await app.fetch(EXECUTE)] == [1, 2, 2]


async def test_without_the_settings_it_would_read_all_of_it(planned):
    app = await planned({"plan_cache_mode": "force_generic_plan"})

    assert "Seq Scan on keys" in await plan(app)
