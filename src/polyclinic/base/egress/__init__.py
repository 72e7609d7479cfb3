"""The one way out: every connection to another server goes through ``GuardedClient``."""

from polyclinic.base.egress.client import GuardedClient, Limits
from polyclinic.base.egress.errors import (
    BadAnswer,
    EgressError,
    NotPermitted,
    TooLarge,
    TooSlow,
    Unreachable,
)
from polyclinic.base.egress.opening import http_client
from polyclinic.base.egress.policy import Policy

__all__ = [
    "BadAnswer",
    "EgressError",
    "GuardedClient",
    "Limits",
    "NotPermitted",
    "Policy",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "http_client",
]
