"""Read one HTTP/1.1 answer within limits.

https://www.rfc-editor.org/rfc/rfc9112. An answer whose end cannot be told from a cut is refused:
its body must have a length or be chunked.
"""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from polyclinic.base.egress.errors import BadAnswer, TooLarge
from polyclinic.base.outbound import HttpResponse

_FIRST_FINAL: Final = 200
_WITHOUT_BODY: Final = (204, 304)


class AnswerReader:
    """Take the bytes of an answer until it is complete."""

    def __init__(self, method: str, *, header_bytes: int, body_bytes: int) -> None:
        self._method = method
        self._header_bytes = header_bytes
        self._body_bytes = body_bytes
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._received = 0
        self._status = 0
        self._fault: BadAnswer | TooLarge | None = None
        self._is_head_read = False
        self.is_complete = False

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raise ``BadAnswer`` or ``TooLarge``."""
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self.is_complete and self._fault is None:
                raise BadAnswer from None
        if self._fault is not None:
            raise self._fault
        # Chunk headers and trailers may not be longer than what they carry.
        if self._received - len(self._body) > self._header_bytes + len(self._body):
            message = "the other server's answer has more headers than this installation takes"
            raise TooLarge(message)

    def end(self) -> HttpResponse:
        """Return the answer. Raise ``BadAnswer`` when it was cut."""
        if not self.is_complete:
            message = "the other server ended the connection before its answer was complete"
            raise BadAnswer(message)
        return HttpResponse(self._status, self._headers, bytes(self._body))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are left out."""
        if self._is_head_read:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Look how the body ends."""
        if self._is_head_read:
            return
        self._status = self._parser.get_status_code()
        if self._status < _FIRST_FINAL:
            self._headers.clear()
            return
        self._is_head_read = True
        if self._method == "HEAD":
            self.is_complete = True
        elif self._status not in _WITHOUT_BODY and not self._is_framed():
            message = "the other server does not say where its answer ends"
            self._fault = BadAnswer(message)

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        if self.is_complete or self._fault is not None:
            return
        if len(self._body) + len(data) > self._body_bytes:
            self._fault = TooLarge()
            return
        self._body += data

    def on_message_complete(self) -> None:
        """Note the end, unless it was that of an interim answer."""
        self.is_complete = self.is_complete or self._is_head_read

    def _is_framed(self) -> bool:
        coding = self._headers.get("transfer-encoding", "").lower()
        return "content-length" in self._headers or coding.split(",")[-1].strip() == "chunked"
