"""Moments that a request names: to the second or finer, in UTC where no zone is given."""

import re
from datetime import UTC, datetime
from typing import Final

from polyclinic.kernel.search.query.limits import refuse
from polyclinic.kernel.search.ranges import is_date

_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.*")


def moment(name: str, value: str) -> datetime:
    """Return the moment that a parameter names. Raise ``BadRequest`` for anything else."""
    text = value.replace(" ", "+")
    try:
        if is_date(text) and _MOMENT.fullmatch(text):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    return refuse(f"{name} takes a moment to the second, such as 2024-05-17T14:30:00Z.")
