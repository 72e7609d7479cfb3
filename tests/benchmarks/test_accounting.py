import os
import subprocess
import sys
import time

import pytest

from benchmarks.accounting import memory, own_seconds, tree_seconds

BURN = "import time\nwhile time.process_time() < 0.4: pass\n"
PARENT = f"""
import subprocess, sys
for _ in range(2):
    subprocess.run([sys.executable, "-c", {BURN!r}], check=True)
sys.stdout.write("burnt\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def parent():
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


def test_a_tree_s_time_holds_that_of_children_which_have_ended(parent):
    parent.stdout.readline()

    tree, own = tree_seconds(parent.pid), own_seconds(parent.pid)

    assert tree == pytest.approx(0.8 + own, abs=0.3)
    assert own < 0.4


def test_a_tree_s_time_never_falls_while_children_end(parent):
    readings = [tree_seconds(parent.pid)]
    while readings[-1] < 0.6:
        time.sleep(0.005)
        readings.append(tree_seconds(parent.pid))

    assert readings == sorted(readings)


def test_a_process_s_own_time_agrees_with_its_clock():
    before, clock = own_seconds(os.getpid()), time.process_time()
    while time.process_time() < clock + 0.3:
        pass
    after = own_seconds(os.getpid())

    assert after - before == pytest.approx(0.3, abs=0.05)


def test_a_process_that_has_ended_is_an_error():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    with pytest.raises(ProcessLookupError):
        tree_seconds(process.pid)


def test_a_process_has_at_most_as_much_memory_of_its_own_as_it_uses():
    used = memory(os.getpid())

    assert 5 < used.pss <= used.rss
