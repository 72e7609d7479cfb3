"""The change feed over a socket, as server-sent events: followed, left, taken up again, ended."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
import uvicorn

from polyclinic.app.one_write import OneWrite
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.types import from_json
from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.service import Identity

CHANGES = "polyclinic.kernel.rest.interactions.changes"
EVENTS = {"accept": "text/event-stream"}


class Served:
    """An application that answers on a port of this machine."""

    def __init__(self, application, server, port):
        self.application = application
        self.server = server
        self.port = port
        self.services = application._services
        self.identity = self.services.part(Identity)
        self.streams = application._streams

    async def token(self, name, role="clinician"):
        """Make an account and return a token of it."""
        await self.identity.put_account(NewAccount(name, name, frozenset({role}), None))
        return await self.identity.issue_token(name, "test")

    def client(self, token):
        """Return a client that is signed in."""
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}/fhir/",
            headers={"authorization": f"Bearer {token}"},
            timeout=20,
        )

    async def put(self, identity, **content):
        """Store a patient, without HTTP."""
        job = Principal("job", self.services.tenant.number, 0, frozenset({"job"}))
        patient = {"resourceType": "Patient", "id": identity, **content}
        await self.services.store.update(job, from_json(patient))


@pytest.fixture
def served(started):
    """Return a function that serves an application of one's own."""

    @asynccontextmanager
    async def run(**options):
        async with started() as first:
            settings = replace(first._settings, **options)
        async with started(settings=settings) as application:
            listening = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(
                uvicorn.Config(
                    application,
                    http=OneWrite,
                    proxy_headers=False,
                    lifespan="off",
                    log_config=None,
                    timeout_graceful_shutdown=5,
                )
            )
            task = asyncio.create_task(server._serve([listening]))
            try:
                yield Served(application, server, listening.getsockname()[1])
            finally:
                server.should_exit = True
                await task

    return run


@pytest_asyncio.fixture(loop_scope="session")
async def clinic_server(served):
    """Yield a server with nothing special to it."""
    async with served() as made:
        yield made


async def start(client):
    """Return a cursor behind all that is there."""
    answer = await client.get("$changes?_since=now")
    return httpx.URL(answer.links["next"]["url"]).params["_since"]


async def blocks(answer):
    """Yield the events of a stream as dicts of their fields."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            block[name] = value
        elif block:
            yield block
            block = {}


@asynccontextmanager
async def followed(client, since, last=None):
    """Follow the changes behind a cursor, without the first block, which tells when to retry."""
    headers = EVENTS | ({"last-event-id": last} if last else {})
    async with client.stream("GET", "$changes", params={"_since": since}, headers=headers) as got:
        assert got.status_code == 200
        events = blocks(got)
        assert await anext(events) == {"retry": "1000"}
        yield events
        await events.aclose()


async def take(events, number):
    """Return the ids and versions of the next changes, and the id of the last event."""
    found, last = [], None
    async with asyncio.timeout(10):
        async for event in events:
            if "data" in event:
                line = json.loads(event["data"])
                assert line["cursor"] == event["id"]
                found.append((line["id"], line["versionId"]))
                last = event["id"]
            if len(found) == number:
                return found, last
    raise AssertionError


async def test_what_is_there_is_sent_and_then_what_comes(clinic_server):
    async with clinic_server.client(await clinic_server.token("one")) as client:
        cursor = await start(client)
        await clinic_server.put("before")

        async with followed(client, cursor) as events:
            first, _ = await take(events, 1)
            await clinic_server.put("after")
            await clinic_server.put("after", gender="other")
            rest, _ = await take(events, 2)

    assert first == [("before", "1")]
    assert rest == [("after", "1"), ("after", "2")]


async def test_a_client_that_comes_back_with_its_last_id_misses_nothing(clinic_server):
    async def write(writer):
        for number in range(20):
            await clinic_server.put(f"w{writer}", multipleBirthInteger=number)

    async with clinic_server.client(await clinic_server.token("two")) as client:
        cursor, last = await start(client), None
        seen: list[tuple[str, str]] = []
        writing = [asyncio.create_task(write(writer)) for writer in range(8)]
        while len(seen) < 160:
            async with followed(client, cursor, last) as events:
                found, last = await take(events, min(37, 160 - len(seen)))
            seen += found
        await asyncio.gather(*writing)

    for writer in range(8):
        own = [int(version) for identity, version in seen if identity == f"w{writer}"]
        assert own == list(range(1, 21))


async def test_the_lines_of_events_and_of_pages_are_the_same(clinic_server):
    async with clinic_server.client(await clinic_server.token("three")) as client:
        cursor = await start(client)
        for number in range(5):
            await clinic_server.put("same", multipleBirthInteger=number)
        page = (await client.get("$changes", params={"_since": cursor})).text.splitlines()

        async with followed(client, cursor) as events:
            sent = [(await anext(events))["data"] for _ in range(5)]

    assert sent == page


async def test_a_quiet_stream_has_a_heartbeat_that_brings_the_cursor_along(
    clinic_server, monkeypatch
):
    monkeypatch.setattr(f"{CHANGES}._HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(f"{CHANGES}._LOOK_SECONDS", 0.1)
    async with clinic_server.client(await clinic_server.token("four")) as client:
        cursor = await start(client)
        await clinic_server.put("quiet")

        async with followed(client, cursor) as events:
            await take(events, 1)
            alive = await anext(events)
        async with followed(client, cursor, alive["id"]) as events:
            await clinic_server.put("loud")
            found, _ = await take(events, 1)

    assert alive.keys() == {"id", ""}
    assert found == [("loud", "1")]


async def test_many_streams_ask_the_database_as_one(clinic_server):
    watch = clinic_server.services.store.following.watch
    async with clinic_server.client(await clinic_server.token("five")) as client:
        cursor = await start(client)

        async def follow():
            async with followed(client, cursor) as events:
                return await take(events, 1)

        following = [asyncio.create_task(follow()) for _ in range(10)]
        await asyncio.sleep(0.5)
        before = watch.questions
        await asyncio.sleep(2)
        asked = watch.questions - before
        await clinic_server.put("for-all")
        found = await asyncio.gather(*following)

    assert asked <= 11
    assert {tuple(changes) for changes, _ in found} == {(("for-all", "1"),)}


async def test_d6_streams_are_bounded_for_an_account_and_for_all(served):
    async with served(max_streams=3) as server:
        server.streams._of_one_account = 2
        one, other = [await server.token(name) for name in ("six", "seven")]
        async with server.client(one) as mine, server.client(other) as theirs:
            cursor, foreign = await start(mine), await start(theirs)

            async with followed(mine, cursor), followed(mine, cursor):
                own = await mine.get("$changes", params={"_since": cursor}, headers=EVENTS)
                async with followed(theirs, foreign):
                    all_ = await theirs.get("$changes", params={"_since": foreign}, headers=EVENTS)
            await until(lambda: server.streams.running == 0)
            again = await mine.get("$changes", params={"_since": cursor})

    assert [answer.status_code for answer in (own, all_, again)] == [503, 503, 200]
    assert own.headers["retry-after"] == all_.headers["retry-after"] == "1"


async def until(condition):
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for sends no event
            await asyncio.sleep(0.02)


async def test_d4_a_reader_that_stands_still_is_cut_off_and_goes_on_from_its_cursor(served):
    async with served() as server:
        server.streams._patience = 0.5
        token = await server.token("eight")
        async with server.client(token) as client:
            cursor = await start(client)
            for number in range(12):
                await server.put(f"large{number}", name=[{"text": "x" * 1_000_000}])
            still = await raw(server.port, token, cursor)
            await until(lambda: server.streams.running == 1)

            await until(lambda: server.streams.running == 0)
            text = await rest_of(still)
            last = text.rsplit(b"\n\n", 1)[0].rsplit(b"id: ", 1)[1].split(b"\n", 1)[0].decode()
            seen = text.rsplit(b"\n\n", 1)[0].count(b"\nid: ")
            async with followed(client, cursor, last) as events:
                found, _ = await take(events, 12 - seen)

    assert 0 < seen < 12
    assert [identity for identity, _ in found] == [f"large{at}" for at in range(seen, 12)]


async def raw(port, token, cursor):
    """Ask for events on a socket of one's own, and do not read them."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)  # noqa: FBT003 - the standard library's own
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    request = (
        f"GET /fhir/$changes?_since={cursor} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
        f"authorization: Bearer {token}\r\n\r\n"
    )
    await loop.sock_sendall(client, request.encode())
    return client


async def rest_of(client):
    """Return what a socket still has, without the marks of chunks."""
    reader, writer = await asyncio.open_connection(sock=client)
    data = b""
    with suppress(ConnectionError):
        data = await reader.read()
    writer.close()
    body = data.partition(b"\r\n\r\n")[2]
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        text += body[:length]
        body = body[length + 2 :]
    return b"\n" + text


async def test_a_server_that_stops_ends_its_streams_whole_and_soon(served):
    async with served() as server:
        client = server.client(await server.token("nine"))
        async with client, followed(client, await start(client)) as events:
            server.server.should_exit = True
            async with asyncio.timeout(3):
                rest = [event async for event in events]
        assert server.streams.running == 0

    assert rest == []


async def test_a6_a_stream_ends_with_the_session_and_says_why(clinic_server):
    client = clinic_server.client(await clinic_server.token("ten"))
    async with client, followed(client, await start(client)) as events:
        await clinic_server.identity.set_disabled("ten", disabled=True)
        async with asyncio.timeout(5):
            end = [event async for event in events]

    assert [event["event"] for event in end] == ["end"]
    assert json.loads(end[0]["data"])["issue"][0]["code"] == "login"


async def test_i9_a_stream_ends_with_the_right_to_read(clinic_server):
    client = clinic_server.client(await clinic_server.token("eleven"))
    async with client, followed(client, await start(client)) as events:
        await clinic_server.token("eleven", "patient")
        await clinic_server.put("secret")
        async with asyncio.timeout(5):
            end = [event async for event in events]

    assert [event["event"] for event in end] == ["end"]
    assert json.loads(end[0]["data"])["issue"][0]["code"] == "forbidden"


async def test_a_client_that_leaves_leaves_nothing_behind(clinic_server):
    async with clinic_server.client(await clinic_server.token("twelve")) as client:
        async with followed(client, await start(client)):
            assert clinic_server.streams.running == 1

        await until(lambda: clinic_server.streams.running == 0)


async def test_i7_a_stream_needs_a_session_and_a_right(clinic_server):
    patient = await clinic_server.token("thirteen", "patient")
    async with clinic_server.client("nonsense") as nobody, clinic_server.client(patient) as person:
        answers = [await one.get("$changes", headers=EVENTS) for one in (nobody, person)]

    assert [answer.status_code for answer in answers] == [401, 403]
