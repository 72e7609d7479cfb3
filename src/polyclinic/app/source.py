"""Resources in files: Bundles, single resources, NDJSON; plain, gzip or Zstandard; streamed."""

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec
import zstandard
from typing_extensions import override

from polyclinic.kernel.rest.entries import head
from polyclinic.kernel.rest.links import Links, Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LARGEST_LINE: Final = 64 * 1024 * 1024
_WINDOW: Final = 2**31
_CHUNK: Final = 16 * 1024
"""Bytes that are unpacked at once; a small frame can stand for much."""
_KINDS: Final = (".ndjson", ".jsonl", ".json")
_PACKINGS: Final = ("", ".gz", ".zst")
_LOADED: Final = ("transaction", "batch", "collection", "searchset", None)
_FIRST: Final = [
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "RelatedPerson",
    "Encounter",
    "Condition",
    "Device",
    "Medication",
    "MedicationRequest",
]
"""What others refer to goes first, so that a reference finds its target."""


class Unreadable(Exception):
    """A file cannot be read as what its name says; the text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """One resource as it stands in a file."""

    line: int
    """The line of an NDJSON file, the entry of a Bundle; from 1."""
    data: bytes
    id: str | None = None
    """The id to store it under, when it does not say so itself."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Items that are stored together or not at all: a Bundle, or lines."""

    items: list[Item]
    atomic: bool


class _LooseEntry(msgspec.Struct):
    """An entry of any Bundle; what is asked for it does not matter here."""

    resource: msgspec.Raw = msgspec.Raw()
    full_url: str | None = msgspec.field(default=None, name="fullUrl")


class _LooseBundle(msgspec.Struct):
    type: str | None = None
    entry: list[_LooseEntry] = msgspec.field(default_factory=list)


def find(paths: Iterable[Path]) -> list[Path]:
    """Return the files to load, what others refer to first.

    Raise ``Unreadable`` for a path that does not exist, has no known ending, or holds no files.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if _ending(file)]
            if not inside:
                message = f"{path} holds no file that ends in one of {', '.join(_KINDS)}"
                raise Unreadable(message)
            found.extend(inside)
        elif not path.exists():
            message = f"{path} does not exist"
            raise Unreadable(message)
        elif not _ending(path):
            endings = ", ".join(_KINDS)
            message = f"{path} does not end in one of {endings}, with .gz or .zst or without"
            raise Unreadable(message)
        else:
            found.append(path)
    return sorted(found, key=_rank)


def fingerprint(path: Path) -> bytes:
    """Return what tells a file from others and from its own changed self."""
    status = path.stat()
    return sha256(f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}".encode()).digest()


def units(path: Path, size: int, skip: int) -> Iterator[Unit]:
    """Yield a file's resources in parts of about ``size``, after its first ``skip`` lines.

    A Bundle is one part, whatever its size. Raise ``Unreadable`` when the file is damaged or cut.
    """
    try:
        with ExitStack() as stack:
            stream = _open(path, stack)
            if _ending(path) == ".json":
                yield from _json(stream)
            else:
                yield from _lines(stream, size, skip)
    except (OSError, EOFError, zstandard.ZstdError, gzip.BadGzipFile) as error:
        message = f"{path} is damaged or cut off ({type(error).__name__})"
        raise Unreadable(message) from error


def _open(path: Path, stack: ExitStack) -> IO[bytes]:
    file = stack.enter_context(path.open("rb"))
    if path.suffix == ".gz":
        return io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=file)), 256 * 1024)
    if path.suffix == ".zst":
        return io.BufferedReader(stack.enter_context(_Frames(file)), 256 * 1024)
    return file


class _Frames(io.RawIOBase):
    """Zstandard frames as one stream; zstandard's own reader takes a cut frame for a whole one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        self._read = b""
        self._waiting = memoryview(b"")

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer. Raise ``EOFError`` when the file ends within a frame."""
        while not self._waiting:
            self._read = self._read or self._file.read(_CHUNK)
            if not self._read:
                if not self._frame.eof:
                    raise EOFError
                return 0
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
            self._waiting = memoryview(self._frame.decompress(self._read))
            self._read = self._frame.unused_data
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._waiting))
        target[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size


def _lines(stream: IO[bytes], size: int, skip: int) -> Iterator[Unit]:
    items: list[Item] = []
    for number in range(1, 2**62):
        line = stream.readline(LARGEST_LINE + 1)
        if not line:
            break
        if len(line) > LARGEST_LINE:
            message = f"line {number} is longer than {LARGEST_LINE} bytes"
            raise Unreadable(message)
        if number <= skip or not line.strip():
            continue
        items.append(Item(number, line))
        if len(items) >= size:
            yield Unit(items, atomic=False)
            items = []
    if items:
        yield Unit(items, atomic=False)


def _json(stream: IO[bytes]) -> Iterator[Unit]:
    data = stream.read(8 * LARGEST_LINE)
    if head(data).resource_type == "Bundle":
        try:
            bundle = msgspec.json.decode(data, type=_LooseBundle)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            bundle = None
        if bundle and bundle.type in _LOADED:
            yield Unit(_items(bundle), atomic=True)
            return
    yield Unit([Item(1, data)], atomic=True)


def _items(bundle: "_LooseBundle") -> list[Item]:
    """Give what has a urn the id in it, so that a Bundle loaded twice is there once."""
    names: dict[bytes, Target] = {}
    for entry in bundle.entry:
        if bytes(entry.resource) and entry.full_url and entry.full_url.startswith("urn:"):
            found = head(entry.resource)
            identity = found.id or entry.full_url.rpartition(":")[2].lower()
            reference = f"{found.resource_type}/{identity}"
            names[entry.full_url.encode()] = Target(reference.encode())
    links = Links(names)
    return [_item(entry, at, links) for at, entry in enumerate(bundle.entry, 1)]


def _item(entry: "_LooseEntry", at: int, links: Links) -> Item:
    resource = bytes(entry.resource)
    if not resource:
        return Item(at, b"")
    named = links.targets.get((entry.full_url or "").encode())
    data, _ = links.rewritten(resource, head(resource).resource_type, None)
    return Item(at, data, named.reference.partition(b"/")[2].decode() if named else None)


def _ending(path: Path) -> str | None:
    name = path.name.lower()
    for packing in _PACKINGS:
        for kind in _KINDS:
            if name.endswith(kind + packing):
                return kind
    return None


def _rank(path: Path) -> tuple[int, str]:
    stem = path.name.partition(".")[0]
    return (_FIRST.index(stem) if stem in _FIRST else len(_FIRST), str(path))
