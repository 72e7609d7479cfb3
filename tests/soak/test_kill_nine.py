"""Nothing that was acknowledged is lost by kill -9, and no transaction is half there."""

import asyncio
import random
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest

from polyclinic.base.config import Bounds, read, setting
from polyclinic.testing.ledger import Ledger, examine
from polyclinic.testing.writers import Writers

TARGETS = ("server", "backend", "postmaster", "cluster")
SHORT_ROUNDS = 4
CONTROL_ROUNDS = 12
SAMPLE = 300

AUDIT_GAPS = """
    select r.type, r.id, count(a.rid) from unnest($1::text[]) as wanted(id)
    join resource r on r.id = wanted.id
    left join audit a on a.rid = r.rid and a.version = 1 and a.action = 'C' and a.outcome = 0
    group by r.type, r.id having count(a.rid) <> 1
"""
AUDITED_WRITES = "select count(*) from audit where action in ('C', 'U') and outcome = 0"
WRITTEN = """
    select (select count(*) from resource where version > 0) + (select count(*) from version)
"""
NOT_FOUND_BY_ANY_SEARCH = """
    select r.type, r.id from resource r left join keys k on k.rid = r.rid
    where r.version > 0 and not r.deleted and k.rid is null
"""


@dataclass(frozen=True)
class SoakSettings:
    """How long the long test is."""

    soak_rounds: int = setting(
        50, "Rounds of writing and killing that the durability test runs.", bounds=Bounds(1, 10**6)
    )


class Soak:
    """A server under load that is killed and started again, round by round."""

    def __init__(self, installation, victims, rows):
        self.installation = installation
        self.victims = victims
        self.rows = rows
        self.random = random.Random(29)  # noqa: S311 - repeatable, not secret
        self.total = Ledger()
        installation.make_accounts()
        self.token = installation.token("doctor")
        self.server = installation.serve()

    def round(self, target):
        """Write, kill the target, bring everything back, and return what is wrong with it."""
        writers = Writers(self.server.port, self.token, self.random.getrandbits(60))
        sessions = []

        def strike():
            sessions.extend(self.victims.sessions())
            self.kill(target)

        ledger = asyncio.run(writers.run(self.random.uniform(0.4, 1.2), strike))
        self.recover(target)
        wait_until_ended(sessions if target != "backend" else [])
        findings = asyncio.run(examine(self.server.port, self.token, ledger))
        self.total.join(ledger)
        return findings

    def kill(self, target):
        match target:
            case "server":
                self.server.kill()
            case "backend":
                self.victims.backend(self.random.randrange(100))
            case "postmaster":
                self.victims.postmaster()
            case "cluster":
                self.victims.cluster()

    def recover(self, target):
        """Start what was killed; after a backend's end the server has to recover by itself."""
        if target == "backend":
            assert self.server.is_alive
            self.server.wait_ready()
            return
        self.server.stop()
        self.server = self.installation.serve()

    def sample(self):
        """Return some of what all rounds have acknowledged."""
        picked = self.random.sample(
            sorted(self.total.created), min(SAMPLE, len(self.total.created))
        )
        return Ledger({path: self.total.created[path] for path in picked})

    def examine_rows(self):
        """Check in the tables what no client sees."""
        ids = [path.partition("/")[2] for path in self.total.created]
        ((audited,),) = self.rows.ask(AUDITED_WRITES)
        ((written,),) = self.rows.ask(WRITTEN)
        assert self.rows.ask(AUDIT_GAPS, ids) == []
        assert audited >= self.total.acknowledged
        assert audited == written
        assert self.rows.ask(NOT_FOUND_BY_ANY_SEARCH) == []
        assert self.rows.counted() == self.rows.stored()


def wait_until_ended(pids):
    """Wait for the sessions of a killed server: one of them may be about to commit."""
    deadline = time.monotonic() + 30
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "a session outlives its server"
        time.sleep(0.02)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def soak(installation, victims, rows):
    soak = Soak(installation, victims, rows)
    yield soak
    soak.server.stop()


def run(soak, rounds):
    for number, target in enumerate(islice(cycle(TARGETS), rounds), 1):
        findings = soak.round(target)
        assert not findings.any, f"round {number}, {target} killed: {findings}"
        earlier = asyncio.run(examine(soak.server.port, soak.token, soak.sample()))
        assert not earlier.any, f"round {number}, {target} killed, older data: {earlier}"
    final = asyncio.run(examine(soak.server.port, soak.token, soak.total))
    assert not final.any
    soak.examine_rows()


@pytest.mark.timeout(180)
def test_a_round_of_each_kill_loses_nothing(soak):
    run(soak, SHORT_ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_many_rounds_of_kills_lose_nothing(soak):
    rounds = read(SoakSettings).soak_rounds

    run(soak, rounds)

    assert soak.total.acknowledged > 100 * rounds


@pytest.mark.timeout(300)
def test_the_same_harness_sees_a_loss_where_commits_do_not_wait(installation, victims, rows):
    """The control: without it, a harness that can see no loss would pass as well."""
    assert losses_without_waiting(installation, victims, rows, 1) > 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_same_harness_sees_many_losses_where_commits_do_not_wait(installation, victims, rows):
    assert losses_without_waiting(installation, victims, rows, 50) >= 50


def losses_without_waiting(installation, victims, rows, enough):
    """Return how many acknowledged writes are lost when commits return before they are on disk."""
    installation.database().release()
    with (installation.cluster / "postgresql.conf").open("a") as configuration:
        configuration.write("synchronous_commit = off\n")
    soak = Soak(installation, victims, rows)
    assert rows.ask("show synchronous_commit") == [("off",)]

    lost = 0
    for _ in range(CONTROL_ROUNDS):
        findings = soak.round("cluster")
        assert not findings.halved
        lost += len(findings.lost)
        if lost >= enough:
            break
    soak.server.stop()
    return lost
