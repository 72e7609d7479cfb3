"""Whose work is being done: what is shared by several tenants is divided by it.

A lane is a tenant's number. It is set for the length of a request or a job where there is more
than one tenant; without one nothing is divided, and whoever is alone may have everything. It is
carried by the context, so that pools of connections need not be told by every caller.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LANE: Final[ContextVar[int | None]] = ContextVar("polyclinic lane", default=None)


@contextmanager
def lane(number: int | None) -> Iterator[None]:
    """Do the work of a block in a lane."""
    token = LANE.set(number)
    try:
        yield
    finally:
        LANE.reset(token)
