"""The key file: whole, private, and with a key management service of no use alone."""

import asyncio
import json
import stat
from base64 import b64decode, b64encode

import pytest
from typing_extensions import override

from polyclinic.base.config import SettingError
from polyclinic.base.crypto import CannotOpen, Sealer, new_key
from polyclinic.base.egress import NotPermitted
from polyclinic.base.keys import KeyFile, KeyFileError, KeyRing, TransitKms, key_file, write_whole
from polyclinic.base.outbound import Disabled, HttpResponse
from polyclinic.base.settings import Settings
from polyclinic.testing.outbound import RecordedHttp

URL = "https://vault.example/v1/transit"
TOKEN = "s.0123456789"


class Vault(RecordedHttp):
    """A service that wraps by turning the bytes round, and knows its keys by name."""

    def __init__(self, *names):
        super().__init__()
        self._names = names

    @override
    async def request(self, request):
        await super().request(request)
        verb, name = request.url.removeprefix(f"{URL}/").split("/")
        if name not in self._names or request.headers["x-vault-token"] != TOKEN:
            return HttpResponse(403)
        asked = json.loads(request.body)
        if verb == "encrypt":
            turned = b64encode(b64decode(asked["plaintext"])[::-1]).decode()
            return answer({"ciphertext": f"vault:v1:{turned}"})
        back = b64decode(asked["ciphertext"].removeprefix("vault:v1:"))
        return answer({"plaintext": b64encode(back[::-1]).decode()})


def answer(data):
    return HttpResponse(200, {}, json.dumps({"data": data}).encode())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "kek"


@pytest.fixture
def kms():
    return TransitKms(Vault("clinic", "second"), f"{URL}/", "clinic", TOKEN)


def names(keys):
    return [key.name for key in keys]


async def test_a_first_key_is_made_once_and_only_its_owner_reads_it(path):
    first = await KeyFile(path).read(is_new=True)
    again = await KeyFile(path).read(is_new=True)

    assert names(first) == names(again)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert len(path.read_bytes()) == 32
    assert [entry.name for entry in path.parent.iterdir()] == ["kek"]


async def test_of_several_first_starts_one_makes_the_key(path):
    found = await asyncio.gather(*(KeyFile(path).read(is_new=True) for _ in range(8)))

    assert len({name for keys in found for name in names(keys)}) == 1


async def test_a_missing_file_of_an_installation_that_has_keys_is_not_made(path):
    with pytest.raises(KeyFileError, match="restore it from its backup"):
        await KeyFile(path).read()
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33), bytes(65)])
async def test_what_is_no_key_is_refused(path, content):
    write_whole_in_new_folder(path, content)

    with pytest.raises(KeyFileError, match="is not a key of 32 bytes"):
        await KeyFile(path).read()


async def test_a_file_that_others_may_read_is_refused(path):
    await KeyFile(path).read(is_new=True)
    path.chmod(0o440)

    with pytest.raises(KeyFileError, match="chmod 0400"):
        await KeyFile(path).read()


def write_whole_in_new_folder(path, content):
    path.parent.mkdir(parents=True)
    write_whole(path, content)


async def test_a_key_is_added_behind_the_others_and_one_is_kept(path):
    file = KeyFile(path)
    (old,) = await file.read(is_new=True)

    new = await file.add()
    both = await file.read()
    await file.keep(new.name)

    assert names(both) == [old.name, new.name]
    assert names(await file.read()) == [new.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


async def test_nothing_is_removed_when_what_shall_be_kept_is_not_there(path):
    file = KeyFile(path)
    before = names(await file.read(is_new=True))

    with pytest.raises(KeyFileError, match="does not hold the key"):
        await file.keep("another")

    assert names(await file.read()) == before


async def test_a_ring_finds_a_key_that_came_into_the_file_later(path):
    file = KeyFile(path)
    ring = KeyRing(await file.read(is_new=True), file)
    new = await KeyFile(path).add()

    found = await ring.find(new.name)

    assert found is not None
    assert found.open(new.seal(b"x", b"y"), b"y") == b"x"
    assert await ring.find("nobody's") is None


async def test_a_ring_without_a_file_knows_what_it_was_given():
    ring = KeyRing([Sealer(new_key())])

    assert await ring.find(ring.first.name) is ring.first
    assert await ring.find("another") is None


async def test_a_file_is_not_read_again_when_it_is_as_it_was(path):
    file = KeyFile(path)
    await file.read(is_new=True)

    assert await file.changed() is None
    await KeyFile(path).add()
    assert len(await file.changed() or ()) == 2


async def test_a_wrapped_file_has_nothing_of_the_key_and_opens_with_the_service(path, kms):
    (key,) = await KeyFile(path, kms).read(is_new=True)
    (again,) = await KeyFile(path, kms).read()

    content = path.read_bytes()
    assert key.name == again.name
    assert content.startswith(b"polyclinic key-encryption keys, wrapped\nclinic vault:v1:")
    with pytest.raises(KeyFileError, match="set POLYCLINIC_KMS_URL"):
        await KeyFile(path).read()


async def test_a_plain_file_becomes_a_wrapped_one_with_the_next_key(path, kms):
    (old,) = await KeyFile(path).read(is_new=True)
    file = KeyFile(path, kms)

    new = await file.add()
    both = names(await file.read())
    await file.keep(new.name)

    assert both == [old.name, new.name]
    assert names(await file.read()) == [new.name]
    assert b"plain" not in path.read_bytes()


async def test_a_key_of_the_service_with_another_name_still_opens_what_it_wrapped(path, kms):
    (old,) = await KeyFile(path, kms).read(is_new=True)
    file = KeyFile(path, TransitKms(Vault("clinic", "second"), URL, "second", TOKEN))

    new = await file.add()

    assert names(await file.read()) == [old.name, new.name]
    assert [line.split()[0] for line in path.read_text().splitlines()[1:]] == ["clinic", "second"]


class Broken(RecordedHttp):
    """A service that answers with what it was given, or not at all."""

    def __init__(self, response):
        super().__init__()
        self._response = response

    @override
    async def request(self, request):
        await super().request(request)
        if isinstance(self._response, Exception):
            raise self._response
        return self._response


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (HttpResponse(403), "it answered 403"),
        (HttpResponse(200, {}, b"hello"), "its answer has no"),
        (HttpResponse(200, {}, b'{"data":[]}'), "its answer has no"),
        (answer({"ciphertext": "two words", "plaintext": "%"}), "what it answered is no"),
        (NotPermitted(), "POLYCLINIC_EGRESS_ALLOW"),
    ],
)
async def test_a_service_that_does_not_do_it_is_one_line_without_its_token(path, response, words):
    file = KeyFile(path, TransitKms(Broken(response), URL, "clinic", TOKEN))

    with pytest.raises(KeyFileError, match=words) as refused:
        await file.read(is_new=True)

    assert "\n" not in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert not path.exists()


async def test_a_service_that_unwraps_to_something_else_is_refused(path, kms):
    await KeyFile(path, kms).read(is_new=True)
    other = Broken(answer({"plaintext": b64encode(bytes(16)).decode()}))

    with pytest.raises(KeyFileError, match="not a key of 32 bytes"):
        await KeyFile(path, TransitKms(other, URL, "clinic", TOKEN)).read()


async def test_a_switched_off_way_out_is_told(path):
    with pytest.raises(KeyFileError, match="switched off"):
        await KeyFile(path, TransitKms(Disabled(), URL, "clinic", TOKEN)).read(is_new=True)


async def test_the_settings_choose_the_service(tmp_path):
    settings = Settings(data=tmp_path, kms_url=URL, kms_key="clinic", kms_token=TOKEN)
    vault = Vault("clinic")

    await key_file(settings, vault).read(is_new=True)

    assert [request.url for request in vault.requests] == [
        f"{URL}/encrypt/clinic",
        f"{URL}/decrypt/clinic",
    ]


@pytest.mark.parametrize("missing", [{"kms_key": None}, {"kms_token": None}, {"kms_key": "a b"}])
def test_half_of_a_service_is_refused(tmp_path, missing):
    given = {"kms_url": URL, "kms_key": "clinic", "kms_token": TOKEN} | missing

    with pytest.raises(SettingError, match="POLYCLINIC_KMS_KEY"):
        key_file(Settings(data=tmp_path, **given))


def test_what_was_sealed_opens_under_the_same_key_and_context_only():
    sealer, other = Sealer(new_key()), Sealer(new_key())
    sealed = sealer.seal(b"secret", b"here")

    assert sealer.open(sealed, b"here") == b"secret"
    for key, context in ((other, b"here"), (sealer, b"there")):
        with pytest.raises(CannotOpen):
            key.open(sealed, context)
