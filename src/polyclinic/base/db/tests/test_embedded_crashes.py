import asyncio
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from polyclinic.base.db.connect import connected
from polyclinic.base.db.embedded.account import serving_account
from polyclinic.base.db.embedded.postmaster import is_postgres


def pid_of(process):
    return int(process.stdout.readline())


def end(process):
    process.stdin.close()
    return process.stdout.readline().strip()


def wait_until_gone(pid, cluster):
    deadline = time.monotonic() + 10
    while is_postgres(pid, cluster) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_six_processes_that_start_at_once_share_one_server(spawn_user, server):
    server.release()

    users = [spawn_user() for _ in range(6)]
    pids = {pid_of(user) for user in users}
    last = [end(user) for user in users]

    assert len(pids) == 1
    assert sorted(last) == ["False"] * 5 + ["True"]


def test_six_processes_share_one_first_start(spawn_user):
    users = [spawn_user() for _ in range(6)]

    assert len({pid_of(user) for user in users}) == 1


@pytest.mark.parametrize("seconds", [0.35, 0.45, 0.6, 0.8])
def test_a_first_start_that_is_killed_is_made_anew(spawn_user, make_server, seconds):
    killed = spawn_user()
    time.sleep(seconds)
    killed.kill()

    server = make_server()
    server.start()
    assert server.pid
    server.release()
    server = make_server()
    server.start()

    assert not list(server.place.root.glob("pg.init.*"))


def test_what_a_killed_first_start_left_is_removed(make_server, server):
    server.release()
    half_made = server.place.root / "pg.init.dead"
    shutil.copytree(server.place.cluster, half_made)
    (half_made / "global" / "pg_control").unlink()
    shutil.rmtree(server.place.cluster)

    again = make_server()
    again.start()

    assert again.pid
    assert not half_made.exists()


def test_a_server_whose_user_was_killed_is_joined_and_then_stopped(spawn_user, make_server):
    killed = spawn_user()
    pid = pid_of(killed)
    killed.kill()
    killed.wait()

    server = make_server()
    server.start()

    assert server.pid == pid
    assert server.release()
    assert not is_postgres(pid, server.place.cluster)


async def test_a_killed_server_recovers_with_a_client_connected(make_server, server, options):
    server.release()
    durable = replace(options, scratch=False)
    server = make_server(durable)
    server.start()
    async with connected(server.owner_url) as connection:
        await connection.execute("create table bed as select 7 as number")
        os.kill(server.pid, signal.SIGKILL)

        again = make_server(durable)
        await asyncio.to_thread(again.start)

        async with connected(again.owner_url) as other:
            assert await other.fetchval("select number from bed") == 7


def test_a_zombie_in_the_lock_file_does_not_stop_a_start(make_server, server):
    pid = crash(server)
    zombie = serving_account().spawn(["/bin/true"], subprocess.DEVNULL)
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    put_into_lock_file(server, zombie.pid)

    began = time.monotonic()
    again = make_server()
    again.start()

    assert again.pid not in {None, pid, zombie.pid}
    assert time.monotonic() - began < 5
    zombie.wait()


def test_somebody_else_s_process_in_the_lock_file_does_not_stop_a_start(make_server, server):
    crash(server)
    stranger = serving_account().spawn(["/bin/sleep", "60"], subprocess.DEVNULL)
    put_into_lock_file(server, stranger.pid)

    again = make_server()
    again.start()

    assert again.pid not in {None, stranger.pid}
    stranger.kill()
    stranger.wait()


def crash(server):
    """Kill the server and keep its lock file, as a power cut would."""
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid, server.place.cluster)
    return pid


def put_into_lock_file(server, pid):
    path = server.place.cluster / "postmaster.pid"
    _, _, rest = path.read_text().partition("\n")
    path.write_text(f"{pid}\n{rest}")
