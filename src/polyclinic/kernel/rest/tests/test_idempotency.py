"""A request that carries an Idempotency-Key is done once, however often it is sent."""

import asyncio
from dataclasses import replace

import pytest

from polyclinic.base.db.connect import connected
from polyclinic.kernel.errors import Conflict, Unavailable
from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.store import StillRunning, Store
from polyclinic.kernel.store.idempotency import KeyReused
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.retries import (
    ACCOUNT,
    KEY,
    MADE,
    PATIENT,
    REQUESTS,
    Later,
    count,
    send,
    shape,
)

each_kind = pytest.mark.parametrize("kind", REQUESTS)


@each_kind
async def test_a_retry_gets_the_first_answer_byte_for_byte(client, kind):
    first = await send(client, kind)
    after_first = await count(client)

    again = await send(client, kind)

    assert first.status_code in (200, 201)
    assert shape(again) == shape(first)
    assert await count(client) == after_first == (MADE[kind], MADE[kind])


@each_kind
async def test_without_the_key_each_is_a_request_of_its_own(client, kind):
    path, body = REQUESTS[kind]

    answers = [await client.post(path, json=body) for _ in range(2)]

    assert answers[0].content != answers[1].content
    assert (await count(client))[0] == 2 * MADE[kind] - (kind != "create")


@each_kind
async def test_another_process_gives_the_same_answer(client, other, kind):
    first = await send(client, kind)

    assert shape(await send(other, kind)) == shape(first)


async def test_what_was_written_is_what_a_read_finds(client):
    first = await send(client, "create")

    found = await client.get(first.headers["location"])

    assert found.content == first.content


async def test_the_answer_stays_when_the_resource_has_changed_since(client):
    first = await send(client)
    made = first.json()
    await client.put(f"Patient/{made['id']}", json=made | {"active": False})
    await client.delete(f"Patient/{made['id']}")

    assert shape(await send(client)) == shape(first)


@pytest.mark.parametrize(
    "more",
    [
        {"json": PATIENT | {"active": True}},
        {"headers": {"prefer": "return=minimal"}},
        {"params": {"_pretty": "true"}},
        {"kind": "transaction"},
    ],
)
async def test_another_request_with_the_key_is_422(client, more):
    await send(client)

    answer = await send(client, **more)

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["code"] == "business-rule"
    assert await count(client) == (1, 1)


async def test_the_key_of_another_account_or_clinic_is_another_key(client, clinic, store, kek):
    elsewhere = Clinic(store, await store.open_tenant(f"{clinic.tenant.name}-b", kek))
    same_account = replace(elsewhere.principal("job"), account=ACCOUNT)
    async with (
        clinic.client(clinic.principal("job")) as colleague,
        elsewhere.client(same_account) as stranger,
    ):
        answers = [await send(one) for one in (client, colleague, stranger)]

    assert len({answer.json()["id"] for answer in answers}) == 3


@pytest.mark.parametrize("key", ["", '""', '"' + "k" * 256 + '"', '"open', "a,b", '"a", "b"', "ü"])
async def test_what_is_no_key_is_400(client, key):
    answer = await send(client, key=key.encode("latin-1"))

    assert answer.status_code == 400


@pytest.mark.parametrize("key", ['"8e03978e-40d5"', "8e03978e-40d5", '" !~"', r'"a \"b\" \\"'])
async def test_a_string_and_a_bare_word_are_keys(client, key):
    assert shape(await send(client, key=key)) == shape(await send(client, key=key))


async def test_the_quotes_are_no_part_of_the_key(client):
    assert shape(await send(client, key="k")) == shape(await send(client, key='"k"'))


@each_kind
async def test_twenty_retries_at_once_in_two_processes_make_it_once(client, other, kind):
    answers = await asyncio.gather(*(send(one, kind) for one in [client, other] * 10))

    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert answers[0].status_code in (200, 201)
    assert await count(client) == (MADE[kind], MADE[kind])


class NoClaims:
    """The control: every claim is given to everybody."""

    async def claim(self, _principal, _key, _request):
        return NoClaim()


class NoClaim:
    is_answered, is_passing = True, False

    def held(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_error):
        return

    def keeper(self, _render):
        return None


async def test_the_control_without_claims_makes_it_twenty_times(client, store, monkeypatch):
    monkeypatch.setattr(store, "claims", NoClaims())

    await asyncio.gather(*(send(client) for _ in range(20)))

    assert await count(client) == (20, 20)


async def test_while_the_first_still_runs_a_retry_is_409_and_told_when(client, monkeypatch):
    monkeypatch.setattr(idempotency, "_PAUSES", (0.01, 0.01))
    proceed = asyncio.Event()
    create = Store.create

    async def slow(self, *given):
        await proceed.wait()
        return await create(self, *given)

    monkeypatch.setattr(Store, "create", slow)
    running = asyncio.create_task(send(client))
    await asyncio.sleep(0.05)

    early = await send(client)
    proceed.set()
    first = await running

    assert (early.status_code, early.headers["retry-after"]) == (409, "1")
    assert first.status_code == 201
    assert shape(await send(client)) == shape(first)


async def test_a_refusal_of_the_request_itself_is_kept(client):
    bad = {"resourceType": "Patient", "birthDate": "yesterday"}

    first = await send(client, json=bad)

    assert first.status_code == 422
    assert shape(await send(client, json=bad)) == shape(first)


@pytest.mark.parametrize("error", [Conflict, Unavailable, StillRunning])
async def test_what_may_pass_is_tried_again(client, monkeypatch, error):
    async def refused(*_given):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Store, "create", refused)
        first = await send(client)
    again = await send(client)

    assert first.status_code == error.status
    assert again.status_code == 201


async def test_a_batch_with_a_part_that_may_pass_does_only_that_part_again(client, monkeypatch):
    create, made = Store.create, []

    async def once_refused(self, *given):
        made.append(given)
        if len(made) == 2:
            raise Unavailable
        return await create(self, *given)

    monkeypatch.setattr(Store, "create", once_refused)
    first = (await send(client, "batch")).json()["entry"]
    again = (await send(client, "batch")).json()["entry"]

    assert [entry["response"]["status"][:3] for entry in first] == ["201", "503", "201"]
    assert [entry["response"]["status"][:3] for entry in again] == ["201", "201", "201"]
    assert again[0] == first[0]
    assert await count(client) == (3, 3)


async def test_with_other_rights_the_answer_is_not_given_again(client, clinic, principal):
    await send(client)
    async with clinic.client(replace(principal, roles=frozenset({"nurse"}))) as nurse:
        answer = await send(nurse)

    assert answer.status_code == 403


async def test_a_search_by_post_is_not_kept(client, database, clinic):
    headers = {"idempotency-key": KEY, "content-type": "application/x-www-form-urlencoded"}

    answer = await client.post("Patient/_search", content="active=true", headers=headers)

    assert answer.status_code == 200
    assert await rows(database, clinic) == []


async def rows(database, clinic):
    async with connected(database.require_owner()) as owner:
        return await owner.fetch(
            "select * from idempotency where tenant = $1", clinic.tenant.number
        )


async def test_neither_key_nor_answer_lies_in_clear(client, database, clinic):
    await send(client)

    (row,) = await rows(database, clinic)

    for hidden in (b"a key that is sent again", b"Okafor"):
        assert hidden not in row["key_hash"] + row["request_digest"] + row["answer"]


async def test_an_answer_cannot_be_given_under_another_key(client, database, clinic):
    await send(client, key="one")
    await send(client, key="two")
    async with connected(database.require_owner()) as owner:
        await owner.execute(
            "update idempotency set answer = (select answer from idempotency b"
            " where b.tenant = $1 and b.answer <> idempotency.answer) where tenant = $1",
            clinic.tenant.number,
        )

    assert (await send(client, key="one")).status_code == 503


async def test_an_answer_expires_and_is_swept(client, store, clinic, database, monkeypatch):
    first = await send(client)
    monkeypatch.setattr(store.claims, "clock", Later(hours=23))
    kept = await send(client)
    monkeypatch.setattr(store.claims, "clock", Later(hours=25))
    await store.claims.sweep(clinic.tenant.number)

    assert kept.json() == first.json()
    assert await rows(database, clinic) == []
    assert (await send(client)).json()["id"] != first.json()["id"]


async def test_what_has_to_be_erased_is_in_no_kept_answer(client, store, clinic, database):
    await send(client)

    await store.claims.forget(clinic.tenant.number)

    assert await rows(database, clinic) == []


async def test_an_expired_key_may_come_with_another_request_before_it_is_swept(
    client, store, monkeypatch
):
    await send(client)
    monkeypatch.setattr(store.claims, "clock", Later(hours=25))

    assert (await send(client, json=PATIENT | {"active": True})).status_code == 201


def test_errors_say_what_they_are():
    assert (KeyReused().http_status, StillRunning().http_status) == (422, 409)
