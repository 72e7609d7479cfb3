"""What leaves this machine: mail, text messages and HTTP requests.

Nothing leaves unless the owner switches it on; until then the senders are the ``Disabled`` one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol


class OutboundDisabled(Exception):
    """Sending is switched off; the owner of this installation can switch it on."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind}: {type(self).__doc__}")


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One mail in plain text."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """One text message to a number in international spelling, for example +390612345."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to somebody else's server."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What somebody else's server answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class MailSender(Protocol):
    """Hands mail to a mail server."""

    async def send(self, message: MailMessage) -> None:
        """Send one mail; raise when it was not accepted."""
        ...


class SmsSender(Protocol):
    """Hands text messages to a gateway."""

    async def send(self, message: SmsMessage) -> None:
        """Send one message; raise when it was not accepted."""
        ...


class HttpClient(Protocol):
    """Sends requests to other servers."""

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Send a request and return the answer, whatever its status."""
        ...


class Disabled:
    """Every sender until the owner switches one on."""

    async def send(self, message: MailMessage | SmsMessage) -> NoReturn:
        """Refuse with ``OutboundDisabled``."""
        raise OutboundDisabled(type(message).__name__)

    async def request(self, request: HttpRequest) -> NoReturn:
        """Refuse with ``OutboundDisabled``."""
        raise OutboundDisabled(type(request).__name__)
