"""What the database's refusals mean to a client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from polyclinic.base.db.errors import DatabaseError
from polyclinic.kernel.errors import Unavailable

RETRIED: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Nothing was written and the same write may succeed now."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ``Unavailable``: the database is away, full, or too slow."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        message = "The answer took too long; ask for less, or narrow the search."
        raise Unavailable(message) from error
    except (asyncpg.DiskFullError, asyncpg.OutOfMemoryError) as error:
        message = "The database is out of space; nothing was stored."
        raise Unavailable(message) from error
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
        raise Unavailable from error
    except (
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        # What asyncpg makes of an answer that ends with its connection.
        asyncpg.InternalClientError,
        TimeoutError,
        DatabaseError,
    ) as error:
        raise Unavailable from error
