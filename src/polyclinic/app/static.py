"""The built user interface, from memory: only names that the build made can be asked for."""

import gzip
import mimetypes
import secrets
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_NONCE: Final = b"__CSP_NONCE__"
_COMPRESSED: Final = frozenset({".js", ".css", ".html", ".svg", ".json", ".map", ".webmanifest"})
_UNBUILT: Final = b"""<!doctype html><title>Polyclinic</title>
<p>The user interface is not built yet. Run: make setup</p>"""
_POLICY: Final = (
    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; "
    "style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; "
    "form-action 'self'"
)

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class File:
    """One file and how it is sent."""

    content_type: bytes
    plain: bytes
    compressed: bytes | None


class Interface:
    """The files of the user interface."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._files: dict[str, File] = {}
        root = root or files("polyclinic").joinpath("web", "static")
        if root.is_dir():
            self._add(root, "")

    def file(self, path: str) -> File | None:
        """Return the file at a path such as ``/assets/index-1a2b.js``."""
        return self._files.get(path)

    def page(self) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Return the one page that every screen starts from, with a fresh nonce."""
        nonce = secrets.token_urlsafe(16)
        index = self._files.get("/index.html")
        body = index.plain if index else _UNBUILT
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", _POLICY.format(nonce=nonce).encode()),
            (b"cache-control", b"no-store"),
        ]
        return body.replace(_NONCE, nonce.encode()), headers

    def _add(self, folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            path = f"{prefix}/{entry.name}"
            if entry.is_dir():
                self._add(entry, path)
            else:
                self._files[path] = _file(entry)


def _file(entry: Traversable) -> File:
    data = entry.read_bytes()
    kind = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in ("application/javascript", "application/json")
    suffix = "." + entry.name.rpartition(".")[2]
    return File(
        content_type=f"{kind}; charset=utf-8".encode() if text else kind.encode(),
        plain=data,
        compressed=gzip.compress(data, 9, mtime=0) if suffix in _COMPRESSED else None,
    )
