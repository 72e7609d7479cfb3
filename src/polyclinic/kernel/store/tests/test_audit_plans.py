"""Searches of the audit record, and its sealing, go by an index however long it is."""

import json
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import audit_select
from polyclinic.kernel.store.audit_select import EventPlace, event_id
from polyclinic.kernel.store.queries import STATEMENTS
from polyclinic.kernel.types import type_number

TENANT = 700_001
MONTH = "audit_2033_05"
AT = datetime(2033, 5, 3, 4, 5, 6, 789000, tzinfo=UTC)
FILL = """
insert into audit
  (tenant, worker, counter, at, account, action, outcome, type, rid, version, patients, tx)
select $1, 1, n, timestamptz '2033-05-01T00:00:00Z' + n * interval '1 minute', n % 500, 'R', 0, 100,
       1000 + n % 3000, 1, array[1000 + n % 3000], (n / 8)::text::xid8
from generate_series(1, 40000) n
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(owner):
    """Fill a month with the rows of 3,000 patients and 500 accounts."""
    await owner.execute("select audit_month($1)", AT.date())
    await owner.execute(FILL, TENANT)
    await owner.execute("analyze audit")
    yield
    await owner.execute("delete from audit where tenant = $1", TENANT)


@pytest.fixture
def plan(owner, filled):  # noqa: ARG001 - there are rows
    """Return a function that tells by which ways a statement reaches the month's rows."""

    async def explain(sql, *arguments):
        text = await owner.fetchval(f"explain (format json) {sql}", *arguments)
        return sorted(_ways(json.loads(text)[0]["Plan"]))

    return explain


def _ways(node):
    if node.get("Relation Name") == MONTH and node["Node Type"] != "Bitmap Heap Scan":
        yield node.get("Index Name") or node["Node Type"]
    elif "Index Name" in node and node["Index Name"].startswith(MONTH):
        yield node["Index Name"]
    for child in node.get("Plans", []):
        yield from _ways(child)


def searched(*given, after=None):
    query, ignored = parse_query("AuditEvent", list(given), "")
    assert ignored == ()
    rids = {(type_number("Patient"), "p"): 1007}
    return audit_select.page(query, TENANT, rids, after)


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ([("patient", "p")], "patients"),
        ([("patient", "p"), ("date", "ge2033-05-02")], "patients"),
        ([("agent", "77")], "account"),
        ([("agent", "77"), ("date", "lt2033-05-20")], "account"),
        ([("date", "2033-05-03")], "at"),
        ([("date", "ge2033-05-03"), ("action", "R")], "at"),
        ([], "at"),
        ([("_sort", "date")], "at"),
        ([("_id", event_id(EventPlace(AT, 1, 2, 1)))], "at"),
    ],
)
async def test_a_search_goes_by_an_index(plan, given, index):
    sql, arguments = searched(*given)

    ways = await plan(sql, *arguments)

    assert ways
    assert all(index in way and way.startswith(MONTH) for way in ways), ways


async def test_a_later_page_goes_by_the_index_too(plan):
    sql, arguments = searched(("agent", "77"), after=EventPlace(AT, 1, 2, 1))

    assert all("account" in way for way in await plan(sql, *arguments))


async def test_sealing_goes_in_the_order_of_commits(plan):
    place, horizon = (TENANT, 1, 2000, 1, 1), 2**63

    ways = [
        await plan(STATEMENTS["audit_unsealed"], *place, horizon, 100),
        await plan(STATEMENTS["audit_sealed"], *place, 2100, 1, 1, 1000),
    ]

    assert all("tx" in way for one in ways for way in one)
    assert all(ways)


async def test_without_its_index_a_search_would_read_everything(plan, owner):
    sql, arguments = searched(("patient", "p"))
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("drop index audit_patients, audit_time, audit_account, audit_commit")

    ways = await plan(sql, *arguments)
    await transaction.rollback()

    assert ways == ["Seq Scan"]
