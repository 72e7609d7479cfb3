"""The link to the next page works for the same person and the same search only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.crypto import Sealer, new_key
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import HistoryQuery
from polyclinic.kernel.store.page_links import seal, unseal
from polyclinic.kernel.store.tenancy import Tenant
from polyclinic.kernel.types import from_json

FIRST = [("_count", "2"), ("_sort", "_lastUpdated")]
NUMBERS = st.lists(st.integers(0, 2**63 - 1), max_size=20)
"""Row numbers, and those of transactions that were under way."""
TENANT = Tenant(1, "ward", b"", Sealer(new_key()))


def query(*given, resource_type="Patient"):
    return parse_query(resource_type, given, "")[0]


@pytest.fixture
async def link(store, job):
    """Store a few patients and return the link that the first page gives the job."""
    for number in range(5):
        await store.update(job, from_json({"resourceType": "Patient", "id": f"p{number}"}))
    return (await store.search(job, query(*FIRST))).next


async def test_it_works_for_whoever_got_it(store, job, link):
    page = await store.search(job, query(*FIRST, ("_after", link)))

    assert [entry.id for entry in page.entries] == ["p2", "p3"]


async def test_another_account_with_the_same_rights_is_refused(clinic, store, link):
    with pytest.raises(BadRequest):
        await store.search(clinic.principal("job"), query(*FIRST, ("_after", link)))


@pytest.mark.parametrize(
    ("given", "resource_type"),
    [
        ([("_count", "3"), ("_sort", "_lastUpdated")], "Patient"),
        ([("_count", "2"), ("_sort", "-_lastUpdated")], "Patient"),
        ([*FIRST, ("active", "true")], "Patient"),
        (FIRST, "Observation"),
    ],
)
async def test_another_search_is_refused(clinic, link, given, resource_type, job):
    with pytest.raises(BadRequest):
        await clinic.store.search(job, query(*given, ("_after", link), resource_type=resource_type))


async def test_a_history_does_not_take_it_nor_the_other_way_round(store, job, link):
    of_history = (await store.history(job, HistoryQuery("Patient", count=2))).next

    with pytest.raises(BadRequest):
        await store.history(job, HistoryQuery("Patient", count=2, after=link))
    with pytest.raises(BadRequest):
        await store.search(job, query(*FIRST, ("_after", of_history)))


async def test_a_history_link_is_bound_to_account_and_resource(clinic, store, job, link):
    assert link
    of_type = (await store.history(job, HistoryQuery("Patient", count=2))).next

    for principal, asked in [
        (clinic.principal("job"), HistoryQuery("Patient", after=of_type)),
        (job, HistoryQuery("Observation", after=of_type)),
        (job, HistoryQuery(after=of_type)),
    ]:
        with pytest.raises(BadRequest):
            await store.history(principal, asked)


async def test_no_byte_of_it_can_be_changed(store, job, link):
    sealed = urlsafe_b64decode(link + "=" * (-len(link) % 4))

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        after = urlsafe_b64encode(changed).decode()
        with pytest.raises(BadRequest):
            await store.search(job, query(*FIRST, ("_after", after)))


class Place(msgspec.Struct, array_like=True):
    values: list[int]


@given(one=NUMBERS, other=NUMBERS)
def test_its_length_tells_neither_row_numbers_nor_how_many_others_write(one, other):
    links = [seal(TENANT, b"bound", Place(numbers)) for numbers in (one, other)]

    assert len(links[0]) == len(links[1])
    assert [unseal(TENANT, b"bound", link, Place).values for link in links] == [one, other]
