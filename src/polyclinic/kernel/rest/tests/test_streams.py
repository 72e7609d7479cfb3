"""How a streamed answer begins and ends, part by part."""

import asyncio

import pytest

from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.rest.message import Streamed
from polyclinic.kernel.rest.streams import Client, Streams

FINAL = {"type": "http.response.body", "body": b""}
OWNER = (1, 1)


class Asgi:
    """A server's side of one request."""

    def __init__(self):
        self.sent = []
        self.gone = asyncio.Event()
        self.stuck = asyncio.Event()
        self.stands_still = False

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if self.stands_still and message.get("body"):
            self.stuck.set()
            await asyncio.Event().wait()
        self.sent.append(message)

    def client(self):
        return Client(self.receive, self.send, self.renew, accepts_gzip=False)

    async def renew(self):
        """Nobody asks."""

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.fixture
def asgi():
    return Asgi()


@pytest.fixture
def closed():
    """Return a list that tells when the parts were closed."""
    return []


@pytest.fixture
def answer(closed):
    """Return a function that makes an answer of some parts, and of what follows them."""

    def make(*parts, then=None, endless=False, owner=OWNER):
        async def generate(_renew):
            try:
                for part in parts:
                    yield part
                if then:
                    await then()
            finally:
                closed.append(True)

        return Streamed(200, parts=generate, owner=owner, endless=endless)

    return make


async def for_ever():
    await asyncio.Event().wait()


async def refuse():
    raise Forbidden


async def break_down():
    raise ZeroDivisionError


async def test_a_whole_answer_is_completed(asgi, answer, closed):
    await Streams().send(answer(b"a\n", b"b\n"), asgi.client())

    assert asgi.body == b"a\nb\n"
    assert asgi.sent[-1] == FINAL
    assert closed == [True]


@pytest.mark.parametrize("then", [refuse, break_down])
async def test_an_answer_that_fails_is_never_completed(asgi, answer, then):
    await Streams().send(answer(b"a\n", then=then), asgi.client())

    assert asgi.body == b"a\n"
    assert FINAL not in asgi.sent


async def test_a_client_that_leaves_ends_what_is_made_for_it(asgi, answer, closed):
    streams = Streams()
    running = asyncio.create_task(streams.send(answer(b"a\n", then=for_ever), asgi.client()))
    await asyncio.sleep(0.05)
    before = streams.running

    asgi.gone.set()
    await running

    assert (before, streams.running) == (1, 0)
    assert closed == [True]
    assert FINAL not in asgi.sent


async def test_a_cancelled_answer_ends_what_is_made_for_it(asgi, answer, closed):
    streams = Streams()
    running = asyncio.create_task(streams.send(answer(b"a\n", then=for_ever), asgi.client()))
    await asyncio.sleep(0.05)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert streams.running == 0
    assert closed == [True]


async def test_a_server_that_stops_completes_what_has_no_end(asgi, answer):
    streams = Streams()
    endless = answer(b"a\n", then=for_ever, endless=True)
    running = asyncio.create_task(streams.send(endless, asgi.client()))
    await asyncio.sleep(0.05)

    streams.stop()
    await running

    assert asgi.sent[-1] == FINAL


async def test_a_server_that_stops_finishes_what_has_an_end_and_begins_nothing(asgi, answer):
    streams, finish = Streams(), asyncio.Event()
    running = asyncio.create_task(streams.send(answer(b"a\n", then=finish.wait), asgi.client()))
    await asyncio.sleep(0.05)

    streams.stop()
    await asyncio.sleep(0.05)
    before = running.done()
    finish.set()
    await running
    late = Asgi()
    await streams.send(answer(b"a\n"), late.client())

    assert not before
    assert asgi.sent[-1] == FINAL
    assert late.sent[0]["status"] == 503


async def test_d4_a_client_that_takes_nothing_is_cut_off(asgi, answer, closed):
    streams = Streams(patience=0.1)
    asgi.stands_still = True

    await asyncio.wait_for(streams.send(answer(b"a\n", b"b\n"), asgi.client()), 5)

    assert asgi.stuck.is_set()
    assert FINAL not in asgi.sent
    assert streams.running == 0
    assert closed == [True]


async def test_d6_an_account_and_a_process_have_so_many_streams(answer):
    streams = Streams(most=3, of_one_account=2)
    owners = [(1, 1), (1, 1), (1, 1), (1, 2), (2, 1)]
    clients = [Asgi() for _ in owners]
    running = [
        asyncio.create_task(streams.send(answer(then=for_ever, owner=owner), one.client()))
        for owner, one in zip(owners, clients, strict=True)
    ]
    await asyncio.sleep(0.05)
    for one in clients:
        one.gone.set()
    await asyncio.gather(*running)

    assert [one.sent[0]["status"] for one in clients] == [200, 200, 503, 200, 503]
