"""Objects in a bucket of an S3 service.

A small object is one PUT; a large one is a multipart upload, whose parts nobody sees before it is
completed. Both are read in ranges, so that memory and waiting stay bounded.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from polyclinic.base.blob.s3_answers import Element, parse
from polyclinic.base.blob.s3_requests import Bucket, Call
from polyclinic.base.blob.storage import Found, ObjectMissing, StorageFailed

PART_BYTES: Final = 8 * 1024 * 1024
RANGE_BYTES: Final = 4 * 1024 * 1024
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_OK: Final = 200
_NO_CONTENT: Final = 204
_PARTIAL: Final = 206
_MISSING: Final = 404


class S3:
    """Keep objects in a bucket, below the name of their place."""

    def __init__(self, bucket: Bucket, range_bytes: int = RANGE_BYTES) -> None:
        self._bucket = bucket
        self._range_bytes = range_bytes

    async def begin(self, place: str) -> "UploadDraft":
        """Begin an object; nothing is sent until there is enough for a part."""
        return UploadDraft(self._bucket, secrets.token_hex(16), place)

    async def read(self, place: str, name: str) -> AsyncGenerator[bytes, None]:
        """Yield an object in ranges."""
        start, size = 0, 1
        while start < size:
            end = start + self._range_bytes - 1
            asked = Call("GET", f"{place}/{name}", headers={"range": f"bytes={start}-{end}"})
            response = await self._bucket.call(asked, _PARTIAL, _MISSING)
            if response.status == _MISSING:
                raise ObjectMissing
            size = _whole_size(response.headers.get("content-range", ""), start, response.body)
            start += len(response.body)
            yield response.body

    async def delete(self, place: str, name: str) -> None:
        """Remove an object."""
        await self._bucket.call(Call("DELETE", f"{place}/{name}"), _NO_CONTENT, _OK, _MISSING)

    async def find(self, place: str) -> AsyncIterator[Found]:
        """Yield every object, a page after the other."""
        token = ""
        while True:
            query = [("list-type", "2"), ("prefix", f"{place}/")]
            query += [("continuation-token", token)] if token else []
            page = await self._ask(query)
            for entry in page.all("Contents"):
                name = entry.value("Key").rpartition("/")[2]
                yield Found(name, datetime.fromisoformat(entry.value("LastModified")))
            token = page.value("NextContinuationToken")
            if page.value("IsTruncated") != "true" or not token:
                return

    async def tidy(self, place: str, before: datetime) -> int:
        """Abort uploads that were begun before a moment and never completed."""
        page = await self._ask([("uploads", ""), ("prefix", f"{place}/")])
        old = [
            upload
            for upload in page.all("Upload")
            if datetime.fromisoformat(upload.value("Initiated")) < before
        ]
        for upload in old:
            await _abort(self._bucket, upload.value("Key"), upload.value("UploadId"))
        return len(old)

    async def _ask(self, query: list[tuple[str, str]]) -> Element:
        response = await self._bucket.call(Call("GET", query=query), _OK)
        return parse(response.body)


class UploadDraft:
    """An object that is being sent."""

    def __init__(self, bucket: Bucket, name: str, place: str) -> None:
        self.name = name
        self._bucket = bucket
        self._key = f"{place}/{name}"
        self._buffer = bytearray()
        self._upload = ""
        self._tags: list[str] = []

    async def append(self, data: bytes) -> None:
        """Keep the bytes, and send what is enough for a part."""
        self._buffer += data
        while len(self._buffer) > PART_BYTES:
            part = bytes(self._buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            await self._send(part)

    async def publish(self) -> None:
        """Send the rest and complete the upload."""
        if not self._upload:
            await self._bucket.call(Call("PUT", self._key, body=bytes(self._buffer)), _OK)
            return
        await self._send(bytes(self._buffer))
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in enumerate(self._tags, start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        call = Call("POST", self._key, [("uploadId", self._upload)], body=body)
        response = await self._bucket.call(call, _OK, _MISSING)
        if response.status == _MISSING:
            # A first attempt may have completed it without our getting its answer.
            await self._bucket.call(Call("HEAD", self._key), _OK)
        elif parse(response.body).name != "CompleteMultipartUploadResult":
            message = "the S3 service did not complete the upload"
            raise StorageFailed(message)

    async def discard(self) -> None:
        """Abort the upload; what fails here is left to ``tidy``."""
        self._buffer.clear()
        if self._upload:
            with suppress(StorageFailed):
                await _abort(self._bucket, self._key, self._upload)

    async def _send(self, part: bytes) -> None:
        if not self._upload:
            begun = await self._bucket.call(Call("POST", self._key, [("uploads", "")]), _OK)
            self._upload = parse(begun.body).value("UploadId")
        number = str(len(self._tags) + 1)
        query = [("partNumber", number), ("uploadId", self._upload)]
        response = await self._bucket.call(Call("PUT", self._key, query, body=part), _OK)
        self._tags.append(response.headers.get("etag", ""))


async def _abort(bucket: Bucket, key: str, upload: str) -> None:
    await bucket.call(Call("DELETE", key, [("uploadId", upload)]), _NO_CONTENT, _OK, _MISSING)


def _whole_size(content_range: str, start: int, body: bytes) -> int:
    """Return an object's size. Raise ``StorageFailed`` when the range is not the one asked for."""
    found = _CONTENT_RANGE.fullmatch(content_range)
    if (
        found is None
        or int(found[1]) != start
        or int(found[2]) - start + 1 != len(body)
        or not body
    ):
        message = "the S3 service's answer has another range than the one asked for"
        raise StorageFailed(message)
    return int(found[3])
