"""The default run opens no socket to anywhere but this machine (GDPR, article 25).

Two watchers: ``watch/sitecustomize.py`` inside every Python process, and the kernel's own tables of
sockets, read from outside, for PostgreSQL too.
"""

import re
import shutil
import tempfile
import time
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from polyclinic.testing.installation import Installation

pytestmark = pytest.mark.timeout(180)

WATCH = Path(__file__).parent / "watch"
PROC = Path("/proc")
_ESTABLISHED_OR_SENT = {"01", "02"}
_LOCAL_NAMES = {"localhost", "None"}


class WatchedInstallation(Installation):
    """Runs every command under the watcher."""

    def __init__(self, directory):
        super().__init__(directory)
        self.seen = directory / "seen"
        self.seen.touch()
        self.seen.chmod(0o666)
        self.planted = ""

    @override
    def environment(self):
        more = {"PYTHONPATH": str(WATCH), "WATCH_FILE": str(self.seen)}
        return super().environment() | more | {"WATCH_PLANT": self.planted}

    def processes(self):
        """Return the ids of the processes that have started under the watcher and still run."""
        lines = self.seen.read_text().splitlines()
        started = {int(line.split()[1]) for line in lines if line.startswith("started ")}
        return sorted(pid for pid in started if (PROC / str(pid)).exists())

    def taken(self):
        """Return every way that was taken, as what was called and where it leads."""
        lines = self.seen.read_text().splitlines()
        return [tuple(line.split(" ", 1)) for line in lines if not line.startswith("started ")]

    def peers(self):
        """Return the far ends of the connections that its processes and its database have."""
        roots = [*self.processes(), self.postmaster()]
        return {peer for pid in family(roots) for peer in peers_of(pid)}


def family(roots):
    """Return processes and all that descend from them."""
    parents = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            parents[int(entry.name)] = parent(entry)
    found = {pid for pid in roots if pid}
    while more := {pid for pid, above in parents.items() if above in found} - found:
        found |= more
    return found


def parent(entry):
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def peers_of(pid):
    """Return the addresses that a process's sockets are connected to or on the way to."""
    inodes = set()
    try:
        for link in (PROC / str(pid) / "fd").iterdir():
            inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
        tables = [
            (PROC / str(pid) / "net" / name).read_text() for name in ("tcp", "tcp6", "udp", "udp6")
        ]
    except OSError:
        return set()
    return {str(address) for table in tables for address in connected(table, inodes)}


def connected(table, inodes):
    """Yield the remote addresses of a table of /proc/net that belong to some sockets."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] in _ESTABLISHED_OR_SENT and fields[9] in inodes:
            yield address_of(fields[2].partition(":")[0])


def address_of(words):
    """Return an address that the kernel prints as 32-bit words in the machine's byte order."""
    raw = bytes.fromhex(words)
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    address = ip_address(turned)
    return getattr(address, "ipv4_mapped", None) or address


def leads_out(where):
    """Say whether a name or an address is anything but this machine."""
    try:
        address = ip_address(where)
    except ValueError:
        return where not in _LOCAL_NAMES
    return not (getattr(address, "ipv4_mapped", None) or address).is_loopback


@pytest.fixture
def installation():
    """Yield a watched installation that every account may enter; it is ended afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-watched-", dir="/tmp"))
    directory.chmod(0o755)
    made = WatchedInstallation(directory)
    yield made
    made.end()
    shutil.rmtree(directory, ignore_errors=True)


def use(installation, server):
    """Do what people and programs do, and return the far ends of all sockets meanwhile."""
    password = re.search(r"^  doctor +(\S+)$", installation.log.read_text(), re.MULTILINE)[1]
    address = f"http://127.0.0.1:{server.port}"
    token = {"authorization": f"Bearer {installation.token('doctor')}"}
    patient = {"resourceType": "Patient", "id": "p1", "photo": [{"url": "https://a.example/p"}]}
    with httpx.Client(base_url=address, headers={"x-polyclinic-request": "1"}, timeout=20) as page:
        answers = [
            page.get("/healthz"),
            page.get("/readyz"),
            page.get("/"),
            page.get("/fhir/metadata"),
            page.post("/auth/sign-in", json={"user": "doctor", "password": password}),
            page.get("/auth/session"),
            page.put("/fhir/Patient/p1", json=patient, headers=token),
            page.get("/fhir/Patient/p1", headers=token),
            page.get("/fhir/Patient?family=x&_count=5", headers=token),
            page.get("/fhir/Patient/p1/_history", headers=token),
        ]
        peers = installation.peers()
    assert {answer.status_code for answer in answers} <= {200, 201}
    return peers


def test_no_socket_leads_out_of_the_machine(installation):
    demo = installation._served("demo", "--size", 2)
    peers = use(installation, demo)
    peers |= until_quiet(installation)
    demo.stop()
    doctor = installation.run("doctor")

    taken = installation.taken()

    assert doctor.stdout
    assert len(installation.seen.read_text().split("started ")) > 3
    assert [way for way in taken if leads_out(way[1])] == []
    assert [peer for peer in peers if leads_out(peer)] == []
    assert peers  # our own client's connection, so the tables were read


def until_quiet(installation, seconds=3.0):
    """Return the far ends of what background jobs connect to in the first seconds."""
    peers, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        peers |= installation.peers()
        time.sleep(0.02)
    return peers


def test_the_watcher_sees_each_way_out(installation):
    installation.planted = "yes"
    server = installation.serve()
    server.stop()

    out = {way for way in installation.taken() if leads_out(way[1])}

    assert {
        ("socket.connect", "192.0.2.1"),
        ("uvloop.create_connection", "192.0.2.1"),
        ("uvloop.getaddrinfo", "telemetry.invalid"),
    } <= out


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0
   2: 0A00000A:C351 010200C0:01BB 02 00000000:00000000 00:00000000 00000000     0        0 13 1 0
   3: 0A00000A:C352 08080808:01BB 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0
"""


def test_the_kernels_table_is_read_for_the_sockets_of_a_process():
    peers = [str(address) for address in connected(TABLE, {"11", "12", "13"})]

    assert peers == ["127.0.0.1", "192.0.2.1"]
    assert [leads_out(peer) for peer in peers] == [False, True]


@pytest.mark.parametrize(
    ("words", "address", "out"),
    [
        ("0000000000000000FFFF00000100007F", "127.0.0.1", False),
        ("00000000000000000000000001000000", "::1", False),
        ("000080FE00000000000000000100000A", "fe80::a00:1", True),
    ],
)
def test_an_address_of_the_kernels_table_is_read(words, address, out):
    assert str(address_of(words)) == address
    assert leads_out(address) is out
