"""Files into the store: every form and packing, faults among good ones, twice, interrupted."""

import gzip
import json

import pytest
import zstandard

from polyclinic.app.loading import load
from polyclinic.app.source import Unreadable, find, fingerprint, units
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.search.query import parse_query

PATIENT_URN = "urn:uuid:3F6A1C1E-0C5F-4C27-9D0E-0D4B1F6F2A11"
CONDITION_URN = "urn:uuid:0b8e3f0a-0000-4000-8000-000000000001"


def patient(identity, **elements):
    return {"resourceType": "Patient", "id": identity, **elements}


def ndjson(*resources):
    return b"".join(
        one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in resources
    )


def bundle(*entries, kind="transaction"):
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)}).encode()


def with_urns(**condition):
    """Return a Bundle whose Condition refers to its Patient by urn."""
    return bundle(
        {
            "fullUrl": CONDITION_URN,
            "resource": condition
            | {"resourceType": "Condition", "subject": {"reference": PATIENT_URN}},
        },
        {"fullUrl": PATIENT_URN, "resource": {"resourceType": "Patient", "active": True}},
    )


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file."""

    def write(name, data):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def loaded(clinic):
    """Return a function that loads paths into the clinic."""

    async def run(*paths):
        return await load(clinic.store, clinic.principal("job"), paths, lambda *_: None)

    return run


@pytest.fixture
def stored(clinic):
    """Return a function that lists the ids of a type."""

    async def ids(resource_type="Patient"):
        query, _ = parse_query(resource_type, [("_count", "1000")], "")
        page = await clinic.store.search(clinic.principal("job"), query)
        return sorted(entry.id for entry in page.entries)

    return ids


def counts(report):
    return report.created, report.updated, report.unchanged, report.refused_count


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("ndjson", bytes),
        ("jsonl", bytes),
        ("NDJSON", bytes),
        ("ndjson.gz", gzip.compress),
        ("ndjson.zst", zstandard.compress),
        ("ndjson.gz", lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:])),
        ("ndjson.zst", lambda data: zstandard.compress(data[:40]) + zstandard.compress(data[40:])),
    ],
)
async def test_lines_are_read_in_every_packing(file, loaded, stored, ending, pack):
    path = file(f"Patient.{ending}", pack(ndjson(patient("a"), b"\n", patient("b"))))

    report = await loaded(path)

    assert counts(report) == (2, 0, 0, 0)
    assert await stored() == ["a", "b"]


async def test_a_last_line_without_a_line_feed_and_crlf_are_read(file, loaded, stored):
    data = ndjson(patient("a")).replace(b"\n", b"\r\n") + ndjson(patient("b")).rstrip()

    await loaded(file("Patient.ndjson", data))

    assert await stored() == ["a", "b"]


async def test_a_single_resource_is_a_file_too(file, loaded, stored):
    await loaded(file("one.json", json.dumps(patient("a"), indent=2).encode()))

    assert await stored() == ["a"]


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("json", bytes), ("json.gz", gzip.compress), ("json.zst", zstandard.compress)],
)
async def test_a_bundle_with_urns_is_stored_under_them(clinic, file, loaded, ending, pack):
    await loaded(file(f"bundle.{ending}", pack(with_urns())))

    condition, patient = (urn.rpartition(":")[2].lower() for urn in (CONDITION_URN, PATIENT_URN))
    job = clinic.principal("job")
    read = await clinic.store.read(job, "Condition", condition)
    assert json.loads(read.json())["subject"]["reference"] == f"Patient/{patient}"
    assert (await clinic.store.read(job, "Patient", patient)).version == 1


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset"])
async def test_a_bundle_of_resources_is_taken_apart(file, loaded, stored, kind):
    await loaded(file("bundle.json", bundle({"resource": patient("a")}, kind=kind)))

    assert (await stored(), await stored("Bundle")) == (["a"], [])


async def test_a_document_is_stored_as_it_is(file, loaded, stored):
    document = json.loads(bundle(kind="collection"))
    document |= {"id": "d", "type": "message"}
    del document["entry"]

    await loaded(file("bundle.json", json.dumps(document).encode()))

    assert await stored("Bundle") == ["d"]


async def test_a_fault_among_good_lines_is_named_and_the_others_are_stored(file, loaded, stored):
    broken = patient("b", gender="blue", birthDate="1980-13-01")
    path = file("Patient.ndjson", ndjson(patient("a"), broken, b"{oops\n", patient("c")))

    report = await loaded(path)

    assert counts(report) == (2, 0, 0, 2)
    assert [(one.file, one.line, one.expression) for one in report.refused] == [
        (path, 2, "Patient.gender"),
        (path, 2, "Patient.birthDate"),
        (path, 3, ""),
    ]
    assert all(one.reason for one in report.refused)
    assert "blue" not in str(report.refused)
    assert await stored() == ["a", "c"]


async def test_a_bundle_with_one_fault_stores_nothing(file, loaded, stored):
    data = bundle(
        {"resource": patient("a")},
        {"resource": patient("b", gender="blue")},
        {"resource": patient("c")},
    )

    report = await loaded(file("bundle.json", data))

    assert counts(report) == (0, 0, 0, 3)
    assert [(one.line, one.expression) for one in report.refused] == [(2, "Patient.gender")]
    assert await stored() == []


async def test_a_bundle_that_names_a_resource_twice_stores_nothing(file, loaded, stored):
    data = bundle({"resource": patient("a")}, {"resource": patient("a", active=True)})

    report = await loaded(file("bundle.json", data))

    assert counts(report) == (0, 0, 0, 2)
    assert await stored() == []


async def test_a_resource_with_too_many_values_hurts_no_other(file, loaded, stored):
    identifiers = [{"system": "urn:x", "value": str(number)} for number in range(50_001)]
    path = file(
        "Patient.ndjson", ndjson(patient("a"), patient("b", identifier=identifiers), patient("c"))
    )

    report = await loaded(path)

    assert counts(report) == (2, 0, 0, 1)
    assert [one.line for one in report.refused] == [2]
    assert await stored() == ["a", "c"]


async def test_an_entry_without_a_resource_is_refused(file, loaded, stored):
    report = await loaded(file("bundle.json", bundle({"fullUrl": "urn:x"})))

    assert counts(report) == (0, 0, 0, 1)
    assert await stored() == []


async def test_twice_is_once(file, loaded, clinic):
    paths = [file("Patient.ndjson", ndjson(patient("a"))), file("bundle.json", with_urns())]
    await loaded(*paths)

    again = await loaded(*paths)

    assert counts(again) == (0, 0, 3, 0)
    assert (await clinic.store.read(clinic.principal("job"), "Patient", "a")).version == 1


async def test_a_resource_twice_in_a_file_is_as_it_was_last(file, loaded, clinic):
    path = file("Patient.ndjson", ndjson(patient("a"), patient("b"), patient("a", active=True)))

    report = await loaded(path)

    read = await clinic.store.read(clinic.principal("job"), "Patient", "a")
    assert counts(report) == (2, 1, 0, 0)
    assert (read.version, json.loads(read.body)["active"]) == (2, True)


async def test_what_others_refer_to_is_loaded_first(file, tmp_path):
    for name in ("Observation", "Patient", "Organization", "Encounter", "bundle"):
        file(f"deep/er/{name}.ndjson", b"")

    found = [path.name.partition(".")[0] for path in find([tmp_path])]

    assert found == ["Organization", "Patient", "Encounter", "Observation", "bundle"]


@pytest.mark.parametrize("name", ["missing.ndjson", "notes.txt", "Patient.ndjson.bz2"])
def test_a_path_that_is_no_file_of_resources_is_named(file, tmp_path, name):
    path = tmp_path / name if name.startswith("missing") else file(name, b"")

    with pytest.raises(Unreadable, match=name):
        find([path])


def test_a_directory_without_resources_is_named(tmp_path):
    with pytest.raises(Unreadable, match="holds no"):
        find([tmp_path])


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
async def test_a_packed_file_that_is_cut_off_is_reported(file, loaded, ending, pack, share):
    packed = pack(ndjson(*(patient(f"p{number}") for number in range(900))))
    path = file(f"Patient.ndjson.{ending}", packed[: max(int(share * len(packed)), 5)])
    good = file(
        "Organization.ndjson", ndjson({"resourceType": "Organization", "id": "o", "name": "Clinic"})
    )

    report = await loaded(path, good)

    assert report.created >= 1
    assert [(one.file, one.line) for one in report.refused] == [(path, 0)]
    assert "damaged or cut off" in report.refused[0].reason


async def test_a_file_that_is_not_what_its_name_says_is_reported(file, loaded):
    report = await loaded(file("Patient.ndjson.gz", ndjson(patient("a"))))

    assert "damaged" in report.refused[0].reason


async def test_an_interrupted_load_goes_on_where_it_stopped(clinic, file, stored):
    path = file("Patient.ndjson", ndjson(*(patient(f"p{number:04}") for number in range(1000))))
    principal = clinic.principal("job")

    def interrupted(_path, report):
        if report.seen >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await load(clinic.store, principal, [path], interrupted)
    half = await clinic.store.progress(principal).lines(fingerprint(path))
    report = await load(clinic.store, principal, [path], lambda *_: None)

    assert half == 400
    assert report.seen == 600
    assert len(await stored()) == 1000
    assert await clinic.store.progress(principal).lines(fingerprint(path)) == 0


async def test_a_file_that_was_changed_is_loaded_from_its_start(clinic, file, loaded):
    path = file("Patient.ndjson", ndjson(patient("a")))
    principal = clinic.principal("job")
    await clinic.store.progress(principal).note(fingerprint(path), 1, finished=False)
    path.write_bytes(ndjson(patient("a", active=True), patient("b")))

    report = await loaded(path)

    assert report.seen == 2


def test_a_part_has_about_the_size_that_was_asked_for(file):
    path = file("Patient.ndjson", ndjson(*(patient(f"p{number}") for number in range(25))))

    parts = [[item.line for item in unit.items] for unit in units(path, 10, 3)]

    assert [len(part) for part in parts] == [10, 10, 2]
    assert (parts[0][0], parts[-1][-1]) == (4, 25)


async def test_nothing_is_loaded_for_whoever_may_not_write(clinic, file):
    path = file("Patient.ndjson", ndjson(patient("a")))

    with pytest.raises(Exception, match="does not allow"):
        await load(clinic.store, clinic.principal("administrator"), [path], lambda *_: None)
    with pytest.raises(NotFound):
        await clinic.store.read(clinic.principal("job"), "Patient", "a")
