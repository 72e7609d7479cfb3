"""Bodies on disk: sealed under the key of whom they are about, and bound to their row."""

import asyncio
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override
from zstandard import ZstdError

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.keys import KeyRing
from polyclinic.kernel.errors import Gone, Unreadable
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.store import Change, HistoryQuery, KeyLost
from polyclinic.kernel.store.bodies import Bodies, SealedBody, bound
from polyclinic.kernel.store.codec import CURRENT, pack, unpack
from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.keys import DataKey, DataKeys
from polyclinic.kernel.types import from_json

SECRET = "Quetzalcoatlus-Featherstonehaugh"
KEY = DataKey(7, 0, new_key(), 1)
BODY = b'{"resourceType":"Patient","id":"a","name":[{"family":"Amani","given":["Zuri"]}]}'
ROWS = """
    select r.body, r::text || encode(coalesce(r.body, ''), 'escape') as text
    from {} r where tenant = $1 and body is not null
"""


class Remembered(DataKeys):
    """One key, and no database."""

    def __init__(self, key=KEY):
        super().__init__(cast("Connections", None), SystemClock())
        self._key = key

    @override
    async def numbered(self, *_):
        return {self._key.key_id: self._key}


def patient(identity="p", family=SECRET, **elements):
    return from_json(
        {"resourceType": "Patient", "id": identity, "name": [{"family": family}], **elements}
    )


def observation(identity, *patients, code="1"):
    subject, *performers = (f"Patient/{one}" for one in patients)
    content = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": code}]},
        "subject": {"reference": subject},
    }
    if performers:
        content["performer"] = [{"reference": one} for one in performers]
    return from_json(content)


@pytest.fixture
def key_of(clinic, owner):
    """Return a function that says under which purpose and patient a resource is sealed."""

    async def look(identity):
        row = await owner.fetchrow(
            "select k.purpose, p.id from resource r join data_key k on k.key_id = r.key_id"
            " left join resource p on p.rid = k.patient where r.tenant = $1 and r.id = $2",
            clinic.tenant.number,
            identity,
        )
        return tuple(row)

    return look


@given(
    st.binary(min_size=1, max_size=3000), st.integers(1, 2**31 - 1), st.text("abc-.9", min_size=1)
)
async def test_what_was_sealed_opens_in_its_place(body, version, identity):
    bodies = Bodies(Remembered())

    sealed = bodies.seal(KEY, bound(3, 5, identity, version), body)

    row = SealedBody(5, identity, version, KEY.key_id, CURRENT, sealed)
    assert await bodies.open(3, [row]) == [body]
    assert body not in sealed or len(body) < 4


@pytest.mark.parametrize(
    "moved",
    [{"type": 6}, {"id": "b"}, {"version": 2}, {"key_id": 8}, {"dict_id": 0}],
    ids=lambda moved: next(iter(moved)),
)
async def test_a_body_in_another_place_does_not_open(moved):
    bodies = Bodies(Remembered())
    row = SealedBody(5, "a", 1, KEY.key_id, CURRENT, bodies.seal(KEY, bound(3, 5, "a", 1), BODY))

    (elsewhere,) = await bodies.open(3, [row._replace(**moved)])

    assert isinstance(elsewhere, Unreadable)
    assert await bodies.open(3, [row]) == [BODY]


async def test_i8_a_body_does_not_open_for_another_tenant():
    bodies = Bodies(Remembered())
    row = SealedBody(5, "a", 1, KEY.key_id, CURRENT, bodies.seal(KEY, bound(3, 5, "a", 1), BODY))

    (elsewhere,) = await bodies.open(4, [row])

    assert isinstance(elsewhere, Unreadable)


@given(st.data())
async def test_a_damaged_body_is_never_opened(data):
    bodies = Bodies(Remembered())
    sealed = bytearray(bodies.seal(KEY, bound(3, 5, "a", 1), b"{}" * 40))
    damage = data.draw(st.sampled_from(["flip", "cut"]))
    at = data.draw(st.integers(0, len(sealed) - 1))
    if damage == "flip":
        sealed[at] ^= data.draw(st.integers(1, 255))

    whole = bytes(sealed) if damage == "flip" else bytes(sealed[:at])
    (opened,) = await bodies.open(3, [SealedBody(5, "a", 1, KEY.key_id, CURRENT, whole)])

    assert isinstance(opened, Unreadable)


async def test_a_damaged_body_is_told_by_its_place_and_nothing_else(caplog):
    bodies = Bodies(Remembered())

    with caplog.at_level("ERROR"):
        await bodies.open(3, [SealedBody(5, "a", 1, KEY.key_id, CURRENT, BODY)])

    (record,) = caplog.records
    assert (record.message, record.polyclinic_fields) == (
        "body.unreadable",
        {"tenant": 3, "type": 5, "id": "a", "version": 1, "key": KEY.key_id},
    )


async def test_another_key_does_not_open_a_body():
    bodies = Bodies(Remembered(KEY._replace(secret=new_key())))
    row = SealedBody(5, "a", 1, KEY.key_id, CURRENT, bodies.seal(KEY, bound(3, 5, "a", 1), BODY))

    (opened,) = await bodies.open(3, [row])

    assert isinstance(opened, Unreadable)


@pytest.fixture
def in_clear(clinic, owner):
    """Return a function that finds bodies which whoever has the tables can read."""

    async def look():
        rows = [
            (row["body"], row["text"])
            for table in ("resource", "version")
            for row in await owner.fetch(ROWS.format(table), clinic.tenant.number)
        ]
        return len(rows), [body for body, text in rows if SECRET in text or unpacked(body)]

    return look


def unpacked(body):
    """Say whether a compressed body begins anywhere near the start."""
    for start in range(32):
        with suppress(ZstdError):
            if SECRET.encode() in unpack(CURRENT, body[start:]):
                return True
    return False


async def test_nothing_of_a_body_lies_in_clear_in_the_tables(store, job, in_clear):
    await store.update(job, patient())
    await store.update(job, patient(active=True))

    assert await in_clear() == (2, [])


@pytest.mark.parametrize("leaked", [pack(patient().body), patient().body], ids=["packed", "plain"])
async def test_a_body_in_clear_would_be_found(clinic, in_clear, owner, leaked):
    await clinic.put({"resourceType": "Patient", "id": "p"})

    await owner.execute(
        "update resource set body = $2 where tenant = $1", clinic.tenant.number, leaked
    )

    assert await in_clear() == (1, [leaked])


async def test_each_body_is_sealed_under_the_key_of_its_only_patient(store, job, key_of):
    await store.write_all(
        job,
        [
            Change("Patient", "p", patient("p")),
            Change("Observation", "before", observation("before", "q")),
            Change("Observation", "two", observation("two", "p", "q")),
            Change(
                "Organization",
                "o",
                from_json({"resourceType": "Organization", "id": "o", "name": "O"}),
            ),
        ],
    )
    await store.update(job, patient("q"))

    assert await key_of("p") == ("patient", "p")
    assert await key_of("q") == ("patient", "q")
    assert await key_of("before") == ("patient", "q")
    assert await key_of("two") == ("tenant", None)
    assert await key_of("o") == ("tenant", None)


async def test_a_new_version_has_the_key_of_its_patients_and_the_old_one_keeps_its_own(
    store, twin, job, key_of
):
    await store.update(job, observation("o", "p"))
    await store.update(job, observation("o", "q"))

    assert await key_of("o") == ("patient", "q")
    assert b"Patient/p" in (await twin.vread(job, "Observation", "o", 1)).body
    assert b"Patient/q" in (await twin.read(job, "Observation", "o")).body


async def test_only_deletions_have_no_key(store, job, clinic, owner):
    await store.update(job, patient())
    await store.delete(job, "Patient", "p")

    rows = await owner.fetch(
        "select deleted, key_id from resource where tenant = $1 and version > 0"
        " union all select deleted, key_id from version where tenant = $1",
        clinic.tenant.number,
    )

    assert sorted((row["deleted"], row["key_id"] == 0) for row in rows) == [
        (False, False),
        (True, True),
    ]
    with pytest.raises(Gone):
        await store.read(job, "Patient", "p")


@pytest.fixture
async def swapped(store, job, clinic, owner):
    """Return three observations of a patient, of which two have each other's body."""
    for identity in ("a", "b", "c"):
        await store.update(job, observation(identity, "p"))
    await owner.execute(
        "update resource r set body = o.body from resource o where r.tenant = $1 and o.tenant = $1"
        " and (r.id, o.id) in (('a', 'b'), ('b', 'a'))",
        clinic.tenant.number,
    )
    return "a", "b", "c"


async def test_swapped_bodies_are_refused_and_other_reads_get_their_answers(twin, job, swapped):
    answers = await asyncio.gather(
        *(twin.read(job, "Observation", identity) for identity in swapped), return_exceptions=True
    )

    assert [type(answer) for answer in answers[:2]] == [Unreadable, Unreadable]
    assert getattr(answers[2], "id", None) == "c"


@pytest.mark.usefixtures("swapped")
async def test_a_page_shows_the_others_and_names_what_cannot_be_opened(twin, job):
    query, _ = parse_query("Observation", [("patient", "p")], "")

    page = await twin.search(job, query)

    assert sorted((entry.id, type(entry.fault)) for entry in page.entries) == [
        ("a", Unreadable),
        ("b", Unreadable),
        ("c", type(None)),
    ]


@pytest.mark.usefixtures("swapped")
async def test_a_history_shows_what_can_be_opened(twin, store, job):
    await store.update(job, observation("a", "p", code="2"))

    page = await twin.history(job, HistoryQuery("Observation", "a"))

    assert [(entry.version, type(entry.fault)) for entry in page.entries] == [
        (2, type(None)),
        (1, Unreadable),
    ]


async def test_an_earlier_body_of_the_same_resource_cannot_be_put_back(
    store, twin, job, owner, clinic
):
    await store.update(job, observation("o", "p", code="1"))
    await store.update(job, observation("o", "p", code="2"))

    await owner.execute(
        "update resource r set body = v.body from version v where v.rid = r.rid and r.tenant = $1"
        " and r.id = 'o'",
        clinic.tenant.number,
    )

    with pytest.raises(Unreadable):
        await twin.read(job, "Observation", "o")


async def test_a_key_file_that_lacks_the_key_of_one_patient_is_refused(store, clinic, kek, owner):
    await clinic.put({"resourceType": "Patient", "id": "p", "active": True})
    await owner.execute(
        "update data_key set kek = 'another' where tenant = $1 and purpose = 'patient'",
        clinic.tenant.number,
    )

    with pytest.raises(KeyLost, match="were wrapped under key another"):
        await store.open_tenant(clinic.tenant.name, kek)


async def test_a_foreign_key_file_is_refused(store, clinic, kek):
    with pytest.raises(KeyLost, match="restore the key file from its backup"):
        await store.open_tenant(clinic.tenant.name, KeyRing([Sealer(new_key())]))
    assert (await store.open_tenant(clinic.tenant.name, kek)).name == clinic.tenant.name
