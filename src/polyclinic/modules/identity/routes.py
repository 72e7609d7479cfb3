"""Sign in and out of the browser, and who is signed in."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, PayloadTooLarge, Unauthenticated, UnsupportedMedia
from polyclinic.kernel.module import Route, Services
from polyclinic.modules.identity.service import COOKIE, Identity, credential
from polyclinic.modules.identity.settings import IdentitySettings

_LARGEST = 4096


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the sign-in page sends."""

    user: str
    password: str


async def sign_in(services: Services, request: Request) -> Response:
    """Open a session for a name and a password."""
    _check_media(request)
    try:
        given = msgspec.json.decode(await _body(request), type=SignIn)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        message = "Send a JSON object with user and password."
        raise BadRequest(message) from None
    identity = services.part(Identity)
    address = request.client.host if request.client else ""
    secret, principal = await identity.sign_in(given.user, given.password, address)
    response = _who(services, principal)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=services.part(IdentitySettings).session_hours * 3600,
        httponly=True,
        samesite="strict",
        path=_root(request),
        secure=_is_encrypted(services, request),
    )
    return response


async def session(services: Services, request: Request) -> Response:
    """Say who is signed in."""
    return _who(services, request.state.principal)


async def sign_out(services: Services, request: Request) -> Response:
    """End the session."""
    kind, secret = credential(dict(request.headers.raw))
    if kind != "browser":
        raise Unauthenticated
    await services.part(Identity).sign_out(secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=_root(request), httponly=True, samesite="strict")
    return response


ROUTES = (
    Route("POST", "/auth/sign-in", sign_in, public=True),
    Route("GET", "/auth/session", session),
    Route("POST", "/auth/sign-out", sign_out),
)


def _check_media(request: Request) -> None:
    """Refuse what a form of another site could send: that would sign its victim in as somebody."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        message = "Send the body as application/json."
        raise UnsupportedMedia(message)


def _root(request: Request) -> str:
    """Return the path below which the cookie is sent: that of the tenant where it has one."""
    root: str = request.scope.get("root_path", "")
    return root or "/"


def _is_encrypted(services: Services, request: Request) -> bool:
    """Say whether the browser reaches us by HTTPS, also where a proxy ends it."""
    public = services.settings.public_url or ""
    return request.url.scheme == "https" or public.startswith("https:")


def _who(services: Services, principal: Principal) -> Response:
    answer: dict[str, Any] = {
        "user": principal.name,
        "display": principal.display,
        "roles": sorted(principal.roles),
        "tenant": services.tenant.name,
        "patient": principal.patient,
    }
    return Response(
        msgspec.json.encode(answer),
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


async def _body(request: Request) -> bytes:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LARGEST:
            raise PayloadTooLarge
    return data
