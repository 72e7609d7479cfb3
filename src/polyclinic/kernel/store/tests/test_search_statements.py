"""What each shape of search becomes: the text of its statements, and the plans that these get."""

import re
from pathlib import Path

import pytest
import pytest_asyncio

from polyclinic.base.db.connect import connected
from polyclinic.base.db.migrate import find_migrations
from polyclinic.testing import search_shapes
from polyclinic.testing.postgres import cloned
from polyclinic.testing.search_tables import fill

WRITTEN = Path(__file__).with_name("search_statements.sql")
SHAPES = dict(search_shapes.queries())
SIZES = [
    pytest.param((3_000, 30_000), id="30 thousand"),
    pytest.param((10_000, 1_000_000), id="a million", marks=pytest.mark.soak),
]
"""Patients and observations."""
READ_AS_A_WHOLE = {("Observation?status=final&_sort=-date", "rest")}
"""Where everything matches and everything has a date, what has none is sought among all."""
LARGE = ("keys", "resource", "edge", "date_value", "number_value", "string_value")
"""The tables of which no search reads all."""


def test_the_statements_of_every_shape_are_those_that_were_read():
    written = search_shapes.written()

    assert written == WRITTEN.read_text(), (
        "python -m polyclinic.testing.search_shapes writes the statements anew"
    )


def test_no_value_of_a_query_is_in_a_statement():
    values = ("urn:c", "smi", "laboratory", "1980", "urn:mr", "final", "unitsofmeasure")

    statements = [
        sql
        for query in SHAPES.values()
        for _, sql, _ in search_shapes.statements(search_shapes.asked(query))
    ]

    assert len(statements) > len(SHAPES)
    assert [one for one in statements for value in values if value in one] == []


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=SIZES)
async def large(postgres, migration_packages, request):
    """Yield a connection of the serving role, whom policies of rows bind, to large tables."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    template = await postgres.ensure_template(find_migrations(migration_packages))
    async with cloned(postgres, postgres.name_of(f"{worker}_large"), template) as database:
        name = database.app_dsn.split("?")[0].rsplit("/", 1)[1]
        async with connected(postgres.url(name)) as owner, connected(database.app_dsn) as app:
            await fill(owner, *request.param)
            await app.execute(
                "select set_config('polyclinic.tenant', '1', false),"
                " set_config('polyclinic.audience', '*', false)"
            )
            yield app


def read_whole(rows):
    text = "\n".join(row[0] for row in rows)
    return [table for table in LARGE if re.search(rf"Seq Scan on {table}\b", text)]


async def planned(app, sql, arguments):
    """Return the large tables that a statement, planned for its values, reads as a whole."""
    return read_whole(await app.fetch(f"explain (costs off) {sql}", *arguments))


async def planned_once(app, sql, arguments):
    """Return the same of a statement whose plan does not know its values."""
    await app.execute(f"set plan_cache_mode = force_generic_plan; prepare few as {sql}")
    nothing = ", ".join(["null"] * len(arguments))
    rows = await app.fetch(f"explain (costs off) execute few({nothing})")
    await app.execute("deallocate few; reset plan_cache_mode")
    return read_whole(rows)


@pytest.mark.parametrize("text", SHAPES)
async def test_no_common_search_reads_a_whole_table(large, text):
    found = {}
    for name, sql, arguments in search_shapes.statements(search_shapes.asked(SHAPES[text])):
        look = planned_once if name == "few" else planned
        found[name] = await look(large, sql, arguments)

    read = {(text, name) for name, tables in found.items() if tables}
    assert read <= READ_AS_A_WHOLE, found


async def test_the_control_reads_a_whole_table(large):
    sql = "select rid from date_value where high = $1"

    assert await planned(large, sql, [1]) == ["date_value"]
    assert await planned_once(large, sql, [1]) == ["date_value"]
