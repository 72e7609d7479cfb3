"""What a feature is: one value that says what it adds, as data."""

from polyclinic.kernel.module.contract import (
    DEMO_ACCOUNT_SYSTEM,
    Authenticator,
    Command,
    Contributor,
    DemoAccount,
    Jobs,
    Module,
    Population,
    Route,
    Services,
)

__all__ = [
    "DEMO_ACCOUNT_SYSTEM",
    "Authenticator",
    "Command",
    "Contributor",
    "DemoAccount",
    "Jobs",
    "Module",
    "Population",
    "Route",
    "Services",
]
