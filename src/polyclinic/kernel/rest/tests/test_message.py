"""Requests and answers on raw ASGI: limits, cut and slow bodies, compression."""

import asyncio
import gzip
import json
import logging
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, PayloadTooLarge, TooSlow, UnsupportedMedia
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.kernel.rest.capabilities import capability_statement
from polyclinic.kernel.rest.message import Answer, Request, pairs, split_path

LARGEST = 1000
LIMITS = Limits(LARGEST, in_flight=2)
SOMEONE = Principal("someone", tenant=1, account=1)


def request(chunks, headers=(), *, patience=5.0, end=True):
    """Return a request whose body comes in chunks; without an end the connection closes."""
    messages = [
        {"type": "http.request", "body": chunk, "more_body": not end or at + 1 < len(chunks)}
        for at, chunk in enumerate(chunks)
    ]
    if not end:
        messages.append({"type": "http.disconnect"})
    waiting = iter(messages)

    async def receive():
        return next(waiting)

    made = Request("POST", ("Patient",), "", dict(headers), receive, "", SOMEONE, LARGEST)
    made.patience = patience
    return made


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=6))
async def test_a_body_is_its_chunks_or_too_large(chunks):
    whole = b"".join(chunks)

    try:
        body = await request(chunks).body()
    except PayloadTooLarge:
        body = None

    assert body == (whole if len(whole) <= LARGEST else None)


async def test_a_body_that_says_it_is_too_large_is_not_read():
    async def receive():
        raise AssertionError

    declared = {b"content-length": b"1001"}
    made = Request("POST", (), "", declared, receive, "", SOMEONE, LARGEST)

    with pytest.raises(PayloadTooLarge):
        await made.body()


@pytest.mark.parametrize("length", [b"9" * 5000, b"-1", b"x", b"", "٣".encode()])
async def test_a_strange_content_length_is_no_crash(length):
    made = request([b"ok"], {b"content-length": length})

    try:
        body = await made.body()
    except PayloadTooLarge:
        body = b"refused"

    assert body == (b"refused" if len(length) == 5000 else b"ok")


async def test_a_body_that_ends_early_is_refused():
    with pytest.raises(BadRequest, match="closed"):
        await request([b"half"], end=False).body()


async def test_a_body_that_never_ends_is_given_up():
    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b".", "more_body": True}

    made = Request("POST", (), "", {}, receive, "", SOMEONE, 10**9)
    made.patience = 0.1

    with pytest.raises(TooSlow):
        await made.body()


@pytest.mark.parametrize(
    ("encoding", "error"), [(b"br", UnsupportedMedia), (b"gzip, gzip", UnsupportedMedia)]
)
async def test_an_unknown_encoding_is_unsupported(encoding, error):
    with pytest.raises(error):
        await request([b"x"], {b"content-encoding": encoding}).body()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"no gzip", BadRequest),
        (gzip.compress(b"x", mtime=0)[:-1], BadRequest),
        (gzip.compress(b"x", mtime=0) + b"more", BadRequest),
        (gzip.compress(b"x", mtime=0) + gzip.compress(b"y", mtime=0), BadRequest),
        (gzip.compress(bytes(10**6), mtime=0), PayloadTooLarge),
        (zlib.compress(b"x"), BadRequest),
        (b"", BadRequest),
    ],
)
async def test_a_gzip_body_is_whole_and_within_the_limit(data, error):
    with pytest.raises(error):
        await request([data], {b"content-encoding": b"gzip"}).body()


@given(st.binary(max_size=LARGEST))
async def test_a_gzip_body_is_what_was_packed(data):
    packed = gzip.compress(data, mtime=0)

    if len(packed) <= LARGEST:
        assert await request([packed], {b"content-encoding": b"GZIP "}).body() == data


@pytest.mark.parametrize("query", ["a=%ff", "&".join(["a=1"] * 1001)])
def test_parameters_that_cannot_be_read_are_refused(query):
    with pytest.raises(BadRequest):
        pairs(query)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), max_size=4))
def test_a_path_is_split_before_it_is_decoded(segments):
    quoted = "/".join("".join(f"%{byte:02x}" for byte in part.encode()) for part in segments)

    assert split_path(f"/{quoted}") == tuple(segments)


async def sent(answer, **options):
    messages = []

    async def send(message):
        messages.append(message)

    await answer.send(send, **options)
    return dict(messages[0]["headers"]), messages[1]["body"]


async def test_a_large_answer_is_packed_for_whoever_takes_it():
    body = b'{"a":1}' * 1000

    headers, packed = await sent(Answer(200, body), accepts_gzip=True)
    plain_headers, plain = await sent(Answer(200, body))

    assert (headers[b"content-encoding"], gzip.decompress(packed)) == (b"gzip", body)
    assert plain == body
    assert headers[b"vary"] == plain_headers[b"vary"]


async def test_head_has_the_length_and_no_body():
    headers, body = await sent(Answer(200, b"12345"), head=True)

    assert (headers[b"content-length"], body) == (b"5", b"")


async def answered(authenticate, **scope):
    application = FhirApplication(None, authenticate, LIMITS, None)  # type: ignore[arg-type]
    return await ask(application, **scope)


async def ask(application, **scope):
    messages = []

    async def send(message):
        messages.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    given_ = {
        "method": "GET",
        "path": "/fhir/Patient",
        "query_string": b"",
        "scheme": "http",
        "headers": [],
    }
    await application(given_ | scope, receive, send)
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


async def never(_headers, _method):
    raise AssertionError


async def someone(headers, method):
    del headers, method
    return SOMEONE


async def test_an_unexpected_error_tells_nobody_its_words(caplog):
    async def broken(_headers, _method):
        message = "Zuri Amani cannot be found"
        raise RuntimeError(message)

    with caplog.at_level(logging.ERROR):
        status, _, body = await answered(broken)

    assert status == 500
    assert b"Zuri" not in body
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert "Zuri" not in caplog.text


async def test_an_address_that_is_too_long_is_refused():
    status, _, body = await answered(someone, query_string=b"a=" + b"x" * 20_000)

    assert status == 400
    assert b"_search" in body


async def test_more_requests_than_there_is_room_for_are_told_to_come_back():
    door = asyncio.Event()

    async def slow(headers, method):
        await door.wait()
        return await someone(headers, method)

    application = FhirApplication(None, slow, LIMITS, None)  # type: ignore[arg-type]
    held = [asyncio.ensure_future(ask(application, path="/fhir/Nonsense")) for _ in range(2)]
    await asyncio.sleep(0)

    status, headers, _ = await ask(application)
    door.set()
    answers = [status for status, _, _ in await asyncio.gather(*held)]

    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert answers == [404, 404]
    assert (await ask(application, path="/fhir/metadata"))[0] == 200


@pytest.mark.parametrize(
    "path", ["/fhir/Patient/a/b", "/fhir/_search/a", "/fhir/Patient/a/_history/1/2"]
)
async def test_what_is_no_address_is_404(path):
    status, _, _ = await answered(someone, path=path, method="GET")

    assert status in (404, 405)


async def test_the_capabilities_do_not_pile_up_with_every_host_that_is_named():
    bodies = [
        (await answered(never, path="/fhir/metadata", headers=[(b"host", b"h%d" % number)]))[2]
        for number in range(3)
    ]

    urls = [json.loads(body)["implementation"]["url"] for body in bodies]
    assert urls == [f"http://h{number}/fhir" for number in range(3)]
    assert not hasattr(capability_statement, "cache_info")


async def test_a_host_with_quotes_makes_no_other_statement():
    headers = [(b"host", b'x","software":{"name":"evil"},"y":"')]
    _, _, body = await answered(never, path="/fhir/metadata", headers=headers)

    assert json.loads(body)["software"]["name"] == "Polyclinic"
