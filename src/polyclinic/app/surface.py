"""What answers for one tenant: its FHIR base, and the modules' routes with its services."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from polyclinic.base import log
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Unauthenticated
from polyclinic.kernel.module import Authenticator, Module, Route, Services
from polyclinic.kernel.rest import Admission, FhirApplication, Limits, Streams
from polyclinic.kernel.rest.message import Answer
from polyclinic.kernel.rest.outcome import BROKEN, outcome, refusal


@dataclass(frozen=True, slots=True)
class Surface:
    """Two ASGI applications of one tenant."""

    fhir: FhirApplication
    pages: Starlette


def surface(
    services: Services, modules: Sequence[Module], admission: Admission, streams: Streams
) -> Surface:
    """Build what answers for the tenant of these services."""
    authenticate = _authenticator(services, modules)
    settings = services.settings
    limits = Limits(settings.max_body, settings.max_in_flight, streams)
    routes = [
        StarletteRoute(route.path, _endpoint(services, authenticate, route), methods=[route.method])
        for module in modules
        for route in module.routes
    ]
    fhir = FhirApplication(
        services.store, authenticate, limits, settings.public_url, admission=admission
    )
    return Surface(fhir, Starlette(routes=routes))


def _authenticator(services: Services, modules: Sequence[Module]) -> Authenticator:
    for module in modules:
        if module.authenticator is not None:
            return module.authenticator(services)
    return _nobody


async def _nobody(headers: dict[bytes, bytes], method: str) -> Principal:  # noqa: ARG001
    """Let nobody in: no module knows who signs in."""
    raise Unauthenticated


def _endpoint(
    services: Services, authenticate: Authenticator, route: Route
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            if not route.public:
                headers = dict(request.headers.raw)
                request.state.principal = await authenticate(headers, request.method)
            return await route.handler(services, request)
        except FhirError as error:
            answer = refusal(error)
        except Exception as error:  # noqa: BLE001 - a client is told, and the log knows where
            log.failure("request.failed", error, method=request.method)
            answer = Answer(500, outcome(BROKEN))
        response = Response(answer.body, answer.status)
        response.raw_headers.extend([*answer.headers, (b"content-type", answer.content_type)])
        return response

    return endpoint
