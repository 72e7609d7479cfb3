"""Accounts and sessions as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import FhirError

SessionKind = Literal["browser", "token"]


@dataclass(frozen=True, slots=True)
class Account:
    """A person or a client that can sign in."""

    number: int
    tenant: int
    name: str
    display: str
    password_hash: str | None
    roles: frozenset[str]
    patient: str | None
    practitioner: str | None
    represents: frozenset[str]
    disabled: bool

    def principal(self) -> Principal:
        """Return what the account acts as."""
        return Principal(
            name=self.name,
            tenant=self.tenant,
            account=self.number,
            roles=self.roles,
            patient=self.patient,
            display=self.display,
            practitioner=self.practitioner,
            represents=self.represents,
        )


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made."""

    name: str
    display: str
    roles: frozenset[str]
    password_hash: str | None
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that is still good."""

    account: Account
    kind: SessionKind
    expires: datetime
    seen: datetime


class TooManyAttempts(FhirError):
    """Too many failed sign-ins; wait five minutes."""

    status = 429
    code = "throttled"
    retry_after = 300


class Busy(FhirError):
    """Too many people are signing in at this moment; try again in a few seconds."""

    status = 503
    code = "throttled"
    retry_after = 5
