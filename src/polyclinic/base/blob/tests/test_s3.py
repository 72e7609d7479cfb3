"""Objects in an S3 service, over real sockets and through the guard."""

from dataclasses import replace

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.blob import LocalDisk, ObjectMissing, StorageFailed, blob_storage
from polyclinic.base.blob.s3 import PART_BYTES, S3
from polyclinic.base.blob.s3_answers import parse
from polyclinic.base.blob.s3_requests import Bucket
from polyclinic.base.blob.signature import Credentials
from polyclinic.base.config import SettingError
from polyclinic.base.egress import GuardedClient, Policy
from polyclinic.base.outbound import Disabled
from polyclinic.base.settings import Settings
from polyclinic.testing.s3 import S3Service

PLACE = "a1b2"
KEYS = ("clinic-key", "not a secret", "eu-south-1")
LARGE = bytes(range(256)) * (2 * PART_BYTES // 256) + b"end"


@pytest_asyncio.fixture(loop_scope="session")
async def service(clock):
    async with S3Service(*KEYS, clock).running() as running:
        yield running


@pytest.fixture
def make_storage(service, clock):
    def make(keys=KEYS, client=None, **more):
        access, secret, region = keys
        guarded = GuardedClient(Policy.of(f"http://127.0.0.1:{service.port}"))
        credentials = Credentials(access, secret, region)
        return S3(Bucket(client or guarded, service.url, credentials, clock), **more)

    return make


@pytest.fixture
def storage(make_storage):
    return make_storage()


async def write(storage, content, piece=1024 * 1024):
    draft = await storage.begin(PLACE)
    for start in range(0, len(content), piece):
        await draft.append(content[start : start + piece])
    await draft.publish()
    return draft.name


async def read(storage, name):
    return b"".join([part async for part in storage.read(PLACE, name)])


async def test_a_small_object_is_one_request_and_is_read_again(storage, service):
    name = await write(storage, b"sealed")

    assert await read(storage, name) == b"sealed"
    assert [asked.method for asked in service.asked] == ["PUT", "GET"]
    assert list(service.objects) == [f"{PLACE}/{name}"]


async def test_a_large_object_goes_in_parts_and_comes_in_ranges(storage, service):
    name = await write(storage, LARGE)

    assert await read(storage, name) == LARGE
    sent = [asked for asked in service.asked if asked.method == "PUT"]
    ranges = [asked.headers["range"] for asked in service.asked if asked.method == "GET"]
    assert [len(asked.body) for asked in sent] == [PART_BYTES, PART_BYTES, 3]
    assert len(ranges) == 5
    assert ranges[0] == "bytes=0-4194303"
    assert service.uploads == {}


async def test_a_large_object_is_seen_by_nobody_before_its_end(storage, service):
    draft = await storage.begin(PLACE)
    await draft.append(LARGE)

    assert service.objects == {}
    assert [found async for found in storage.find(PLACE)] == []
    await draft.publish()
    assert [found.name async for found in storage.find(PLACE)] == [draft.name]


async def test_a_discarded_upload_leaves_nothing(storage, service):
    draft = await storage.begin(PLACE)
    await draft.append(LARGE)

    await draft.discard()

    assert (service.objects, service.uploads) == ({}, {})


async def test_old_uploads_are_aborted_and_young_ones_kept(storage, service, clock):
    await (await storage.begin(PLACE)).append(LARGE)
    young = await storage.begin(PLACE)
    middle = clock.advance(hours=1)
    clock.advance(hours=1)
    await young.append(LARGE)

    assert await storage.tidy(PLACE, middle) == 1

    await young.publish()
    assert list(service.objects) == [f"{PLACE}/{young.name}"]


async def test_a_list_of_many_pages_is_read_to_its_end(storage, service, clock):
    service.page_size = 2
    service.objects = {f"{PLACE}/{n}": (b"x", clock.now()) for n in range(5)}
    service.objects["other/9"] = b"x", clock.now()

    found = [one async for one in storage.find(PLACE)]

    assert [one.name for one in found] == ["0", "1", "2", "3", "4"]
    assert {one.modified for one in found} == {clock.now()}


async def test_a_deleted_object_is_missing(storage):
    name = await write(storage, b"x")

    await storage.delete(PLACE, name)

    with pytest.raises(ObjectMissing):
        await read(storage, name)


@pytest.mark.parametrize(
    "keys",
    [("other", KEYS[1], KEYS[2]), (KEYS[0], "other", KEYS[2]), (KEYS[0], KEYS[1], "other")],
)
async def test_a_wrong_signature_is_refused_by_the_service(make_storage, service, keys):
    with pytest.raises(StorageFailed, match="403"):
        await write(make_storage(keys), b"x")

    assert service.objects == {}


async def test_a_passing_failure_is_tried_again(storage, service):
    service.next_statuses.extend([503, 500])
    name = await write(storage, b"x")
    service.next_statuses.extend([429])

    assert await read(storage, name) == b"x"
    assert len(service.asked) == 5


async def test_a_lasting_failure_is_told(storage, service):
    service.next_statuses.extend([503, 503, 503])

    with pytest.raises(StorageFailed, match="503"):
        await write(storage, b"x")

    assert len(service.asked) == 3


async def test_a_completion_whose_answer_was_lost_is_looked_up(storage, service):
    draft = await storage.begin(PLACE)
    await draft.append(LARGE)
    # The last part is served; the completion is done, and answered as if it had failed.
    service.next_statuses.extend([0, 0, 503])
    complete = service._post

    def done_twice(asked):
        complete(asked)
        return complete(asked)

    service._post = done_twice
    await draft.publish()

    assert service.objects[f"{PLACE}/{draft.name}"][0] == LARGE


async def test_an_upload_that_the_service_does_not_complete_fails(storage, service):
    draft = await storage.begin(PLACE)
    await draft.append(LARGE)
    (upload,) = service.uploads.values()
    upload.parts[1] = b"damaged"

    with pytest.raises(StorageFailed, match="did not complete"):
        await draft.publish()

    assert service.objects == {}


async def test_a_range_that_was_not_asked_for_is_refused(storage, service):
    name = await write(storage, b"sealed")
    original = service._get

    def shifted(asked):
        answer = original(asked)
        answer.headers["content-range"] = "bytes 1-6/9"
        return answer

    service._get = shifted

    with pytest.raises(StorageFailed, match="range"):
        await read(storage, name)


async def test_while_nothing_may_leave_nothing_is_stored(make_storage, service):
    with pytest.raises(StorageFailed, match="switched off"):
        await write(make_storage(client=Disabled()), b"x")
    other = GuardedClient(Policy.of("other.example"))
    with pytest.raises(StorageFailed, match="POLYCLINIC_EGRESS_ALLOW"):
        await write(make_storage(client=other), b"x")

    assert service.asked == []


async def test_a_service_that_is_away_is_told(clock, monkeypatch):
    monkeypatch.setattr("polyclinic.base.blob.s3_requests._FIRST_WAIT_SECONDS", 0.001)
    closed = Bucket(
        GuardedClient(Policy.of("http://127.0.0.1:1")),
        "http://127.0.0.1:1/clinic",
        Credentials(*KEYS),
        clock,
    )

    with pytest.raises(StorageFailed, match="cannot be reached"):
        await write(S3(closed), b"x")


async def test_a_range_is_no_longer_than_an_answer_may_be(service, clock):
    small = Settings(
        blob_s3_url=service.url,
        blob_s3_region=KEYS[2],
        blob_s3_access_key=KEYS[0],
        blob_s3_secret_key=KEYS[1],
        egress_allow=f"http://127.0.0.1:{service.port}",
        egress_max_answer=1024,
    )
    storage = blob_storage(small, clock)

    assert await read(storage, await write(storage, LARGE[:3000])) == LARGE[:3000]


async def test_the_settings_choose_the_storage(tmp_path, service, clock):
    chosen = Settings(
        blob_s3_url=service.url,
        blob_s3_region=KEYS[2],
        blob_s3_access_key=KEYS[0],
        blob_s3_secret_key=KEYS[1],
        egress_allow=f"http://127.0.0.1:{service.port}",
    )

    name = await write(blob_storage(chosen, clock), b"x")

    assert list(service.objects) == [f"{PLACE}/{name}"]
    assert isinstance(blob_storage(Settings(data=tmp_path), clock), LocalDisk)
    with pytest.raises(SettingError, match="ACCESS_KEY"):
        blob_storage(replace(chosen, blob_s3_access_key=None), clock)
    with pytest.raises(SettingError, match="BLOB_S3_URL"):
        blob_storage(replace(chosen, blob_s3_url="s3://bucket"), clock)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a>",
        b"not XML",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    ],
)
def test_p2_what_is_not_plain_xml_is_refused(document):
    with pytest.raises(StorageFailed):
        parse(document)


@given(st.binary(max_size=60))
def test_p2_any_bytes_are_read_or_refused(document):
    try:
        root = parse(b"<a>" + document + b"</a>")
    except StorageFailed:
        return
    assert root.name == "a"
