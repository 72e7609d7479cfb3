"""The whole application over HTTP: who is let in, what is sent, and with which headers."""

import re
from dataclasses import replace

import pytest

from polyclinic.app.modules import MODULES
from polyclinic.app.static import Interface
from polyclinic.kernel.rest.interactions import INTERACTIONS

OPEN = {"/healthz", "/readyz", "/fhir/metadata", "/auth/sign-in"}
SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
VALUES = {"type": "Patient", "id": "p", "vid": "1"}


def closed_addresses():
    """Return method and path of everything that the registries name and nobody may use."""
    for interaction in INTERACTIONS:
        path = "/".join(VALUES.get(part, part) for part in interaction.shape)
        yield interaction.method, f"/fhir/{path}".rstrip("/")
    for module in MODULES:
        for route in module.routes:
            if not route.public:
                yield route.method, route.path


@pytest.mark.parametrize(("method", "path"), sorted(set(closed_addresses())))
async def test_nothing_is_answered_to_nobody(nobody, method, path):
    answer = await nobody.request(method, path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["issue"][0]["code"] == "login"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/fhir", "/fhir/", "/fhir/Nonsense", "/fhir/Patient/$everything"])
async def test_not_even_what_does_not_exist_below_the_base(nobody, method, path):
    assert (await nobody.request(method, path)).status_code == 401


def test_only_signing_in_is_public():
    public = {route.path for module in MODULES for route in module.routes if route.public}

    assert public == {"/auth/sign-in"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/fhir/metadata"])
async def test_what_is_open_answers_nobody(nobody, path):
    assert (await nobody.get(path)).status_code == 200


async def test_with_a_token_the_base_answers(nobody, token):
    answer = await nobody.get("/fhir/Patient", headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/chart/1", "/healthz", "/fhir/metadata", "/fhir/Patient", "/auth/session", "/assets/x"],
)
async def test_every_answer_has_the_security_headers(nobody, path):
    headers = (await nobody.get(path)).headers

    assert {name: headers.get(name) for name in SECURITY} == SECURITY


@pytest.mark.parametrize("path", ["/fhirPatient", "/fhir-metadata", "/fhirmetadata"])
async def test_what_only_begins_like_the_base_is_a_page(nobody, path):
    answer = await nobody.get(path)

    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/", "/patients", "/chart/a-b/labs", "/index.html"])
async def test_every_screen_starts_from_the_same_page(nobody, path):
    answer = await nobody.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_each_page_has_a_nonce_of_its_own_and_the_policy_names_it(nobody):
    pages = [await nobody.get("/") for _ in range(2)]

    policies = [page.headers["content-security-policy"] for page in pages]
    nonces = re.findall(r"script-src 'nonce-([\w-]{20,})'", " ".join(policies))
    assert len(set(nonces)) == 2
    assert all("__CSP_NONCE__" not in page.text for page in pages)


def test_the_nonce_stands_wherever_the_build_left_its_place(tmp_path):
    (tmp_path / "index.html").write_text('<script nonce="__CSP_NONCE__">1</script>__CSP_NONCE__')

    body, headers = Interface(tmp_path).page()

    policy = dict(headers)[b"content-security-policy"].decode()
    (nonce,) = set(re.findall(r"'nonce-([\w-]+)'", policy))
    assert body.decode() == f'<script nonce="{nonce}">1</script>{nonce}'


@pytest.mark.parametrize("word", ["unsafe-inline", "unsafe-eval", "http:", "*"])
async def test_the_policy_allows_nothing_loose(nobody, word):
    policy = (await nobody.get("/")).headers["content-security-policy"]

    assert word not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing.js",
        "/assets/",
        "/assets/../index.html",
        "/assets/..%2f..%2fsettings.py",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/....//....//etc/passwd",
        "/assets/\\..\\..\\etc\\passwd",
        "/assets/%00",
    ],
)
async def test_an_asset_that_the_build_did_not_make_is_404(application, path):
    status, body = await raw(application, path)

    assert status in (200, 404)
    assert b"root:" not in body
    assert b"import " not in body
    assert status == 404 or b"<!doctype html>" in body.lower()


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/app/http.py"]
)
async def test_no_path_leads_out_of_the_build(application, path):
    status, body = await raw(application, path)

    assert (status, b"root:" in body) == (200, False)
    assert b"<!doctype html>" in body.lower()


async def raw(application, path):
    """Ask for a path just as it stands; a client library would tidy it up."""
    messages = []

    async def send(message):
        messages.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await application(scope, receive, send)
    return messages[0]["status"], messages[1]["body"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_page_is_only_read(nobody, method):
    answer = await nobody.request(method, "/patients")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_an_asset_is_kept_for_a_year_and_packed(tmp_path, application, monkeypatch, connect):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1a2b.js").write_text("let words = 1;" * 500)
    monkeypatch.setattr(application, "_interface", Interface(tmp_path))

    async with connect(application) as client:
        answer = await client.get("/assets/index-1a2b.js")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.startswith("let words")


async def test_a_route_that_breaks_tells_nobody_its_words(started, connect, caplog):
    async def broken(_services, _request):
        message = "Zuri Amani cannot be found"
        raise RuntimeError(message)

    identity = MODULES[0]
    routes = (replace(identity.routes[0], path="/broken", handler=broken),)
    module = replace(identity, routes=routes)
    async with started([module]) as application, connect(application) as client:
        answer = await client.post("/broken")

    assert answer.status_code == 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "Zuri" not in answer.text + caplog.text
    assert answer.headers["x-frame-options"] == "DENY"
