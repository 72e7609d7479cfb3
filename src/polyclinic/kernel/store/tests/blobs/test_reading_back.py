"""What is stored is read again, through whom it may be read, and lies nowhere in clear."""

import tracemalloc
from hashlib import sha256

import pytest

from polyclinic.base.blob.chunks import CHUNK_BYTES
from polyclinic.kernel.errors import Forbidden, NotFound

CONTENT = bytes(range(256)) * 4 * 1024
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7]
)
async def test_content_is_read_as_it_came(ward, size):
    name = await ward.attach(CONTENT[:size])

    content = await ward.blobs.open(ward.doctor, name, "DocumentReference", "of-a")
    chunks = [chunk async for chunk in content.chunks]

    assert b"".join(chunks) == CONTENT[:size]
    assert (content.size, content.content_type) == (size, "application/pdf")


async def test_an_upload_tells_its_size_and_hash(ward):
    uploaded = await ward.upload(CONTENT)

    assert (uploaded.size, uploaded.sha256) == (len(CONTENT), sha256(CONTENT).hexdigest())
    assert await ward.blobs.usage(ward.doctor) == len(CONTENT)


async def test_nothing_on_the_disk_or_in_the_table_tells_the_content(ward, owner):
    text = b"the patient's name is Rossi " * 100
    name = await ward.attach(text)
    digest = sha256(text)

    (file,) = ward.files()
    row = await owner.fetchrow("select * from blob where name = $1", bytes.fromhex(name))

    stored = file.read_bytes() + repr(dict(row)).encode() + str(file).encode()
    assert b"Rossi" not in stored
    for known in (digest.digest(), digest.hexdigest().encode(), digest.digest()[:8]):
        assert known not in stored
    assert name not in str(file)


async def test_equal_content_of_one_patient_is_kept_once(ward):
    first, second = await ward.upload(CONTENT), await ward.upload(CONTENT)
    other_patient = await ward.upload(CONTENT, "b")
    other_type = await ward.upload(CONTENT, kind="text/html")

    assert first.name == second.name
    assert len({first.name, other_patient.name, other_type.name}) == 3
    assert len(ward.files()) == 3
    assert await ward.blobs.usage(ward.doctor) == 3 * len(CONTENT)


async def test_memory_stays_bounded_whatever_the_size(ward):
    piece = CONTENT[: 64 * 1024]

    async def much():
        for number in range(512):
            yield number.to_bytes(4, "big") + piece

    tracemalloc.start()
    uploaded = await ward.upload(much())
    await ward.blobs.use(ward.doctor, uploaded.ticket, "DocumentReference", "of-a")
    content = await ward.blobs.open(ward.doctor, uploaded.name, "DocumentReference", "of-a")
    digest, size = sha256(), 0
    async for chunk in content.chunks:
        digest.update(chunk)
        size += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (size, digest.hexdigest()) == (uploaded.size, uploaded.sha256)
    assert uploaded.size > 32 * MEGABYTE
    assert peak < 4 * MEGABYTE


async def test_i1_a_patient_reads_its_own_and_nobody_elses(ward):
    own, others = await ward.attach(b"own", "a"), await ward.attach(b"other's", "b")
    patient = ward.clinic.principal("patient", patient="a")

    assert await ward.read(own, "of-a", by=patient) == b"own"
    for name, document in [(others, "of-b"), (others, "of-a"), (own, "of-b"), ("00" * 32, "of-a")]:
        with pytest.raises(NotFound):
            await ward.read(name, document, by=patient)


async def test_i7_knowing_a_name_is_not_enough(ward):
    name = await ward.attach(b"of a", "a")

    for document in ("of-b", "of-nobody", "none"):
        with pytest.raises(NotFound):
            await ward.read(name, document)
    for wrong in ("", "xyz", name[:-2], name.upper() + "00"):
        with pytest.raises(NotFound):
            await ward.read(wrong)
    assert await ward.read(name) == b"of a"


async def test_i7_one_patients_attachment_is_not_used_by_anothers_resource(ward):
    of_a, of_nobody = await ward.upload(b"of a", "a"), await ward.upload(b"shared", None)

    for document in ("of-b", "of-nobody"):
        with pytest.raises(NotFound):
            await ward.blobs.use(ward.doctor, of_a.ticket, "DocumentReference", document)
    await ward.blobs.use(ward.doctor, of_a.ticket, "DocumentReference", "of-a")
    for document in ("of-a", "of-b", "of-nobody"):
        await ward.blobs.use(ward.doctor, of_nobody.ticket, "DocumentReference", document)

    assert await ward.read(of_nobody.name, "of-b") == b"shared"


async def test_i7_a_ticket_is_of_who_uploaded_and_of_the_last_hour(ward, moving_clock):
    nurse = ward.clinic.principal("nurse")
    uploaded = await ward.upload(b"of the doctor")

    for wrong in ("", "x", uploaded.ticket[:-4], uploaded.ticket[4:]):
        with pytest.raises(NotFound):
            await ward.blobs.use(ward.doctor, wrong, "DocumentReference", "of-a")
    with pytest.raises(NotFound):
        await ward.blobs.use(nurse, uploaded.ticket, "DocumentReference", "of-a")
    moving_clock.advance(minutes=59)
    await ward.blobs.use(ward.doctor, uploaded.ticket, "DocumentReference", "of-a")
    moving_clock.advance(minutes=2)
    with pytest.raises(NotFound):
        await ward.blobs.use(ward.doctor, uploaded.ticket, "DocumentReference", "of-nobody")

    assert await ward.read(uploaded.name, by=nurse) == b"of the doctor"


async def test_i8_two_tenants_share_nothing(make_ward):
    here, there = await make_ward(), await make_ward()
    name, same = await here.attach(CONTENT), await there.upload(CONTENT)
    mine = await here.upload(b"mine")

    assert name != same.name
    assert not set(here.files()) & set(there.files())
    with pytest.raises(NotFound):
        await there.read(name)
    with pytest.raises(NotFound):
        await there.blobs.use(there.doctor, mine.ticket, "DocumentReference", "of-a")
    assert await here.read(name) == CONTENT
    assert await there.blobs.usage(there.doctor) == len(CONTENT)


async def test_who_may_not_upload_leaves_an_audit_row_and_nothing_else(ward, owner):
    patient = ward.clinic.principal("patient", patient="a")

    with pytest.raises(Forbidden):
        await ward.upload(b"x", by=patient)

    rows = await owner.fetch("select outcome from audit where account = $1", patient.account)
    assert [row["outcome"] for row in rows] == [8]
    assert ward.files() == []


async def test_who_may_not_change_a_resource_attaches_and_removes_nothing(ward):
    name = await ward.attach(b"of a")
    patient = ward.clinic.principal("patient", patient="a")
    ticket = (await ward.upload(b"another")).ticket

    with pytest.raises(Forbidden):
        await ward.blobs.use(patient, ticket, "DocumentReference", "of-a")
    with pytest.raises(Forbidden):
        await ward.blobs.release(patient, name, "DocumentReference", "of-a")

    assert await ward.read(name, by=patient) == b"of a"


async def test_a8_uploads_and_reads_have_their_audit_rows(ward, owner):
    uploader, reader = ward.clinic.principal("clinician"), ward.clinic.principal("nurse")
    name = await ward.attach(b"of a", by=uploader)
    await ward.read(name, by=reader)

    rows = await owner.fetch(
        "select account, action::text, patients from audit where account = any($1)"
        " and type = (select type from audit where account = $2 and action = 'C')",
        [uploader.account, reader.account],
        uploader.account,
    )

    patient = await owner.fetchval(
        "select rid from resource where tenant = $1 and id = 'a'", ward.clinic.tenant.number
    )
    found = {(row["account"], row["action"], tuple(row["patients"])) for row in rows}
    assert found == {(uploader.account, "C", (patient,)), (reader.account, "R", (patient,))}


@pytest.mark.parametrize("table", ["blob", "blob_use", "blob_usage"])
async def test_i8_without_the_context_of_its_tenant_a_statement_sees_no_row(make_ward, table):
    here, there = await make_ward(), await make_ward()
    await here.attach(b"of a", "a")
    pool = here.blobs._pool
    count = f"select count(*) from {table}"  # noqa: S608 - the names above

    assert await pool.within(here.clinic.tenant.number).fetchval(count) == 1
    assert await pool.within(there.clinic.tenant.number).fetchval(count) == 0
    assert await pool.fetchval(count) == 0


async def test_i1_in_the_context_of_one_patient_a_statement_sees_no_others(ward, owner):
    await ward.attach(b"of a", "a")
    await ward.attach(b"of b", "b")
    await ward.attach(b"of nobody", None)
    tenant = ward.clinic.tenant.number
    patients = await owner.fetch(
        "select distinct patient from blob where tenant = $1 and patient > 0", tenant
    )
    (one, _) = (row["patient"] for row in patients)

    seen = await ward.blobs._pool.within(tenant, [one]).fetch("select patient from blob")

    assert {row["patient"] for row in seen} == {one, 0}
