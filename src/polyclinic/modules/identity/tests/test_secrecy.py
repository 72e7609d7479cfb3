"""No password and no secret lies in a table or a log."""

import logging
from io import StringIO

import pytest

from polyclinic.base import log
from polyclinic.base.db.connect import connected
from polyclinic.kernel.errors import Unauthenticated

PASSWORD = "correct horse battery staple"


@pytest.fixture
def written():
    """Log everything that any library says, as the server does, and return the text."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = StringIO()
    log.configure("debug", stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)


async def everything_in(database):
    """Return every row of every table as text, as the owner sees it."""
    async with connected(database.require_owner()) as owner:
        tables = await owner.fetch(
            "select tablename from pg_tables"
            " where schemaname = 'public' and tablename <> 'migration'"
        )
        rows = [
            await owner.fetch(f'select t::text from "{table["tablename"]}" t')  # noqa: S608
            for table in tables
        ]
    return "\n".join(row[0] for table in rows for row in table)


async def test_tables_hold_no_password_and_no_secret(database, identity, doctor, cookie, bearer):
    with pytest.raises(Unauthenticated):
        await identity.sign_in(doctor.name, "my other password", "192.0.2.77")

    text = await everything_in(database)

    secrets = [cookie[b"cookie"].partition(b"=")[2], bearer[b"authorization"].partition(b" ")[2]]
    assert "Dr. Ada Okafor" in text
    assert "$argon2id$" in text
    for secret in (PASSWORD, "my other password", "192.0.2.77", *(one.decode() for one in secrets)):
        assert secret not in text
        assert secret.encode().hex() not in text


async def test_logs_hold_no_password_and_no_secret(written, identity, doctor):
    secret, _ = await identity.sign_in(doctor.name, PASSWORD, "192.0.2.77")
    with pytest.raises(Unauthenticated):
        await identity.sign_in("Zuri Amani", "my other password", "192.0.2.77")
    await identity.sign_out(secret)
    log.failure("for the test", ValueError(PASSWORD))

    text = written.getvalue()

    assert "for the test" in text
    for hidden in (PASSWORD, "my other password", secret, "Zuri", "argon2id"):
        assert hidden not in text


def test_an_account_shows_no_hash(doctor):
    assert "argon2" not in repr(doctor.principal())
