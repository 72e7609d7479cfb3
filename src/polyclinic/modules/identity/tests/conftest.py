"""Accounts of a clinic of one's own, in two processes."""

from datetime import timedelta

import pytest
import pytest_asyncio

from polyclinic.modules.identity.model import NewAccount
from polyclinic.modules.identity.passwords import Passwords
from polyclinic.modules.identity.repository import Accounts
from polyclinic.modules.identity.service import Identity
from polyclinic.modules.identity.settings import IdentitySettings

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def passwords():
    """Yield the threads that hash."""
    made = Passwords()
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def identity(pool, clinic, clock, passwords):
    """Return the accounts, as one process has them."""
    return Identity(Accounts(pool, clinic.tenant.number), passwords, clock, IdentitySettings())


@pytest_asyncio.fixture(loop_scope="session")
async def other(pool, clinic, clock, passwords):
    """Return the accounts as another process has them."""
    return Identity(Accounts(pool, clinic.tenant.number), passwords, clock, IdentitySettings())


@pytest.fixture(scope="session")
def password_hash(passwords):
    """Return the hash of the password; hashing takes a while on purpose."""
    return passwords._hasher.hash(PASSWORD)


@pytest_asyncio.fixture(loop_scope="session")
async def doctor(identity, password_hash):
    """Make an account."""
    new = NewAccount("doctor", "Dr. Ada Okafor", frozenset({"clinician"}), password_hash)
    return await identity.put_account(new)


@pytest_asyncio.fixture(loop_scope="session")
async def cookie(identity, doctor):
    """Return the headers that a browser sends after signing in."""
    secret = await identity._open(doctor, "browser", "test", timedelta(hours=12))
    return {b"cookie": f"polyclinic_session={secret}".encode(), b"x-polyclinic-request": b"1"}


@pytest_asyncio.fixture(loop_scope="session")
async def bearer(identity, doctor):
    """Return the headers of a client with a token."""
    return {b"authorization": f"Bearer {await identity.issue_token(doctor.name, 'test')}".encode()}
