"""A demonstration in processes of its own: started, used, ended in every way, started again."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from polyclinic.base.db.embedded.account import serving_account
from polyclinic.testing.installation import Installation, ServerProcess

pytestmark = pytest.mark.timeout(180)

SOURCE = Path(__file__).parents[3]
ACCOUNTS = ["doctor", "nurse", "frontdesk", "administrator", "patient"]


@pytest.fixture(scope="module")
def installation():
    """Yield an installation that every account may enter."""
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-demo-", dir="/tmp"))
    directory.chmod(0o755)
    made = Installation(directory)
    yield made
    made.end()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def running(installation):
    """Return the demonstration that runs, if any; it is ended in the end."""
    servers: list[ServerProcess] = []
    yield servers
    for server in servers:
        server.kill()
    installation.end()


@pytest.fixture
def demo(installation, running):
    """Return a running demonstration, a new one where a test has ended the last."""
    if not (running and running[-1].is_alive):
        installation.end()
        installation.log.unlink(missing_ok=True)
        running.append(installation._served("demo", "--size", 1))
    return running[-1]


def printed(installation):
    return installation.log.read_text()


def passwords(installation):
    """Return the passwords that were printed, by account."""
    rows = re.findall(rf"^  ({'|'.join(ACCOUNTS)}) +(\S+)$", printed(installation), re.MULTILINE)
    return dict(rows)


def browser(demo, cookies=None):
    """Return a browser's client of the running server."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{demo.port}",
        headers={"x-polyclinic-request": "1"},
        cookies=cookies,
        timeout=20,
    )


@contextmanager
def signed_in(demo, installation):
    """Lend the client of the doctor, who uses the password that was printed."""
    password = passwords(installation)["doctor"]
    with browser(demo) as client:
        answer = client.post("/auth/sign-in", json={"user": "doctor", "password": password})
        assert answer.json()["roles"] == ["clinician"]
        yield client


def left_over(installation):
    """Return what still runs of the installation."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(installation.data).encode() in words:
            found.append(words.replace(b"\0", b" "))
    return found


def until_nothing_is_left(installation, seconds=15.0):
    end = time.monotonic() + seconds
    while left_over(installation) and time.monotonic() < end:
        time.sleep(0.05)
    return left_over(installation)


def test_it_prints_its_address_and_accounts_and_no_log_lines(installation, demo):
    text = printed(installation)

    assert f"http://127.0.0.1:{demo.port}" in text
    assert list(passwords(installation)) == ACCOUNTS
    assert "POLYCLINIC_DATABASE_URL" in text
    assert not re.search(r"uvicorn|INFO|\{\"", text)


def test_a_printed_password_signs_in_and_reads_a_patient(installation, demo):
    with signed_in(demo, installation) as doctor, browser(demo) as nobody:
        bundle = doctor.get("/fhir/Patient?_count=1").json()
        refused = nobody.get("/fhir/Patient")

    assert bundle["entry"][0]["resource"]["resourceType"] == "Patient"
    assert refused.status_code == 401


def test_a_second_one_in_the_folder_says_so_and_leaves_the_first(installation, demo):
    second = installation.run("demo", "--port", 0)

    assert second.returncode == 1
    assert second.stderr.startswith("polyclinic: a demo is running in")
    assert second.stderr.count("\n") == 1
    with browser(demo) as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_server_and_the_database(installation, demo, number):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip(f"whoever started the tests lets nothing be ended by {number!r}")
    assert installation.postmaster() is not None

    os.kill(demo.pid, number)

    demo._process.wait(60)
    assert until_nothing_is_left(installation) == []
    assert "Traceback" not in printed(installation)


def test_after_kill_minus_9_everything_is_there(installation, demo):
    address = f"/fhir/Organization/kept-{demo.pid}"
    organization = {"resourceType": "Organization", "id": f"kept-{demo.pid}", "name": "x"}
    with signed_in(demo, installation) as doctor:
        written = doctor.put(address, json=organization)
        cookies = doctor.cookies

    os.kill(demo.pid, signal.SIGKILL)
    os.kill(installation.postmaster(), signal.SIGKILL)
    demo._process.wait(60)
    again = installation._served("demo")
    with browser(again, cookies) as doctor:
        kept = doctor.get(address)
    again.stop()

    assert (written.status_code, kept.status_code) == (201, 200)
    assert until_nothing_is_left(installation) == []


def test_workers_share_the_port_and_stop_together(installation, demo):
    demo.stop()
    installation.log.unlink(missing_ok=True)
    server = installation.serve("--workers", 2)

    with browser(server) as client:
        ready = client.get("/readyz").status_code
    server.stop()

    assert ready == 200
    assert until_nothing_is_left(installation) == []
    assert "Traceback" not in installation.last_words()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_it_works_as_an_ordinary_user():
    account = serving_account()
    python = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    if not (python.exists() and account.can_enter(SOURCE)):
        pytest.skip("there is no Python here that another account may run")
    home = Path(tempfile.mkdtemp(prefix="polyclinic-user-", dir="/tmp"))
    os.chown(home, account.uid, account.gid)
    environment = {
        "PYTHONPATH": f"{SOURCE}:{sysconfig.get_path('purelib')}",
        "POLYCLINIC_DATA": str(home / "var"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    file = home / "Patient.ndjson"
    file.write_text('{"resourceType":"Patient","id":"p"}\n')

    done = subprocess.run(  # noqa: S603 - our own program
        [python, "-m", "polyclinic.cli", "load", file],
        **account.spawn_as,
        env=environment,
        cwd=home,
        capture_output=True,
        check=False,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 created")
    assert (home / "var/postgresql/pg").stat().st_uid == account.uid
    assert (home / "var/keys/key-encryption-key").stat().st_mode & 0o777 == 0o400
    shutil.rmtree(home, ignore_errors=True)
