"""The same attachments in an S3 service."""

import pytest
import pytest_asyncio

from polyclinic.base.blob.s3 import PART_BYTES
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.store.blob_content import AttachmentDamaged
from polyclinic.kernel.store.blobs import Swept, keeping
from polyclinic.testing.s3 import S3Service

KEYS = ("clinic-key", "not a secret", "eu-south-1")
LARGE = bytes(range(256)) * (PART_BYTES // 256) + b"end"


@pytest_asyncio.fixture(loop_scope="session")
async def service(moving_clock):
    async with S3Service(*KEYS, moving_clock).running() as running:
        yield running


@pytest.fixture
def remote(ward, service, moving_clock):
    """Return the ward, whose attachments lie in the service."""
    settings = Settings(
        blob_s3_url=service.url,
        blob_s3_access_key=KEYS[0],
        blob_s3_secret_key=KEYS[1],
        blob_s3_region=KEYS[2],
        egress_allow=f"http://127.0.0.1:{service.port}",
    )
    return ward.keeping(storage=keeping(settings, moving_clock).storage)


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "large"])
async def test_content_is_read_as_it_came(remote, service, content):
    name = await remote.attach(content)

    assert await remote.read(name) == content
    assert len(service.objects) == 1
    assert not any(content and content in stored for stored, _ in service.objects.values())
    assert remote.files() == []


async def test_what_nothing_uses_is_swept(remote, service, moving_clock):
    await remote.upload(b"unused")
    name = await remote.attach(b"used")
    place = next(iter(service.objects)).partition("/")[0]
    service.objects[f"{place}/{'f' * 32}"] = b"orphan", moving_clock.now()
    service.objects[f"{'0' * 32}/{'f' * 32}"] = b"of somebody else", moving_clock.now()
    draft = await remote.blobs._keeping.storage.begin(place)
    await draft.append(LARGE)

    assert await remote.blobs.sweep(remote.job) == Swept(0, 0, 0)
    moving_clock.advance(hours=2)
    assert await remote.blobs.sweep(remote.job) == Swept(1, 1, 1)

    assert len(service.objects) == 2
    assert service.uploads == {}
    assert await remote.read(name) == b"used"


async def test_a_service_that_fails_leaves_no_row_and_says_so(remote, service, owner):
    service.next_statuses.extend([500, 500, 500])

    with pytest.raises(Unavailable):
        await remote.upload(b"x")

    count = "select count(*) from blob where tenant = $1"
    assert await owner.fetchval(count, remote.clinic.tenant.number) == 0


async def test_r6_a_damaged_object_is_found(remote, service):
    name = await remote.attach(LARGE)
    ((key, (sound, at)),) = service.objects.items()
    service.objects[key] = sound[:-20] + bytes([sound[-20] ^ 1]) + sound[-19:], at

    with pytest.raises(AttachmentDamaged):
        await remote.read(name)
