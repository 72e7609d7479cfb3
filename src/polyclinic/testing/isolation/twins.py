"""Two worlds that are asked the same, and what tells their answers apart."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from polyclinic.testing.clock import FixedClock
from polyclinic.testing.isolation.calls import Application, Call, Reply, send
from polyclinic.testing.isolation.statements import Work, counted

_PAGES: Final = 4
"""Pages of one answer that are followed at most."""
_TOKEN: Final = re.compile(rb"(_after=)([A-Za-z0-9_%=-]+)")
_NEXT: Final = re.compile(rb'"relation":\s*"next",\s*"url":\s*("[^"]*")')
_LINK: Final = re.compile(r"\{link:(\w+)\}")


@dataclass(frozen=True, slots=True)
class Difference:
    """What somebody would learn about others."""

    call: Call
    what: str
    """status, headers, body or statements."""
    left: str
    right: str

    @override
    def __str__(self) -> str:
        lines = unified_diff(
            self.left.splitlines(), self.right.splitlines(), "left", "right", lineterm="", n=1
        )
        shown = "\n".join(line[:400] for line in list(lines)[:40])
        return f"the {self.what} of this request differ:\n{self.call}\n\n{shown}"


@dataclass(slots=True)
class World:
    """One of the two, ready to be asked."""

    application: Application
    clock: FixedClock
    links: Mapping[str, str] = field(default_factory=dict)
    """By resource type, the token of a page link that somebody else was given here."""

    async def ask(self, call: Call) -> tuple[Reply, Work]:
        """Send a request, with this world's page link where it has a place for one."""
        there = call.to(_LINK.sub(lambda match: self.links.get(match[1], "none"), call.target))
        with counted() as work:
            reply = await send(self.application, there)
        self.clock.advance(seconds=1)
        return reply, work


class Twins:
    """Two worlds; whoever asks both gets one answer, or the test has found a leak."""

    def __init__(self, left: World, right: World) -> None:
        self._worlds = left, right
        self.asked = 0
        """Requests that were put to both."""

    async def ask(self, left: Call, right: Call) -> tuple[tuple[Reply, Work], tuple[Reply, Work]]:
        """Put a request to each world at the same time; neither is ever asked alone."""
        self.asked += 1
        one, other = self._worlds
        return await asyncio.gather(one.ask(left), other.ask(right))

    async def difference(self, call: Call) -> Difference | None:
        """Return what differs in the answers to a request, and in the pages that follow."""
        calls: tuple[Call, Call] | None = (call, call)
        for _ in range(_PAGES):
            if calls is None:
                break
            (left, did), (right, did_too) = await self.ask(*calls)
            found = _told(call, left, right) or _worked(call, did, did_too)
            if found:
                return found
            calls = _next(call, left, right)
        return None

    async def first(self, calls: Iterable[Call]) -> Difference | None:
        """Return the first difference in the answers to some requests."""
        for call in calls:
            found = await self.difference(call)
            if found:
                return found
        return None


def _told(call: Call, left: Reply, right: Reply) -> Difference | None:
    """Compare answers byte for byte; of a page link's token, which is random, only the length."""
    for what, one, other in (
        ("status", str(left.status), str(right.status)),
        ("headers", _headers(left), _headers(right)),
        ("body", _body(left), _body(right)),
    ):
        if one != other:
            return Difference(call, what, one, other)
    return None


def _worked(call: Call, left: Work, right: Work) -> Difference | None:
    """Compare which statements were run, which stands for the time that the answer took."""
    one, other = "\n".join(left.statements), "\n".join(right.statements)
    return None if one == other else Difference(call, "statements", one, other)


def _headers(reply: Reply) -> str:
    lines = (b"%b: %b" % header for header in reply.headers)
    return "\n".join(_masked(line).decode("latin-1") for line in lines)


def _body(reply: Reply) -> str:
    """Return a body's text, one entry a line so that a difference is legible."""
    return _masked(reply.body).decode("utf-8", "replace").replace('{"fullUrl"', '\n{"fullUrl"')


def _masked(data: bytes) -> bytes:
    return _TOKEN.sub(lambda match: b"%b%d characters" % (match[1], len(match[2])), data)


def _next(call: Call, left: Reply, right: Reply) -> tuple[Call, Call] | None:
    """Return the requests for the next page, each by its own link; None where there is none."""
    addresses = [_next_address(reply) for reply in (left, right)]
    one, other = addresses
    if one is None or other is None:
        return None
    headers = tuple(header for header in call.headers if header[0] == "authorization")
    return Call("GET", one, headers), Call("GET", other, headers)


def _next_address(reply: Reply) -> str | None:
    """Return the first link to a next page, be it of the answer or of an entry in a batch."""
    found = _NEXT.search(reply.body)
    if found is None:
        return None
    parts = urlsplit(json.loads(found[1]))
    return f"{parts.path}?{parts.query}"
