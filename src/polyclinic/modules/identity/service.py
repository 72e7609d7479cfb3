"""Sign in, sign out, and find out who asks."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
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
BACKGROUND: Final = b"x-polyclinic-background"
"""A header that says that a machine asks, so that the session of an unattended screen ends."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET_BYTES: Final = 32
_WINDOW: Final = timedelta(minutes=5)
_REMEMBERED: Final = 10_000
_RECHECK: Final = timedelta(seconds=1)
_REREAD: Final = timedelta(seconds=30)
_SHARING: Final = 10
"""How many times as many failures an address may have as an account."""
_WRONG: Final = "The name or the password is not right."


@dataclass(slots=True)
class _Known:
    session: Session
    read: datetime


class Identity:
    """Accounts of one tenant at work."""

    def __init__(
        self, accounts: Accounts, passwords: Passwords, clock: Clock, settings: IdentitySettings
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._settings = settings
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._revocations = -1
        self._checked: datetime | None = None

    async def sign_in(self, name: str, password: str, address: str) -> tuple[str, Principal]:
        """Return the secret of a new browser session and who it is for.

        Raise ``Unauthenticated`` without telling which of the two was wrong, and
        ``TooManyAttempts``.
        """
        now = self._clock.now()
        subjects = (_hash("account", name), _hash("address", address))
        await self._count_attempt(subjects, now)
        guessed = False
        try:
            account = await self._verified(name, password)
            guessed = account is None
        finally:
            if not guessed:
                await self._forgive(subjects, now)
        if account is None:
            raise Unauthenticated(_WRONG)
        lasting = timedelta(hours=self._settings.session_hours)
        return await self._open(account, "browser", "sign-in", lasting), account.principal()

    async def sign_out(self, secret: str) -> None:
        """End a session at once, in this process; within a second in all."""
        secret_hash = _secret_hash(secret)
        for background in (False, True):
            self._known.pop(_remembered(secret_hash, background=background), None)
        await self._accounts.close_session(secret_hash)

    async def issue_token(self, name: str, label: str) -> str:
        """Return a new bearer token of an account. Raise ``LookupError`` when there is none."""
        account = await self._accounts.by_name(name)
        if account is None:
            raise LookupError(name)
        return await self._open(account, "token", label, timedelta(days=self._settings.token_days))

    async def put_account(self, new: NewAccount, password: str | None = None) -> Account:
        """Make or change an account, with a password when one is given."""
        hashed = await self._passwords.hash(password) if password else new.password_hash
        complete = NewAccount(new.name, new.display, new.roles, hashed, new.patient)
        account = await self._accounts.put(complete, self._clock.now())
        self._known.clear()
        return account

    async def set_password(self, name: str, password: str) -> None:
        """Give an account a password; whoever is signed in with it has to sign in again."""
        hashed = await self._passwords.hash(password)
        await self._accounts.set_password(name, hashed)
        self._known.clear()

    async def link(self, name: str, practitioner: str | None, represents: list[str]) -> None:
        """Say which Practitioner an account is, and for which Patients it acts from now on."""
        await self._accounts.link(name, practitioner, represents)
        self._known.clear()

    async def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Let nobody sign in with an account, or let it sign in again."""
        await self._accounts.set_disabled(name, disabled=disabled)
        self._known.clear()

    async def accounts(self) -> list[Account]:
        """Return every account, by name."""
        return await self._accounts.all()

    async def has_account(self, name: str) -> bool:
        """Say whether there is an account of that name."""
        return await self._accounts.by_name(name) is not None

    async def authenticate(self, headers: dict[bytes, bytes], method: str) -> Principal:
        """Return who sends a request, by its bearer token or its session cookie.

        Raise ``Unauthenticated``; ``Forbidden`` for a cookie that another site's page sent.
        """
        kind, secret = credential(headers)
        background = headers.get(BACKGROUND) == b"1"
        session = await self._session(_secret_hash(secret), background=background)
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

    async def _verified(self, name: str, password: str) -> Account | None:
        """Return the account whose password it is; take as long when there is none."""
        account = await self._accounts.by_name(name[:LONGEST])
        usable = account if account is not None and not account.disabled else None
        right = len(password) <= LONGEST and await self._passwords.verify(
            password, usable.password_hash if usable else None
        )
        return usable if right else None

    async def _session(self, secret_hash: bytes, *, background: bool) -> Session:
        now = self._clock.now()
        await self._forget_revoked(now)
        key = _remembered(secret_hash, background=background)
        known = self._known.get(key)
        if known is None or now - known.read > _REREAD:
            known = await self._look_up(secret_hash, now, background=background)
        if now >= known.session.expires:
            self._known.pop(key, None)
            raise Unauthenticated
        return known.session

    async def _look_up(self, secret_hash: bytes, now: datetime, *, background: bool) -> _Known:
        """Read a session, which may have been used in another process, and note its use."""
        key = _remembered(secret_hash, background=background)
        session = await self._accounts.session(secret_hash, now)
        if session is None or self._idle(session, now):
            self._known.pop(key, None)
            raise Unauthenticated
        if session.kind == "browser" and not background:
            await self._accounts.touch(secret_hash, now)
        known = self._known[key] = _Known(session, now)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _idle(self, session: Session, now: datetime) -> bool:
        limit = timedelta(minutes=self._settings.session_idle_minutes)
        return session.kind == "browser" and now - session.seen > limit

    async def _forget_revoked(self, now: datetime) -> None:
        """Once a second, ask whether a session ended elsewhere; if so, ask for each again."""
        if self._checked is not None and now - self._checked < _RECHECK:
            return
        self._checked = now
        revocations = await self._accounts.revocations()
        if revocations != self._revocations:
            self._known.clear()
            self._revocations = revocations

    async def _count_attempt(self, subjects: tuple[bytes, bytes], now: datetime) -> None:
        """Count an attempt before it is made, so that many at once are not more."""
        of_account, of_address = [
            await self._accounts.count_attempt(subject, _window(now), now - _WINDOW)
            for subject in subjects
        ]
        most = self._settings.sign_in_failures
        # Many people share the address of a clinic.
        if of_account > most or of_address > _SHARING * most:
            await self._forgive(subjects, now)
            raise TooManyAttempts

    async def _forgive(self, subjects: tuple[bytes, bytes], now: datetime) -> None:
        """Take back the count of an attempt that was no guess."""
        for subject in subjects:
            await self._accounts.forgive(subject, _window(now))

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
    cookie = _cookie(headers.get(b"cookie", b"").decode("latin-1"))
    if cookie is None:
        raise Unauthenticated
    return "browser", cookie


def _cookie(header: str) -> str | None:
    """Return our cookie, whatever others stand beside it: ports of a machine share theirs."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None


def _secret_hash(secret: str) -> bytes:
    """Hash 256 random bits; nothing slower is needed for what cannot be guessed."""
    return sha256(secret.encode()).digest()


def _remembered(secret_hash: bytes, *, background: bool) -> bytes:
    """Return what a session is remembered by; what a machine asked is no use of it."""
    return secret_hash + b"*" if background else secret_hash


def _hash(kind: str, value: str) -> bytes:
    return sha256(f"{kind}|{value}".encode()).digest()


def _window(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
