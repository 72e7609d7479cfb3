"""D4: answers that are long, slow, cut or ambiguous, and the same that are not."""

import asyncio

import pytest

from polyclinic.base.egress import BadAnswer, Limits, TooLarge, TooSlow
from polyclinic.base.outbound import HttpRequest

NAME = "files.clinic.example"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def get(server):
    return HttpRequest("GET", f"https://{NAME}:{server.port}/")


async def silence(reader, _writer):
    await reader.read()


async def test_a_server_that_says_nothing_is_not_waited_for(serve, make_client):
    server = await serve(silence)
    client = make_client(server, limits=Limits(connect=5, total=0.3))

    with pytest.raises(TooSlow, match="longer than"):
        await client.request(get(server))

    assert len(server.received) == 1


async def trickle(_reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def test_an_answer_that_trickles_in_is_ended_by_the_total_time(serve, make_client):
    server = await serve(trickle)

    with pytest.raises(TooSlow):
        await make_client(server, limits=Limits(connect=5, total=0.3)).request(get(server))


async def test_a_name_that_is_looked_up_for_too_long_is_ended(serve, make_client):
    server = await serve()

    async def slow(_name):
        await asyncio.sleep(5)

    client = make_client(server, resolve=slow, limits=Limits(connect=0.2, total=5))
    with pytest.raises(TooSlow, match="did not answer within"):
        await client.request(get(server))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000,
        CHUNKED + b"400\r\n%b\r\n" % (b"x" * 1024) * 3,
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 3000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 600,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
        CHUNKED + b"1;" + b"x" * 4000,
        CHUNKED + b"0\r\nx: " + b"x" * 4000,
    ],
    ids=["length", "chunks", "header", "headers", "interim", "extension", "trailer"],
)
async def test_d4_an_answer_longer_than_the_limits_is_refused(serve, make_client, answer):
    server = await serve(answer)
    small = Limits(connect=5, total=5, header_bytes=2000, body_bytes=1999)

    with pytest.raises(TooLarge):
        await make_client(server, limits=small).request(get(server))


async def test_an_answer_as_long_as_the_limit_is_taken(serve, make_client):
    server = await serve(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000)
    exact = Limits(connect=5, total=5, body_bytes=2000)

    assert len((await make_client(server, limits=exact).request(get(server))).body) == 2000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok",
        CHUNKED.replace(b"\r\n", b"\r\ncontent-length: 2\r\n", 1) + b"2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        CHUNKED + b"5\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
async def test_an_answer_that_is_cut_or_ambiguous_is_refused(serve, make_client, answer):
    server = await serve(answer)

    with pytest.raises(BadAnswer):
        await make_client(server).request(get(server))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (CHUNKED + b"2\r\nok\r\n0\r\nx: y\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n" + EMPTY, 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 1\r\n\r\n!", 500, b"!"),
        (EMPTY + b"HTTP/1.1 500 X\r\ny: z\r\n\r\n", 200, b""),
    ],
)
async def test_an_answer_that_is_whole_is_read_to_its_end(serve, make_client, answer, status, body):
    server = await serve(answer)

    response = await make_client(server).request(get(server))

    assert (response.status, response.body) == (status, body)
    assert not {"x", "y"} & set(response.headers)


async def test_the_answer_to_head_has_a_length_and_no_body(serve, make_client):
    server = await serve(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")

    response = await make_client(server).request(
        HttpRequest("HEAD", f"https://{NAME}:{server.port}/")
    )

    assert (response.headers["content-length"], response.body) == ("5", b"")
