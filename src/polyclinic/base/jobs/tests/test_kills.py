import asyncio
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from polyclinic.base.jobs.run import JobKind
from polyclinic.base.jobs.worker import Worker

SCRIPT = Path(__file__).with_name("killed_worker.py")
spec = spec_from_file_location("killed_worker", SCRIPT)
assert spec
assert spec.loader
killed_worker = module_from_spec(spec)
spec.loader.exec_module(killed_worker)


@pytest.fixture
def run_again(queue, clock):
    """Return a function that runs what is due once the lease of a killed worker has ended."""

    async def run_again():
        clock.advance(seconds=31)
        worker = Worker(queue, [JobKind("note", killed_worker.handler_killed_at(None))], clock)
        # The server holds the dead client's transaction, and so its job, until it notices.
        for _ in range(100):
            if attempts := await worker.drain():
                return attempts
            await asyncio.sleep(0.05)
        return 0

    return run_again


@pytest.mark.parametrize("point", killed_worker.POINTS)
async def test_effects_of_a_job_whose_worker_is_killed_happen_once(
    point, queue_url, put, run_again, fetch
):
    await put()

    killed = await asyncio.create_subprocess_exec(sys.executable, SCRIPT, queue_url, point)

    assert await killed.wait() == -signal.SIGKILL
    assert await run_again() == 1
    assert await fetch("select entry from ledger order by entry") == [
        ("end",),
        ("first",),
        ("second",),
    ]
    assert await fetch("select state, attempts from job") == [("done", 2)]


async def test_the_control_without_a_kill_runs_in_one_attempt(put, run_again, fetch):
    await put()

    await run_again()

    assert await fetch("select state, attempts from job") == [("done", 1)]
