"""The server: the FHIR base on raw ASGI, the modules' routes on Starlette, the user interface."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from polyclinic.app.build import migrations, services
from polyclinic.app.jobs import running
from polyclinic.app.modules import MODULES
from polyclinic.app.process import calm_collector
from polyclinic.app.static import SECURITY_HEADERS, Interface
from polyclinic.base import log
from polyclinic.base.config import read
from polyclinic.base.db.database import Database, open_database
from polyclinic.base.db.migrate import pending
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Unauthenticated, Unavailable
from polyclinic.kernel.module import Authenticator, Module, Route, Services
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.kernel.rest.message import Answer, Receive, Scope, Send
from polyclinic.kernel.rest.outcome import BROKEN, outcome, refusal
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
        self._services: Services | None = None
        self._interface = Interface()
        self._stack = AsyncExitStack()
        self._fhir: FhirApplication | None = None
        self._pages: Starlette | None = None

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
        opened = await self._stack.enter_async_context(
            services(self._settings, database, self._modules)
        )
        self._services = opened
        await self._stack.enter_async_context(running(opened, self._modules))
        authenticate = _authenticator(opened, self._modules)
        limits = Limits(self._settings.max_body, self._settings.max_in_flight)
        self._fhir = FhirApplication(opened.store, authenticate, limits, self._settings.public_url)
        self._pages = _pages(opened, authenticate, self._modules)
        calm_collector()

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
        path: str = scope["path"]
        send = _with_security_headers(send)
        if path == "/fhir" or path.startswith("/fhir/"):
            assert self._fhir is not None
            await self._fhir(scope, receive, send)
        elif path in ("/healthz", "/readyz"):
            await (await self._health(path)).send(send)
        elif self._routed(path):
            assert self._pages is not None
            await self._pages(scope, receive, send)
        else:
            await self._file(scope, send)

    def _routed(self, path: str) -> bool:
        return any(path == route.path for module in self._modules for route in module.routes)

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
        assert self._services is not None
        try:
            with translated():
                async with self._services.pool.acquire() as connection:
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


def _authenticator(opened: Services, modules: Sequence[Module]) -> Authenticator:
    for module in modules:
        if module.authenticator is not None:
            return module.authenticator(opened)
    return _nobody


async def _nobody(headers: dict[bytes, bytes], method: str) -> Principal:  # noqa: ARG001
    """Let nobody in: no module knows who signs in."""
    raise Unauthenticated


def _pages(opened: Services, authenticate: Authenticator, modules: Sequence[Module]) -> Starlette:
    routes = [
        StarletteRoute(route.path, _endpoint(opened, authenticate, route), methods=[route.method])
        for module in modules
        for route in module.routes
    ]
    return Starlette(routes=routes)


def _endpoint(
    opened: Services, authenticate: Authenticator, route: Route
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            if not route.public:
                headers = dict(request.headers.raw)
                request.state.principal = await authenticate(headers, request.method)
            return await route.handler(opened, request)
        except FhirError as error:
            answer = refusal(error)
        except Exception as error:  # noqa: BLE001 - a client is told, and the log knows where
            log.failure("request.failed", error, method=request.method)
            answer = Answer(500, outcome(BROKEN))
        response = Response(answer.body, answer.status)
        response.raw_headers.extend([*answer.headers, (b"content-type", answer.content_type)])
        return response

    return endpoint


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
