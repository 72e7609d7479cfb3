"""Who asks: the argument of every store call."""

from dataclasses import dataclass, field


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
    """Names of ``kernel.access.decide.ROLES``."""
    patient: str | None = None
    """The id of the Patient resource that the account belongs to, for a patient."""
    display: str = ""
    """The person's name for screens."""
