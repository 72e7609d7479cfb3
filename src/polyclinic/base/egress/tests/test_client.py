"""P7 on real sockets; beside each refusal stands the same request without its cause."""

import ssl

import httpx
import pytest

from polyclinic.base.egress import (
    EgressError,
    GuardedClient,
    NotPermitted,
    Policy,
    Unreachable,
)
from polyclinic.base.egress.client import look_up
from polyclinic.base.outbound import HttpRequest

NAME = "files.clinic.example"


def get(server, path="/", **more):
    return HttpRequest("GET", f"https://{NAME}:{server.port}{path}", **more)


async def test_a_request_arrives_as_it_was_made_and_is_answered(serve, make_client):
    answer = b"HTTP/1.1 201 Created\r\nETag: x\r\nVia: a\r\nVia: b\r\ncontent-length: 4\r\n\r\nbody"
    server = await serve(answer)
    request = HttpRequest(
        "PUT", f"https://{NAME}:{server.port}/a/b?c=d", {"X-Kind": "note"}, b"\x00content"
    )

    response = await make_client(server).request(request)

    assert (response.status, response.body) == (201, b"body")
    assert response.headers == {"etag": "x", "via": "a, b", "content-length": "4"}
    (sent,) = server.received
    assert sent.startswith(
        b"PUT /a/b?c=d HTTP/1.1\r\nhost: %b:%d\r\n" % (NAME.encode(), server.port)
    )
    assert b"\r\nx-kind: note\r\n" in sent
    assert b"\r\nconnection: close\r\n" in sent
    assert sent.endswith(b"\r\ncontent-length: 8\r\n\r\n\x00content")
    assert server.names == [True]


async def test_p7_a_name_with_an_address_inside_is_refused_before_a_connection(
    serve, make_client, resolver
):
    server = await serve()
    closed = make_client(server, networks="", resolve=resolver(["127.0.0.1"]))

    with pytest.raises(NotPermitted):
        await closed.request(get(server))

    assert server.names == []
    assert (await make_client(server).request(get(server))).status == 200


@pytest.mark.parametrize("inside", ["10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002::1"])
async def test_p7_one_address_inside_refuses_the_others(serve, make_client, resolver, inside):
    server = await serve()
    narrow = make_client(
        server, networks="127.0.0.1/32", resolve=resolver(["127.0.0.1", "10.0.0.1"])
    )
    mixed = make_client(
        server, networks="10.0.0.0/24", resolve=resolver(["8.8.8.8", inside, "::1"])
    )

    with pytest.raises(NotPermitted):
        await narrow.request(get(server))
    with pytest.raises(NotPermitted):
        await mixed.request(get(server))

    assert server.names == []


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
async def test_p7_a_name_that_changes_its_address_leads_nowhere_new(serve, make_client, resolver):
    good = await serve(host="127.0.0.2")
    trap = await serve(host="127.0.0.1", port=good.port)
    rebinding = resolver(["127.0.0.2"], ["127.0.0.1"])

    response = await make_client(good, networks="127.0.0.2/32", resolve=rebinding).request(
        get(good)
    )

    assert response.status == 200
    assert (len(good.received), len(trap.names), rebinding.asked) == (1, 0, [NAME])
    # Whoever looks the name up a second time, as a client without the pin does, is led to the trap.
    assert [str(address) for address in await rebinding(NAME)] == ["127.0.0.1"]
    again = make_client(good, networks="127.0.0.2/32", resolve=rebinding)
    with pytest.raises(NotPermitted):
        await again.request(get(good))
    assert trap.names == []


async def test_p7_a_literal_address_is_not_looked_up_and_checked_all_the_same(
    serve, make_client, resolver
):
    server = await serve(names=("127.0.0.1",))
    unasked = resolver(["8.8.8.8"])
    request = HttpRequest("GET", f"https://127.0.0.1:{server.port}/")

    closed = make_client(server, name="127.0.0.1", networks="", resolve=unasked)
    opened = make_client(server, name="127.0.0.1", resolve=unasked)

    with pytest.raises(NotPermitted):
        await closed.request(request)
    assert (await opened.request(request)).status == 200
    assert unasked.asked == []


async def test_a_certificate_of_another_name_is_refused(serve, make_client):
    other = await serve(names=("other.clinic.example",))
    right = await serve()

    with pytest.raises(Unreachable, match="TLS"):
        await make_client(other).request(get(other))

    assert other.received == []
    assert (await make_client(right).request(get(right))).status == 200


async def test_a_certificate_of_an_unknown_authority_is_refused(serve, make_client):
    server = await serve()

    with pytest.raises(Unreachable, match="TLS"):
        await make_client(server, tls=ssl.create_default_context()).request(get(server))

    assert server.received == []


async def test_the_next_address_is_tried_when_one_does_not_answer(serve, make_client, resolver):
    server = await serve()
    client = make_client(
        server, networks="127.0.0.0/8 ::1/128", resolve=resolver(["::1", "127.0.0.1"])
    )

    assert (await client.request(get(server))).status == 200


async def test_nobody_listening_is_told(serve, make_client):
    server = await serve()
    await server.stop()

    with pytest.raises(Unreachable, match=NAME):
        await make_client(server).request(get(server))


async def test_an_unknown_name_is_told(serve, make_client):
    server = await serve()

    async def unknown(name):
        raise OSError(-2, name)

    with pytest.raises(Unreachable, match="no server of the name"):
        await make_client(server, resolve=unknown).request(get(server))


async def test_p7_a_redirect_is_an_answer_and_not_followed(serve, make_client):
    trap = await serve()
    location = f"https://{NAME}:{trap.port}/inside"
    answer = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    server = await serve(answer.encode())

    response = await make_client(server).request(get(server))

    assert (response.status, response.headers["location"]) == (302, location)
    assert trap.names == []


@pytest.fixture
def proxied(monkeypatch):
    """Return a function that names a proxy as other programs would read it."""

    def use(port):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

    return use


async def test_p7_no_proxy_is_taken_from_the_environment(serve, make_client, proxied):
    proxy = await serve(plain=True)
    server = await serve()
    proxied(proxy.port)

    response = await make_client(server).request(get(server))

    assert response.status == 200
    assert proxy.names == []
    async with httpx.AsyncClient() as other:
        await other.get("http://anything.example/")
    assert len(proxy.received) == 1


async def test_no_session_key_is_written_down(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    server = await serve()
    open_policy = Policy.of(f"{NAME}:{server.port}", "127.0.0.0/8")

    async def here(_name):
        return (await look_up("127.0.0.1"))[:1]

    client = GuardedClient(open_policy, resolve=here)
    with pytest.raises(Unreachable):
        await client.request(get(server))

    assert not (tmp_path / "keys").exists()
    assert ssl.create_default_context().keylog_filename == str(tmp_path / "keys")


async def test_http_is_spoken_to_this_machine_when_it_is_named(serve):
    server = await serve(plain=True)
    client = GuardedClient(Policy.of(f"http://127.0.0.1:{server.port}"))

    response = await client.request(HttpRequest("GET", f"http://127.0.0.1:{server.port}/"))

    assert response.body == b"ok"
    with pytest.raises(NotPermitted):
        await GuardedClient(Policy.of("127.0.0.1")).request(
            HttpRequest("GET", f"http://127.0.0.1:{server.port}/")
        )


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET\r\nx: y", {}),
        ("get", {}),
        ("CONNECT", {}),
        ("TRACE", {}),
        ("GET", {"x": "a\r\ny: b"}),
        ("GET", {"x": "a\nb"}),
        ("GET", {"x": "\u00e9"}),
        ("GET", {"x y": "a"}),
        ("GET", {"x:": "a"}),
        ("GET", {"": "a"}),
        ("GET", {"Host": "evil.example"}),
        ("GET", {"Transfer-Encoding": "chunked"}),
        ("GET", {"content-length": "1"}),
    ],
)
async def test_p6_nothing_can_be_smuggled_into_a_request(serve, make_client, method, headers):
    server = await serve()

    with pytest.raises(NotPermitted):
        await make_client(server).request(
            HttpRequest(method, f"https://{NAME}:{server.port}/", headers)
        )

    assert server.names == []


async def test_an_error_tells_the_host_and_nothing_of_the_path(serve, make_client):
    server = await serve(b"")
    request = get(server, "/Patient/secret?token=secret", headers={"authorization": "secret"})
    other = HttpRequest("GET", "https://other.example/secret")

    errors = []
    for wrong in (request, other):
        with pytest.raises(EgressError) as caught:
            await make_client(server).request(wrong)
        errors.append(str(caught.value))

    assert all(errors)
    assert not any("secret" in text for text in errors)


async def test_the_systems_resolver_knows_this_machine():
    assert {str(address) for address in await look_up("localhost")} <= {"127.0.0.1", "::1"}
