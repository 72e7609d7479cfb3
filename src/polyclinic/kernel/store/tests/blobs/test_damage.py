"""R6: what was changed on the disk or in the table is found before it is given out."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.base.blob.chunks import CHUNK_BYTES, HEADER_BYTES
from polyclinic.kernel.store.blob_content import AttachmentDamaged

CONTENT = bytes(range(256)) * (2 * CHUNK_BYTES // 256) + b"end"
FILE_BYTES = HEADER_BYTES + len(CONTENT) + 3 * 16
same_ward = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def given_out(ward, name, document="of-a"):
    """Return what a reader gets before the damage is found, and whether it is."""
    got = b""
    try:
        content = await ward.blobs.open(ward.doctor, name, "DocumentReference", document)
        async for chunk in content.chunks:
            got += chunk
    except AttachmentDamaged:
        return got, True
    return got, False


@same_ward
@given(at=st.integers(0, FILE_BYTES - 1), bit=st.integers(0, 7))
async def test_r6_a_flipped_bit_is_found_before_its_chunk_is_given_out(ward, at, bit):
    name = await ward.attach(CONTENT)
    (file,) = ward.files()
    sound = file.read_bytes()
    damaged = bytearray(sound)
    damaged[at] ^= 1 << bit

    file.write_bytes(damaged)
    got, found = await given_out(ward, name)
    file.write_bytes(sound)

    assert found
    assert CONTENT.startswith(got)
    assert len(got) <= max(0, at - HEADER_BYTES) // (CHUNK_BYTES + 16) * CHUNK_BYTES
    assert await ward.read(name) == CONTENT


@same_ward
@given(length=st.integers(0, FILE_BYTES - 1))
async def test_r6_a_file_that_was_cut_is_found(ward, length):
    name = await ward.attach(CONTENT)
    (file,) = ward.files()
    sound = file.read_bytes()

    file.write_bytes(sound[:length])
    got, found = await given_out(ward, name)
    file.write_bytes(sound)

    assert found
    assert got != CONTENT


async def test_r6_a_file_that_is_missing_is_told(ward):
    name = await ward.attach(CONTENT)
    (file,) = ward.files()
    file.unlink()

    assert await given_out(ward, name) == (b"", True)


async def test_r6_two_files_that_changed_places_are_found(ward):
    one, other = await ward.attach(b"one", "a"), await ward.attach(b"two", "b")
    first, second = ward.files()
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])

    assert await given_out(ward, one, "of-a") == (b"", True)
    assert await given_out(ward, other, "of-b") == (b"", True)


@pytest.mark.parametrize(
    "columns", [("object",), ("sealed_key",), ("object", "sealed_key"), ("size",)]
)
async def test_r6_a_row_with_parts_of_another_does_not_open(ward, owner, columns):
    mine, others = await ward.attach(b"mine", "a"), await ward.attach(b"the other's", "b")
    taken = await owner.fetchrow("select * from blob where name = $1", bytes.fromhex(others))
    await owner.execute("delete from blob_use where name = $1", bytes.fromhex(others))
    await owner.execute("delete from blob where name = $1", bytes.fromhex(others))
    changes = ", ".join(f"{column} = ${at}" for at, column in enumerate(columns, start=2))
    assert await ward.read(mine) == b"mine"

    await owner.execute(
        f"update blob set {changes} where name = $1",  # noqa: S608 - the names above
        bytes.fromhex(mine),
        *(taken[column] for column in columns),
    )

    assert await given_out(ward, mine) == (b"", True)


async def test_r6_content_that_is_not_what_the_name_says_is_found(ward, owner):
    """A whole row under another name: everything opens, and only the content tells."""
    mine, other = await ward.attach(b"mine", "a"), await ward.upload(b"forged", "a")
    forged = await owner.fetchrow("select * from blob where name = $1", bytes.fromhex(other.name))
    keys, tenant = ward.blobs._keys, ward.clinic.tenant.number
    patient = await owner.fetchval("select patient from blob where name = $1", bytes.fromhex(mine))
    key = await keys.open(
        tenant,
        forged["key_id"],
        forged["sealed_key"],
        context(ward, other.name, forged["object"]),
    )
    _, sealed = await keys.seal(tenant, patient, key, context(ward, mine, forged["object"]))
    await owner.execute("delete from blob where name = $1", bytes.fromhex(other.name))
    await owner.execute(
        "update blob set object = $2, sealed_key = $3, size = 6 where name = $1",
        bytes.fromhex(mine),
        forged["object"],
        sealed,
    )

    assert await given_out(ward, mine) == (b"", True)


def context(ward, name, stored):
    tenant = ward.clinic.tenant.number
    return b"attachment of tenant %d: %b %b" % (tenant, bytes.fromhex(name), stored.encode())


async def test_damage_is_logged_by_the_objects_name_only(ward, caplog):
    name = await ward.attach(CONTENT)
    (file,) = ward.files()
    file.write_bytes(b"")

    assert await given_out(ward, name) == (b"", True)

    (record,) = [one for one in caplog.records if one.getMessage() == "attachment.damaged"]
    assert record.polyclinic_fields == {"object": file.name}
