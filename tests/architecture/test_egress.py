"""Only ``base.egress`` opens connections to other servers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NETWORK = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "imaplib",
    "poplib",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc",
}
CALLS = {"create_connection", "create_datagram_endpoint", "getaddrinfo", "open_connection"}
CALLS |= {"sock_connect", "urlopen"}
# They listen, or look whether somebody listens.
LISTENERS = {"app/server.py", "app/doctor.py"}


def ways_out(source):
    """Yield the lines that import what connects, or connect."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            names = ["socket"] if called in CALLS else []
        if any(name == way or name.startswith(f"{way}.") for name in names for way in NETWORK):
            yield node.lineno


def is_checked(path):
    folder = path.parts[0]
    inside = folder == "testing" or path.parts[:2] == ("base", "egress") or "tests" in path.parts
    return not inside and path.as_posix() not in LISTENERS


def test_no_module_but_the_guard_can_connect_to_another_server():
    package = ROOT / "src" / "polyclinic"
    paths = [path.relative_to(package) for path in sorted(package.rglob("*.py"))]

    found = [
        f"{path}:{line} goes out; take the HttpClient of the services"
        for path in paths
        if is_checked(path)
        for line in ways_out((package / path).read_text())
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import ssl as s",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import http.client",
        "from http import client",
        "import httpx",
        "await asyncio.open_connection('a', 1)",
        "loop.create_connection(f, 'a', 1)",
    ],
)
def test_a_way_out_is_seen(source):
    assert list(ways_out(source)) == [1]


def test_what_does_not_connect_is_left_alone():
    assert not list(ways_out("import http\nfrom urllib.parse import quote\nimport asyncio"))
    assert is_checked(Path("modules/chart/service.py"))
    assert not is_checked(Path("base/egress/client.py"))
