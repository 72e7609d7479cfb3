"""A small S3 service on this machine, which believes nobody: every signature is computed anew.

What it knows of S3 is what Polyclinic uses: PUT, GET with a range, HEAD and DELETE of an object,
multipart uploads, lists with pages. https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

import asyncio
import hmac
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5, sha256
from typing import Final
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from polyclinic.base.clock import Clock

BUCKET: Final = "clinic"
_REASONS: Final = {200: "OK", 204: "No Content", 206: "Partial Content"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """Return what stands after the bucket."""
        path = unquote(self.target.partition("?")[0])
        return path.removeprefix(f"/{BUCKET}").removeprefix("/")

    @property
    def query(self) -> dict[str, str]:
        """Return the query."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Upload:
    """A multipart upload that is not complete."""

    key: str
    begun: datetime
    parts: dict[int, bytes] = field(default_factory=dict)


class S3Service:
    """One bucket, its objects, and what was asked."""

    def __init__(self, access_key: str, secret_key: str, region: str, clock: Clock) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.uploads: dict[str, Upload] = {}
        self.asked: list[Asked] = []
        self.next_statuses: deque[int] = deque()
        """Answered in turn, before anything is done; 0 means that the request is served."""
        self.page_size = 1000
        self.port = 0
        self._keys = access_key, secret_key, region
        self._clock = clock

    @property
    def url(self) -> str:
        """Return the address of the bucket."""
        return f"http://127.0.0.1:{self.port}/{BUCKET}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["S3Service"]:
        """Serve for the length of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            answer = self._answer(asked)
            lines = {"content-length": str(len(answer.body)), **answer.headers}
            head = f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Other')}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            writer.write(f"{head}\r\n".encode())
            writer.write(b"" if asked.method == "HEAD" else answer.body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        status = self.next_statuses.popleft() if self.next_statuses else 0
        if status:
            return Answer(status)
        if not self._is_signed(asked):
            return Answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        if not asked.key:
            return self._uploads(asked) if "uploads" in asked.query else self._list(asked)
        handlers: dict[str, Callable[[Asked], Answer]] = {
            "DELETE": self._delete,
            "GET": self._get,
            "HEAD": self._get,
            "POST": self._post,
            "PUT": self._put,
        }
        return handlers[asked.method](asked)

    def _is_signed(self, asked: Asked) -> bool:
        """Follow the steps of the specification from the bytes that came."""
        access_key, secret_key, region = self._keys
        given = asked.headers.get("authorization", "")
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        if {"host", "x-amz-date", "x-amz-content-sha256"} - set(names):
            return False
        moment = asked.headers["x-amz-date"]
        content = sha256(asked.body).hexdigest()
        path, _, query = asked.target.partition("?")
        canonical = "\n".join([asked.method, path, "&".join(sorted(query.split("&")))])
        canonical += "\n" + "".join(f"{name}:{asked.headers[name]}\n" for name in names)
        canonical += f"\n{';'.join(names)}\n{content}"
        scope = f"{moment[:8]}/{region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = b"AWS4" + secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        is_recent = moment == self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        expected = (
            f"AWS4-HMAC-SHA256 Credential={access_key}/{scope},"
            f"SignedHeaders={';'.join(names)},Signature={signature}"
        )
        is_whole = asked.headers["x-amz-content-sha256"] == content
        return given == expected and is_whole and is_recent

    def _put(self, asked: Asked) -> Answer:
        tag = f'"{md5(asked.body, usedforsecurity=False).hexdigest()}"'
        if "uploadId" not in asked.query:
            self.objects[asked.key] = asked.body, self._clock.now()
            return Answer(200, headers={"etag": tag})
        upload = self.uploads.get(asked.query["uploadId"])
        if upload is None:
            return Answer(404)
        upload.parts[int(asked.query["partNumber"])] = asked.body
        return Answer(200, headers={"etag": tag})

    def _post(self, asked: Asked) -> Answer:
        if "uploads" in asked.query:
            number = secrets.token_urlsafe(12)
            self.uploads[number] = Upload(asked.key, self._clock.now())
            return Answer(
                200, _xml("InitiateMultipartUploadResult", f"<UploadId>{number}</UploadId>")
            )
        upload = self.uploads.pop(asked.query["uploadId"], None)
        if upload is None:
            return Answer(404)
        named = asked.body.decode().count("<PartNumber>")
        if named != len(upload.parts) or any(
            md5(part, usedforsecurity=False).hexdigest() not in asked.body.decode()
            for part in upload.parts.values()
        ):
            return Answer(200, _xml("Error", "<Code>InvalidPart</Code>"))
        whole = b"".join(upload.parts[number] for number in sorted(upload.parts))
        self.objects[asked.key] = whole, self._clock.now()
        return Answer(200, _xml("CompleteMultipartUploadResult", ""))

    def _get(self, asked: Asked) -> Answer:
        found = self.objects.get(asked.key)
        if found is None:
            return Answer(404)
        body = found[0]
        if "range" not in asked.headers:
            return Answer(200, body)
        first, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
        part = body[int(first) : int(last) + 1]
        where = f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
        return Answer(206, part, {"content-range": where})

    def _delete(self, asked: Asked) -> Answer:
        if "uploadId" in asked.query:
            self.uploads.pop(asked.query["uploadId"], None)
        else:
            self.objects.pop(asked.key, None)
        return Answer(204)

    def _list(self, asked: Asked) -> Answer:
        after = asked.query.get("continuation-token", "")
        prefix = asked.query["prefix"]
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        page, rest = keys[: self.page_size], keys[self.page_size :]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key>"
            f"<LastModified>{_instant(self.objects[key][1])}</LastModified></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        more = f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{token}"
        return Answer(200, _xml("ListBucketResult", entries + more))

    def _uploads(self, asked: Asked) -> Answer:
        entries = "".join(
            f"<Upload><Key>{escape(upload.key)}</Key><UploadId>{number}</UploadId>"
            f"<Initiated>{_instant(upload.begun)}</Initiated></Upload>"
            for number, upload in self.uploads.items()
            if upload.key.startswith(asked.query["prefix"])
        )
        return Answer(200, _xml("ListMultipartUploadsResult", entries))


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)


def _xml(name: str, inner: str) -> bytes:
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<?xml version="1.0"?><{name} xmlns="{namespace}">{inner}</{name}>'.encode()


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
