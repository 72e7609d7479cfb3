"""Who erases a patient's key erases the patient's attachments, in every copy of them."""

import shutil

import pytest

from polyclinic.kernel.errors import Erased
from polyclinic.kernel.store.blobs import Swept

ERASE = """
    update data_key k set wrapped = null, destroyed = $3 from resource r
    where k.tenant = $1 and r.tenant = $1 and k.patient = r.rid and r.id = $2
"""


@pytest.fixture
def erase(ward, owner, moving_clock):
    """Return a function that destroys a patient's key, as its owner may."""

    async def run(patient):
        tenant = ward.clinic.tenant.number
        done = await owner.execute(ERASE, tenant, patient, moving_clock.now())
        assert done == "UPDATE 1"

    return run


async def test_an_attachment_whose_patients_key_was_erased_cannot_be_read(ward, owner, erase):
    erased, kept, shared = (
        await ward.attach(b"of a", "a"),
        await ward.attach(b"of b", "b"),
        await ward.attach(b"of nobody", None),
    )
    assert await ward.read(erased) == b"of a"
    # The resource itself stays readable here, so that only the attachment's own key can refuse.
    await ward.clinic.put({"resourceType": "Basic", "id": "x", "code": {"text": "x"}})
    await owner.execute(
        "update blob_use u set rid = r.rid from resource r"
        " where r.tenant = u.tenant and r.id = 'x' and u.name = $1",
        bytes.fromhex(erased),
    )

    await erase("a")

    with pytest.raises(Erased):
        await ward.blobs.open(ward.doctor, erased, "Basic", "x")
    assert await ward.read(kept, "of-b") == b"of b"
    assert await ward.read(shared, "of-nobody") == b"of nobody"


async def test_an_older_copy_of_file_and_row_does_not_bring_it_back(ward, owner, erase, tmp_path):
    name = await ward.attach(b"of a", "a")
    await ward.clinic.put({"resourceType": "Basic", "id": "x", "code": {"text": "x"}})
    uploaded = await ward.upload(b"of a", "a")
    assert uploaded.name == name
    row = await owner.fetchrow("select * from blob where name = $1", bytes.fromhex(name))
    shutil.copytree(tmp_path / "blobs", tmp_path / "backup")
    await erase("a")
    await owner.execute("delete from blob_use where name = $1", bytes.fromhex(name))
    await owner.execute("delete from blob where name = $1", bytes.fromhex(name))
    shutil.rmtree(tmp_path / "blobs")

    shutil.copytree(tmp_path / "backup", tmp_path / "blobs")
    marks = ", ".join(f"${at}" for at in range(1, len(row) + 1))
    await owner.execute(
        f"insert into blob ({', '.join(row.keys())}) values ({marks})",  # noqa: S608 - its columns
        *row.values(),
    )
    await owner.execute(
        "insert into blob_use (tenant, name, rid, created)"
        " select tenant, $1, rid, last_updated from resource where tenant = $2 and id = 'x'",
        bytes.fromhex(name),
        ward.clinic.tenant.number,
    )

    with pytest.raises(Erased):
        await ward.blobs.open(ward.doctor, name, "Basic", "x")


async def test_nothing_more_is_stored_for_somebody_who_was_erased(ward, erase, moving_clock):
    await ward.upload(b"before", "a")
    await erase("a")

    with pytest.raises(Erased):
        await ward.upload(b"after", "a")
    with pytest.raises(Erased):
        await ward.upload(b"once more", "a")

    assert (await ward.upload(b"after", "b")).size == len(b"after")
    moving_clock.advance(hours=2)
    await ward.blobs.sweep(ward.job)
    assert ward.files() == []
    assert await ward.blobs.sweep(ward.job) == Swept(0, 0, 0)
