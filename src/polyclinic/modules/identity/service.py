"""Sign in, sign out, and find out who asks."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final

from polyclinic.base.clock import Clock
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden, Unauthenticated
from polyclinic.modules.identity.model import (
    Account,
    NewAccount,
    Session,
    SessionKind,
    TooManyAttempts,
)
from polyclinic.modules.identity.passwords import LONGEST, Passwords
from polyclinic.modules.identity.repository import Accounts
from polyclinic.modules.identity.settings import IdentitySettings

COOKIE: Final = "polyclinic_session"
GUARD: Final = b"x-polyclinic-request"
"""A header that a page of another site cannot send without our leave."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET_BYTES: Final = 32
_WINDOW: Final = timedelta(minutes=5)
_REMEMBERED: Final = 10_000
_RECHECK: Final = timedelta(seconds=1)
_TOUCH: Final = timedelta(seconds=30)
_WRONG: Final = "The name or the password is not right."


@dataclass(slots=True)
class _Known:
    session: Session
    touched: datetime


class Identity:
    """Accounts of one tenant at work."""

    def __init__(
        self, accounts: Accounts, tenant: int, clock: Clock, settings: IdentitySettings
    ) -> None:
        self._accounts = accounts
        self._tenant = tenant
        self._clock = clock
        self._settings = settings
        self._passwords = Passwords()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._revocations = -1
        self._checked: datetime | None = None

    async def sign_in(self, name: str, password: str, address: str) -> tuple[str, Principal]:
        """Return the secret of a new browser session and who it is for.

        Raise ``Unauthenticated`` without telling which of the two was wrong, and
        ``TooManyAttempts``.
        """
        now = self._clock.now()
        subjects = [_hash("account", name), _hash("address", address)]
        await self._check_attempts(subjects, now)
        account = await self._accounts.by_name(self._tenant, name[:LONGEST])
        usable = account is not None and not account.disabled
        right = len(password) <= LONGEST and await self._passwords.verify(
            password, account.password_hash if account and usable else None
        )
        if account is None or not right:
            for subject in subjects:
                await self._accounts.note_failure(self._tenant, subject, _window(now))
            raise Unauthenticated(_WRONG)
        lasting = timedelta(hours=self._settings.session_hours)
        return await self._open(account, "browser", "sign-in", lasting), account.principal()

    async def sign_out(self, secret: str) -> None:
        """End a session at once, in this process; within a second in all."""
        secret_hash = _secret_hash(secret)
        self._known.pop(secret_hash, None)
        await self._accounts.close_session(secret_hash)

    async def issue_token(self, name: str, label: str) -> str:
        """Return a new bearer token of an account. Raise ``LookupError`` when there is none."""
        account = await self._accounts.by_name(self._tenant, name)
        if account is None:
            raise LookupError(name)
        return await self._open(account, "token", label, timedelta(days=self._settings.token_days))

    async def put_account(self, new: NewAccount, password: str | None = None) -> Account:
        """Make or change an account, with a password when one is given."""
        hashed = await self._passwords.hash(password) if password else new.password_hash
        complete = NewAccount(new.name, new.display, new.roles, hashed, new.patient)
        return await self._accounts.put(self._tenant, complete, self._clock.now())

    async def set_password(self, name: str, password: str) -> None:
        """Give an account a password; whoever is signed in with it has to sign in again."""
        hashed = await self._passwords.hash(password)
        await self._accounts.set_password(self._tenant, name, hashed)
        self._known.clear()

    async def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Let nobody sign in with an account, or let it sign in again."""
        await self._accounts.set_disabled(self._tenant, name, disabled=disabled)
        self._known.clear()

    async def accounts(self) -> list[Account]:
        """Return every account, by name."""
        return await self._accounts.all(self._tenant)

    async def has_account(self, name: str) -> bool:
        """Say whether there is an account of that name."""
        return await self._accounts.by_name(self._tenant, name) is not None

    async def authenticate(self, headers: dict[bytes, bytes], method: str) -> Principal:
        """Return who sends a request, by its bearer token or its session cookie.

        Raise ``Unauthenticated``; ``Forbidden`` for a cookie that another site's page sent.
        """
        kind, secret = credential(headers)
        session = await self._session(_secret_hash(secret))
        if session.kind != kind:
            raise Unauthenticated
        if kind == "browser" and method not in _SAFE and headers.get(GUARD) != b"1":
            message = "Send the header X-Polyclinic-Request: 1 with changes made by a cookie."
            raise Forbidden(message)
        return session.account.principal()

    async def sweep(self) -> None:
        """Remove what has expired."""
        now = self._clock.now()
        await self._accounts.sweep(now, now - _WINDOW)

    def close(self) -> None:
        """Let the threads end."""
        self._passwords.close()

    async def _session(self, secret_hash: bytes) -> Session:
        now = self._clock.now()
        await self._forget_revoked(now)
        known = self._known.get(secret_hash)
        if known is None:
            session = await self._accounts.session(secret_hash, now)
            if session is None or self._idle(session, session.seen, now):
                raise Unauthenticated
            # Touched on first sight, so that a session used after a restart does not look idle.
            known = self._remember(secret_hash, session, session.seen)
        if now >= known.session.expires or self._idle(known.session, known.touched, now):
            self._known.pop(secret_hash, None)
            raise Unauthenticated
        if known.session.kind == "browser" and now - known.touched > _TOUCH:
            known.touched = now
            await self._accounts.touch(secret_hash, now)
        return known.session

    def _idle(self, session: Session, seen: datetime, now: datetime) -> bool:
        limit = timedelta(minutes=self._settings.session_idle_minutes)
        return session.kind == "browser" and now - seen > limit

    def _remember(self, secret_hash: bytes, session: Session, touched: datetime) -> _Known:
        known = self._known[secret_hash] = _Known(session, touched)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    async def _forget_revoked(self, now: datetime) -> None:
        """Once a second, ask whether a session ended elsewhere; if so, ask for each again."""
        if self._checked is not None and now - self._checked < _RECHECK:
            return
        self._checked = now
        revocations = await self._accounts.revocations()
        if revocations != self._revocations:
            self._known.clear()
            self._revocations = revocations

    async def _check_attempts(self, subjects: list[bytes], now: datetime) -> None:
        of_account, of_address = [
            await self._accounts.failures(self._tenant, subject, now - _WINDOW)
            for subject in subjects
        ]
        # Many people share the address of a clinic.
        if (
            of_account >= self._settings.sign_in_failures
            or of_address >= 10 * self._settings.sign_in_failures
        ):
            raise TooManyAttempts

    async def _open(
        self, account: Account, kind: SessionKind, label: str, lasting: timedelta
    ) -> str:
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), self._clock.now()
        await self._accounts.open_session(
            _secret_hash(secret), account.number, kind, label, (now, now + lasting)
        )
        return secret


def credential(headers: dict[bytes, bytes]) -> tuple[SessionKind, str]:
    """Return the kind and the secret that a request carries. Raise ``Unauthenticated``."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() == "bearer" and token:
            return "token", token.strip()
        raise Unauthenticated
    try:
        cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        cookie = None
    if cookie is None:
        raise Unauthenticated
    return "browser", cookie.value


def _secret_hash(secret: str) -> bytes:
    """Hash 256 random bits; nothing slower is needed for what cannot be guessed."""
    return sha256(secret.encode()).digest()


def _hash(kind: str, value: str) -> bytes:
    return sha256(f"{kind}|{value}".encode()).digest()


def _window(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
