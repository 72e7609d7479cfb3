"""What answers for one tenant: its FHIR base, and the modules' routes with its services."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from polyclinic.app.build import job_principal
from polyclinic.base.lanes import LANE
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError, Unauthenticated
from polyclinic.kernel.module import Authenticator, Module, Route, Services
from polyclinic.kernel.rest import Admission, FhirApplication, Limits
from polyclinic.kernel.rest.deadlines import TookTooLong
from polyclinic.kernel.rest.outcome import failure, refusal


@dataclass(frozen=True, slots=True)
class Surface:
    """Two ASGI applications of one tenant."""

    fhir: FhirApplication
    pages: Starlette


def surface(
    services: Services, modules: Sequence[Module], admission: Admission, limits: Limits
) -> Surface:
    """Build what answers for the tenant of these services; tenants share places and limits."""
    authenticate = _authenticator(services, modules)
    endpoints = _Endpoints(services, authenticate, admission, limits)
    routes = [
        StarletteRoute(route.path, endpoints.of(route), methods=[route.method])
        for module in modules
        for route in module.routes
    ]
    fhir = FhirApplication(
        services.store, authenticate, limits, services.settings.public_url, admission=admission
    )
    asking = job_principal(services, "metadata")
    fhir.defined = partial(services.store.custom_parameters, asking)
    return Surface(fhir, Starlette(routes=routes))


def _authenticator(services: Services, modules: Sequence[Module]) -> Authenticator:
    for module in modules:
        if module.authenticator is not None:
            return module.authenticator(services)
    return _nobody


async def _nobody(headers: dict[bytes, bytes], method: str) -> Principal:  # noqa: ARG001
    """Let nobody in: no module knows who signs in."""
    raise Unauthenticated


class _Endpoints:
    """Makes ASGI endpoints of the modules' routes, within the limits of every request."""

    def __init__(
        self, services: Services, authenticate: Authenticator, admission: Admission, limits: Limits
    ) -> None:
        self._services = services
        self._authenticate = authenticate
        self._admission = admission
        self._limits = limits

    def of(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a route."""

        async def endpoint(request: Request) -> Response:
            try:
                return await self._admitted(route, request)
            except FhirError as error:
                answer = refusal(error)
            except Exception as error:  # noqa: BLE001 - a client is told, and the log knows where
                answer = failure(error, request.method)
            response = Response(answer.body, answer.status)
            response.raw_headers.extend([*answer.headers, (b"content-type", answer.content_type)])
            return response

        return endpoint

    async def _admitted(self, route: Route, request: Request) -> Response:
        lane = LANE.get()
        self._admission.enter(lane)
        deadline = self._limits.deadlines.begin()
        try:
            if not route.public:
                headers = dict(request.headers.raw)
                principal = await self._authenticate(headers, request.method)
                if self._limits.rates is not None:
                    self._limits.rates.count(principal)
                request.state.principal = principal
            return await route.handler(self._services, request)
        except asyncio.CancelledError:
            if not deadline.has_struck:
                raise
            raise TookTooLong from None
        finally:
            self._limits.deadlines.end(deadline)
            self._admission.leave(lane)
