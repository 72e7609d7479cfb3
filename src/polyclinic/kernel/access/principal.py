"""Who asks: the argument of every store call."""

from dataclasses import dataclass, field
from typing import Final

TREATMENT: Final = "TREAT"
"""The purpose of an ordinary request; http://terminology.hl7.org/CodeSystem/v3-ActReason."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, an app or a job, acting in one tenant.

    There is no bypass: a job has a principal of its own.
    """

    name: str
    """The account's name, unique in its tenant."""
    tenant: int
    """The number of the organization whose data this principal acts on."""
    account: int
    """The internal number that stands in audit rows."""
    roles: frozenset[str] = field(default_factory=frozenset)
    """Names of roles in the tenant's policy."""
    patient: str | None = None
    """The id of the Patient that the account belongs to, or that an app was launched for."""
    display: str = ""
    """The person's name for screens."""
    practitioner: str | None = None
    """The id of the Practitioner that the account belongs to; care relations are found by it."""
    represents: frozenset[str] = frozenset()
    """Ids of Patients for whom a proxy acts at this moment."""
    purpose: str = TREATMENT
    """Why it asks; a rule may require one."""
    scopes: tuple[str, ...] | None = None
    """What an app was granted, in SMART's syntax; None where no app stands between."""
