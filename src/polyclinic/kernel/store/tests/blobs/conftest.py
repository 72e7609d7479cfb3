"""Attachments of a clinic, on a disk of the test's own."""

from contextlib import aclosing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.db.connect import connected
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.store import open_store
from polyclinic.kernel.store.blobs import Blobs, NewAttachment, _place
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.clock import FixedClock

DOCUMENT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "content": [{"attachment": {"contentType": "application/pdf"}}],
}


class Ward:
    """A clinic with two patients, a document each, and a clinician."""

    def __init__(self, clinic, blobs, root):
        self.clinic = clinic
        self.blobs = blobs
        self.root = root
        self.doctor = clinic.principal("clinician")
        self.job = clinic.principal("job")

    async def admit(self):
        for who in "ab":
            await self.clinic.put({"resourceType": "Patient", "id": who})
            subject = {"subject": {"reference": f"Patient/{who}"}}
            await self.clinic.put(DOCUMENT | {"id": f"of-{who}"} | subject)
        await self.clinic.put(DOCUMENT | {"id": "of-nobody"})
        return self

    async def upload(self, content, patient="a", *, by=None, kind="application/pdf"):
        pieces = content if hasattr(content, "__aiter__") else in_pieces(content)
        return await self.blobs.write(by or self.doctor, pieces, NewAttachment(kind, patient))

    async def attach(self, content, patient="a", *, by=None):
        """Upload, and have the patient's document use it; return the name."""
        uploaded = await self.upload(content, patient, by=by)
        document = f"of-{patient or 'nobody'}"
        await self.blobs.use(by or self.doctor, uploaded.ticket, "DocumentReference", document)
        return uploaded.name

    async def read(self, name, document="of-a", *, by=None):
        content = await self.blobs.open(by or self.doctor, name, "DocumentReference", document)
        async with aclosing(content.chunks) as chunks:
            return b"".join([chunk async for chunk in chunks])

    def files(self):
        """Return the objects and drafts of the clinic on the disk."""
        base = self.root / _place(self.clinic.tenant)
        return sorted(path for path in base.rglob("*") if path.is_file())

    def keeping(self, **change):
        """Return the same attachments, kept otherwise."""
        self.blobs = Blobs(
            self.blobs._pool,
            replace(self.blobs._keeping, **change),
            self.blobs._seams,
            self.blobs._clock,
        )
        return self


async def in_pieces(content, size=100_000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(postgres, database):
    """Yield a connection of the superuser, whom no policy of rows binds."""
    name = urlsplit(database.app_dsn).path[1:]
    async with connected(postgres.url(name)) as connection:
        yield connection


@pytest.fixture(scope="session")
def kek_bytes():
    """Return a key-encryption key that a test can hand to another process."""
    return new_key()


@pytest.fixture(scope="session")
def kek(kek_bytes):
    """Return the same key."""
    return KeyRing([Sealer(kek_bytes)])


@pytest.fixture
def moving_clock():
    """Return a clock that a test moves, at first where the disk's is."""
    return FixedClock(SystemClock().now())


@pytest_asyncio.fixture(loop_scope="session")
async def disk_store(database, tmp_path, moving_clock):
    """Yield a store whose data directory is the test's own."""
    ids = TimeOrderedIds(moving_clock)
    settings = Settings(data=tmp_path, pool_max=4)
    async with open_store(database.app_dsn, settings, clock=moving_clock, ids=ids) as opened:
        yield opened


@pytest.fixture
def make_ward(disk_store, kek, tmp_path):
    """Return a function that makes the wards of a new clinic."""
    numbers = iter(range(100))

    async def make():
        name = f"{tmp_path.name}-{next(numbers)}"
        clinic = Clinic(disk_store, await disk_store.open_tenant(name, kek))
        return await Ward(clinic, disk_store.blobs, tmp_path / "blobs").admit()

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def ward(make_ward):
    """Return a clinic that nobody has used."""
    return await make_ward()
