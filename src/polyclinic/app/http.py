"""The server: the FHIR base on raw ASGI, the modules' routes on Starlette, the user interface."""

from collections.abc import MutableMapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from polyclinic.app.addresses import Place
from polyclinic.app.build import Platform, migrations, platform
from polyclinic.app.jobs import running
from polyclinic.app.modules import MODULES
from polyclinic.app.process import calm_collector
from polyclinic.app.static import SECURITY_HEADERS, Interface
from polyclinic.app.surface import Surface, surface
from polyclinic.app.tenants import Tenants
from polyclinic.base import log
from polyclinic.base.config import read
from polyclinic.base.db.database import Database, open_database
from polyclinic.base.db.migrate import pending
from polyclinic.base.lanes import LANE
from polyclinic.base.settings import Settings
from polyclinic.kernel.errors import FhirError, NotFound, Unavailable
from polyclinic.kernel.module import Module, Services
from polyclinic.kernel.rest import ORIGIN, Admission, Deadlines, Limits, Streams
from polyclinic.kernel.rest.message import Answer, Receive, Scope, Send
from polyclinic.kernel.rest.outcome import refusal
from polyclinic.kernel.store.faults import translated

_TEXT: Final = b"text/plain; charset=utf-8"
_YEAR: Final = b"public, max-age=31536000, immutable"


class Application:
    """One ASGI application for everything at one port."""

    def __init__(
        self,
        settings: Settings,
        modules: Sequence[Module] = MODULES,
        database: Database | None = None,
    ) -> None:
        self._settings = settings
        self._modules = modules
        self._given = database
        self._platform: Platform | None = None
        self._tenants: Tenants[Surface] | None = None
        self._services: Services | None = None
        """Those of the default tenant."""
        self._interface = Interface()
        self._stack = AsyncExitStack()
        self._streams = Streams(settings.max_streams)
        self._paths = frozenset(route.path for module in modules for route in module.routes)

    async def start(self) -> None:
        """Reach the database and open every part, or close again what was opened."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        database = self._given or open_database(self._settings)
        if self._given is None:
            self._stack.callback(database.close)
        opened = self._platform = await self._stack.enter_async_context(
            platform(self._settings, database, self._modules)
        )
        settings = self._settings
        admission = Admission(settings.max_in_flight)
        limits = Limits(
            settings.max_body,
            settings.max_in_flight,
            self._streams,
            Deadlines(settings.request_timeout),
            opened.rates,
            settings.conditional_delete,
        )
        tenants = self._tenants = Tenants(
            opened,
            lambda services: surface(services, self._modules, admission, limits),
            self._settings.max_open_tenants,
        )
        self._stack.push_async_callback(tenants.stop)
        self._services = (await tenants.start()).services
        await self._stack.enter_async_context(running(opened, tenants, self._services))
        calm_collector()

    def ending(self) -> None:
        """Let go of clients that would wait for ever: the server is about to stop."""
        self._streams.stop()

    async def stop(self) -> None:
        """Close every part, in turn."""
        await self._stack.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the first part of the path."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        send = _with_security_headers(send)
        path: str = scope["path"]
        if path in ("/healthz", "/readyz"):
            await (await self._health(path)).send(send)
            return
        try:
            await self._answer(scope, receive, send)
        except FhirError as error:
            await refusal(error).send(send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find whose address it is, and let what is below answer. Raise what stands against it."""
        assert self._tenants is not None
        addresses, path = self._tenants.addresses, scope["path"]
        place = addresses.find(path, scope.get("scheme", "http"), scope["headers"])
        below = path[len(place.root) :]
        is_fhir = below == "/fhir" or below.startswith("/fhir/")
        if not is_fhir and below not in self._paths:
            if place.root:
                message = "The pages of an organization are at its own host, not below its path."
                raise NotFound(message)
            await self._file(scope, send)
            return
        opened = await self._tenants.take(place.tenant)
        lane = LANE.set(opened.number) if addresses.has_several else None
        try:
            answering = opened.surface.fhir if is_fhir else opened.surface.pages
            await answering(_placed(scope, place), receive, send)
        finally:
            if lane is not None:
                LANE.reset(lane)
            opened.give_back()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as error:  # noqa: BLE001 - the process ends, and the log knows why
                    log.failure("server.not_started", error)
                    await send({"type": "lifespan.startup.failed", "message": ""})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _health(self, path: str) -> Answer:
        if path == "/healthz":
            return Answer(200, b"alive\n", content_type=_TEXT)
        assert self._platform is not None
        try:
            with translated():
                async with self._platform.pool.acquire() as connection:
                    waiting = await pending(connection, migrations(self._modules))
        except Unavailable:
            return Answer(503, b"the database cannot be reached\n", content_type=_TEXT)
        if waiting:
            return Answer(503, b"the database is not migrated\n", content_type=_TEXT)
        return Answer(200, b"ready\n", content_type=_TEXT)

    async def _file(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await Answer(405, b"", [(b"allow", b"GET, HEAD")]).send(send)
            return
        path, head = scope["path"], scope["method"] == "HEAD"
        file = self._interface.file(path)
        if file is None and path.startswith("/assets/"):
            await Answer(404, b"There is no such file.\n", content_type=_TEXT).send(send, head=head)
            return
        if file is None or path == "/index.html":
            body, headers = self._interface.page()
            await _raw(send, 200, headers, b"" if head else body)
            return
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        compressed = file.compressed if b"gzip" in accepted else None
        cached = _YEAR if path.startswith("/assets/") else b"no-cache"
        headers = [
            (b"content-type", file.content_type),
            (b"cache-control", cached),
            (b"vary", b"accept-encoding"),
        ]
        if compressed is not None:
            headers.append((b"content-encoding", b"gzip"))
        await _raw(send, 200, headers, b"" if head else compressed or file.plain)


def create() -> Application:
    """Make the application of a server process, from the environment."""
    settings = read(Settings)
    log.configure(settings.log_level)
    return Application(settings)


def _placed(scope: Scope, place: Place) -> Scope:
    """Return the scope with what is known of a tenant's own address."""
    if place.root:
        scope["root_path"] = place.root
    if place.origin:
        scope[ORIGIN] = place.origin
    return scope


def _with_security_headers(send: Send) -> Send:
    async def wrapped(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *SECURITY_HEADERS]
        await send(message)

    return wrapped


async def _raw(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
