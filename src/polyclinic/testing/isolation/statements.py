"""Which SQL statements a request ran: what stands for its time where time itself is noise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from typing_extensions import override

from polyclinic.kernel.store.queries import STATEMENTS


@dataclass(slots=True)
class Work:
    """What the database did for one request."""

    statements: list[str] = field(default_factory=list)
    """The name of each, or its text where it has none, in order."""
    fetched: int = 0
    """Bytes of ``bytea`` that came back: bodies of resources."""

    def note(self, sql: str, rows: object) -> None:
        """Add a statement and what it returned."""
        name = _NAMES.get(sql, sql)
        if name not in _BESIDE and not name.startswith(_CONTEXT):
            self.statements.append(name)
        self.fetched += _size(rows)


_BESIDE: Final = frozenset(
    {
        "data_keys",
        "policy",
        "requests_fold",
        "requests_sweep",
        "revocation",
        "rid_block",
        "type_size",
    }
)
"""What a process does now and then, beside whatever request comes first: what it remembers it asks
for again, what it counted it writes down."""
_CONTEXT: Final = "select set_config("
"""What a connection is told when the request before it was somebody else's, on whatever it was."""
_NAMES: Final[Mapping[str, str]] = {sql: name for name, sql in STATEMENTS.items()}
_WORK: Final[ContextVar[Work | None]] = ContextVar("work", default=None)
"""A statement that is run for several requests at once counts for the one that started it."""


@contextmanager
def counted() -> Iterator[Work]:
    """Lend the work of whatever is awaited in the block."""
    work = Work()
    token = _WORK.set(work)
    try:
        yield work
    finally:
        _WORK.reset(token)


class _Watching(asyncpg.Connection):
    """A connection that notes its statements."""

    @override
    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return _noted(query, await super().fetch(query, *args, **options))

    @override
    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return _noted(query, await super().fetchrow(query, *args, **options))

    @override
    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return _noted(query, await super().fetchval(query, *args, **options))

    @override
    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        status: str = _noted(query, await super().execute(query, *args, **options))
        return status


@contextmanager
def watched() -> Iterator[None]:
    """Make every pool that is opened in the block one of connections that are watched."""
    original = asyncpg.create_pool

    def create(*args: Any, connection_class: type[Any] = asyncpg.Connection, **rest: Any) -> Any:
        kind = type(f"Watched{connection_class.__name__}", (_Watching, connection_class), {})
        return original(*args, connection_class=kind, **rest)

    asyncpg.create_pool = create
    try:
        yield
    finally:
        asyncpg.create_pool = original


def _noted(sql: str, rows: Any) -> Any:
    work = _WORK.get()
    if work is not None:
        work.note(sql, rows)
    return rows


def _size(rows: object) -> int:
    match rows:
        case bytes():
            return len(rows)
        case list() | asyncpg.Record():
            return sum(_size(value) for value in rows)
        case _:
            return 0
