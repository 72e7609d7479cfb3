"""What can be set about signing in."""

from dataclasses import dataclass

from polyclinic.base.config import Bounds, setting


@dataclass(frozen=True)
class IdentitySettings:
    """How long a sign-in lasts, and when guessing is stopped."""

    session_idle_minutes: int = setting(
        15, "Minutes without a request after which a browser's session ends.", bounds=Bounds(1, 720)
    )
    session_hours: int = setting(
        12, "Hours after which a browser's session ends in any case.", bounds=Bounds(1, 24)
    )
    token_days: int = setting(90, "Days that a client's token is good for.", bounds=Bounds(1, 3650))
    sign_in_failures: int = setting(
        10,
        "Failed sign-ins of one account in five minutes after which it has to wait.",
        bounds=Bounds(1, 1000),
    )
