"""An older copy of the database after somebody was erased: the erased stays erased."""

import pytest

from polyclinic.base.clock import SystemClock
from polyclinic.kernel.errors import Erased
from polyclinic.kernel.store import Change, HistoryQuery, KeyLost
from polyclinic.kernel.store.erasure import Eraser, Person
from polyclinic.kernel.store.key_export import NotImportable, export_keys, import_keys
from polyclinic.kernel.store.rotation import rotate
from polyclinic.kernel.types import from_json

TABLES = (
    "key_generation",
    "data_key",
    "resource",
    "version",
    "keys",
    "edge",
    "string_value",
    "date_value",
    "number_value",
    "type_count",
)


def patient(identity, **elements):
    return from_json({"resourceType": "Patient", "id": identity, **elements})


def group():
    members = [{"entity": {"reference": f"Patient/{one}"}} for one in ("a", "b")]
    return from_json(
        {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members}
    )


class Backup:
    """A copy of the tables as they were at a moment."""

    def __init__(self, connection):
        self._connection = connection

    async def take(self):
        """Copy the tables."""
        await self._connection.execute("create schema backup")
        for table in TABLES:
            await self._connection.execute(f"create table backup.{table} as table {table}")

    async def restore(self):
        """Let the tables be as they were, and no more than that."""
        for table in TABLES:
            await self._connection.execute(f"truncate {table}")
        for table in TABLES:
            await self._connection.execute(
                f"insert into {table} overriding system value table backup.{table}"
            )


@pytest.fixture
async def backup(installation, clinic, job):
    """Return a backup of a clinic with patients a and b, from before a was erased."""
    resources = [patient("a"), patient("b"), group()]
    await clinic.store.write_all(job, [Change(one.type, one.id, one) for one in resources])
    for identity in ("a", "b"):
        await clinic.store.update(job, patient(identity, active=True))
    taken = Backup(installation.everything)
    await taken.take()
    return taken


@pytest.fixture
async def exported(installation, clinic, job, backup):
    """Erase a, rotate, restore the backup; return the keys as they were exported in between."""
    eraser = Eraser(clinic.store, installation.owner, clinic.tenant, SystemClock())
    await eraser.erase(job, "a")
    await rotate(installation.owner, installation.file, SystemClock())
    data = await export_keys(installation.owner)
    await backup.restore()
    return data


async def imported(installation, data):
    return await import_keys(installation.owner, installation.file, data, SystemClock())


@pytest.mark.usefixtures("exported")
async def test_an_older_backup_is_refused_with_what_to_do(installation):
    with pytest.raises(KeyLost, match=r"run: polyclinic keys import FILE$") as refused:
        await installation.process()

    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("backup")
async def test_a_backup_is_accepted_where_nothing_was_erased(installation, backup, job):
    await backup.restore()

    clinic = await installation.process()

    assert (await clinic.store.read(job, "Patient", "a")).version == 2


async def test_the_keys_bring_back_everybody_but_the_erased(installation, exported, job):
    done = await imported(installation, exported)
    clinic = await installation.process()

    assert len(done.destroyed) == 1
    assert (await clinic.store.read(job, "Patient", "b")).version == 2
    assert (await clinic.store.vread(job, "Patient", "b", 1)).version == 1
    for read in (
        clinic.store.read(job, "Patient", "a"),
        clinic.store.vread(job, "Patient", "a", 1),
        clinic.store.vread(job, "Patient", "a", 2),
    ):
        with pytest.raises(Erased):
            await read


async def test_a_sweep_takes_the_erased_out_of_what_was_restored(installation, exported, job):
    ((_, rid),) = (await imported(installation, exported)).destroyed
    clinic = await installation.process()
    eraser = Eraser(clinic.store, installation.owner, clinic.tenant, SystemClock())

    await eraser.sweep(job, Person("a", rid))

    history = await clinic.store.history(job, HistoryQuery("Patient", "a"))
    assert {entry.body for entry in history.entries} == {b""}
    assert b"Patient/a" not in (await clinic.store.read(job, "Group", "g")).body
    assert (
        await installation.everything.fetchval("select count(*) from edge where dst = $1", rid) == 0
    )


async def test_no_key_of_the_erased_is_in_the_file_and_its_body_opens_under_no_other(
    installation, exported
):
    rows = await installation.everything.fetch(
        "select k.wrapped, k.kek from data_key k join resource r on r.rid = k.patient"
        " where r.id = 'a'"
    )
    held = {key.name for key in await installation.file.read()}

    assert [row["kek"] in held for row in rows] == [False]
    assert all(row["wrapped"] not in exported for row in rows)


async def test_a_second_import_changes_nothing(installation, exported):
    first = await imported(installation, exported)

    again = await imported(installation, exported)

    assert again == first


async def test_an_export_from_before_does_not_bring_the_erased_back(
    installation, clinic, job, backup
):
    del backup
    before = await export_keys(installation.owner)
    await Eraser(clinic.store, installation.owner, clinic.tenant, SystemClock()).erase(job, "a")

    await imported(installation, before)

    with pytest.raises(Erased):
        await (await installation.process()).store.vread(job, "Patient", "a", 1)


async def test_a_file_from_before_the_rotation_is_refused(installation, clinic, job, backup):
    del clinic, job, backup
    before = await export_keys(installation.owner)
    await rotate(installation.owner, installation.file, SystemClock())

    with pytest.raises(NotImportable, match="written after the last rotation"):
        await imported(installation, before)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-20], "not a file that"),
        (lambda data: data.replace(b'"patient",', b'"tenant",', 1), "another installation"),
        (lambda _: b"{}", "not a file that"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(installation, exported, damage, words):
    before = await export_keys(installation.owner)

    with pytest.raises(NotImportable, match=words):
        await imported(installation, damage(exported))

    assert await export_keys(installation.owner) == before
