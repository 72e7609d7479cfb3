"""Write down where this process connects to and what names it looks up.

Python runs this before anything else where it is on PYTHONPATH. Python's own sockets are seen by
an audit hook; uvloop connects in C, unseen by it, so its ways out are wrapped. WATCH_FILE is
appended to, a line for each; WATCH_PLANT makes a server process do what must not go unseen.
"""

import asyncio
import os
import socket
import sys

import uvloop

AWAY = ("192.0.2.1", 443)
"""An address of the documentation's (RFC 5737), where nobody is."""
_FILE = os.environ["WATCH_FILE"]  # noqa: TID251 - no part of the server


def note(what, *where):
    line = " ".join([what, *map(str, where)])
    descriptor = os.open(_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def hook(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        opened, address = arguments[0], arguments[1]
        if opened.family in (socket.AF_INET, socket.AF_INET6) and address is not None:
            note(event, address[0])
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        note(event, arguments[0])


def watched(name, place):
    """Wrap a way out of uvloop that is told where to go; with a socket that was seen before."""
    original = getattr(uvloop.Loop, name)

    def call(self, *words, **more):
        where = dict(enumerate(words)) | more
        found = next((where[key] for key in place if where.get(key) is not None), None)
        if found is not None:
            note(f"uvloop.{name}", found[0] if isinstance(found, tuple) else found)
        return original(self, *words, **more)

    setattr(uvloop.Loop, name, call)


def planted():
    original = uvloop.Loop.create_server

    async def create_server(self, *words, **more):
        with socket.socket() as opened:
            opened.settimeout(0.1)
            opened.connect_ex(AWAY)
        for attempt in (
            self.create_connection(asyncio.Protocol, *AWAY),
            self.getaddrinfo("telemetry.invalid", 443),
        ):
            try:
                await asyncio.wait_for(attempt, 0.1)
            except (OSError, TimeoutError):
                continue
        return await original(self, *words, **more)

    uvloop.Loop.create_server = create_server


watched("create_connection", (1, "host"))
watched("create_datagram_endpoint", (2, "remote_addr"))
watched("getaddrinfo", (0, "host"))
if os.environ.get("WATCH_PLANT"):  # noqa: TID251 - no part of the server
    planted()
sys.addaudithook(hook)
note("started", os.getpid())
