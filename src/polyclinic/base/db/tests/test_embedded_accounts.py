import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from polyclinic.base.db.connect import inspect
from polyclinic.base.db.embedded.account import Account, serving_account
from polyclinic.base.db.embedded.programs import find_programs
from polyclinic.base.db.errors import DatabaseMisconfigured

USER = Path(__file__).with_name("server_user.py")
SOURCE = Path(__file__).parents[4]


def python_that_runs_as(account):
    """Return a Python of our release that the account may run and that finds our packages."""
    release = "python{}.{}".format(*sys.version_info)
    for path in (Path(sys.executable).resolve(), Path("/usr/bin") / release):
        if path.exists() and account.can_enter(path):
            return path
    return pytest.skip(f"the account may not run {release} here")


def copy_beside(programs, target):
    """Copy the programs as a wheel lies: the package and its libraries beside it."""
    package = programs.directory.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(programs.directory.parent, target / package.name / "pginstall18")
    shutil.copytree(libraries, target / libraries.name)
    return target / package.name / "pginstall18" / "bin"


@pytest.mark.usefixtures("as_root")
async def test_root_keeps_the_server_in_an_open_data_directory(server, options):
    assert server.place.root == options.data / "postgresql"
    assert server.place.cluster.stat().st_uid == serving_account().uid != 0
    assert server.place.secrets.stat().st_uid == 0


@pytest.mark.usefixtures("as_root")
async def test_root_s_server_lies_elsewhere_when_the_data_directory_is_closed(
    make_server, options, directory
):
    closed = directory / "home"
    closed.mkdir(mode=0o700)
    inside = replace(options, data=closed / "var")
    server = make_server(inside)
    server.start()

    assert server.place.root.parent == options.system
    assert (inside.data / "postgresql").resolve() == server.place.root
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (await inspect(server.app_url)).role == "app"


@pytest.mark.usefixtures("as_root")
def test_a_data_directory_that_was_deleted_does_not_come_back(make_server, options, directory):
    closed = directory / "home"
    closed.mkdir(mode=0o700)
    inside = replace(options, data=closed / "var")
    first = make_server(inside)
    first.start()
    first.release()
    shutil.rmtree(inside.data)

    second = make_server(inside)
    second.start()

    assert second.place.root != first.place.root


@pytest.mark.usefixtures("as_root")
def test_programs_that_the_account_cannot_read_are_copied_once_without_psql(directory):
    closed = directory / "home"
    closed.mkdir(mode=0o700)
    account = serving_account()
    hidden = copy_beside(find_programs(account), closed)

    found = find_programs(account, hidden, directory / "system")
    again = find_programs(account, hidden, directory / "system")

    assert found == again
    assert found.directory.is_relative_to(directory / "system")
    assert found.version.major == 18
    assert not [path for path in (directory / "system").rglob("*") if "psql" in path.name]
    assert not list((directory / "system").rglob("libreadline*"))


@pytest.mark.usefixtures("as_root")
def test_root_without_an_account_named_postgres_takes_nobody(monkeypatch):
    def getpwnam(name):
        if name == "postgres":
            raise KeyError
        return entry

    entry = pwd.getpwnam("nobody")
    monkeypatch.setattr("pwd.getpwnam", getpwnam)

    assert serving_account() == Account(entry.pw_uid, entry.pw_gid, is_dropped=True)


@pytest.mark.usefixtures("as_root")
def test_an_ordinary_user_runs_the_server_under_its_own_account(directory, options):
    account = serving_account()
    home = directory / "user"
    account.own_directory(home)

    user = subprocess.run(  # noqa: S603 - our own script
        [python_that_runs_as(account), USER, home / "var", options.system],
        **account.spawn_as,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
        cwd="/",
        env={"PYTHONPATH": f"{SOURCE}:{sysconfig.get_path('purelib')}"},
    )

    assert user.stdout.split()[1] == "True"
    assert (home / "var" / "postgresql" / "pg").stat().st_uid == account.uid


@pytest.mark.usefixtures("as_root")
def test_a_directory_of_another_account_is_refused(make_server, options):
    options.data.mkdir()
    (options.data / "postgresql").mkdir()
    (options.data / "postgresql" / "run").mkdir()
    os.chown(options.data / "postgresql" / "run", 1, 1)

    with pytest.raises(DatabaseMisconfigured, match="belongs to another account"):
        make_server().start()


def test_an_account_that_is_our_own_drops_nothing(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1234)

    assert serving_account().spawn_as == {}
