"""The tables of accounts and sessions; this module's only SQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from polyclinic.base.db.connect import Connection, Record
from polyclinic.base.db.pool import Pool
from polyclinic.kernel.store.faults import translated
from polyclinic.modules.identity.model import Account, NewAccount, Session, SessionKind

_ACCOUNT: Final = (
    "a.account, a.tenant, a.name, a.display, a.password_hash, a.roles, a.patient, a.practitioner,"
    " a.represents, a.disabled"
)


class Accounts:
    """Accounts and sessions of one tenant in the database: no statement reaches another's."""

    def __init__(self, pool: Pool, tenant: int) -> None:
        self._pool = pool
        self.tenant = tenant

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Lend a connection. Raise ``Unavailable`` when the database is away."""
        with translated():
            async with self._pool.acquire() as connection:
                yield connection

    async def by_name(self, name: str) -> Account | None:
        """Return the account of a name."""
        if "\0" in name:  # PostgreSQL has no such text
            return None
        async with self._connection() as connection:
            row = await connection.fetchrow(
                f"select {_ACCOUNT} from account a where a.tenant = $1 and a.name = $2",  # noqa: S608
                self.tenant,
                name,
            )
        return _account(row) if row else None

    async def put(self, new: NewAccount, now: datetime) -> Account:
        """Make an account, or give the one of that name this password, these roles and patient."""
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(
                "insert into account as a"  # noqa: S608 - names of columns
                " (tenant, name, display, roles, password_hash, patient, created)"
                " values ($1, $2, $3, $4, $5, $6, $7)"
                " on conflict (tenant, name) do update set display = excluded.display,"
                "  roles = excluded.roles, password_hash = excluded.password_hash,"
                "  patient = excluded.patient"
                f" returning {_ACCOUNT}",
                *(self.tenant, new.name, new.display, sorted(new.roles)),
                *(new.password_hash, new.patient, now),
            )
            await connection.execute("select nextval('revocation')")
        assert row is not None
        return _account(row)

    async def all(self) -> list[Account]:
        """Return every account, by name."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                f"select {_ACCOUNT} from account a where a.tenant = $1 order by a.name",  # noqa: S608
                self.tenant,
            )
        return [_account(row) for row in rows]

    async def set_password(self, name: str, password_hash: str) -> None:
        """Change a password, and end every session and token of the account."""
        async with self._connection() as connection, connection.transaction():
            number = await connection.fetchval(
                "update account set password_hash = $3 where tenant = $1 and name = $2"
                " returning account",
                *(self.tenant, name, password_hash),
            )
            await _end_sessions(connection, number)

    async def link(self, name: str, practitioner: str | None, represents: list[str]) -> None:
        """Say which Practitioner an account is, and for which Patients it acts from now on."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(
                "update account set practitioner = $3, represents = $4"
                " where tenant = $1 and name = $2",
                *(self.tenant, name, practitioner, represents),
            )
            await connection.execute("select nextval('revocation')")

    async def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Disable an account, which ends every session and token of it, or enable it."""
        async with self._connection() as connection, connection.transaction():
            number = await connection.fetchval(
                "update account set disabled = $3 where tenant = $1 and name = $2"
                " returning account",
                *(self.tenant, name, disabled),
            )
            await _end_sessions(connection, number)

    async def open_session(
        self, secret_hash: bytes, account: int, kind: SessionKind, label: str, times: "Times"
    ) -> None:
        """Store a session under the hash of its secret."""
        async with self._connection() as connection:
            await connection.execute(
                "insert into session"
                " (tenant, secret_hash, account, kind, label, created, seen, expires)"
                " values ($1, $2, $3, $4, $5, $6, $6, $7)",
                *(self.tenant, secret_hash, account, kind, label, *times),
            )

    async def session(self, secret_hash: bytes, now: datetime) -> Session | None:
        """Return a session that has not expired, of an account that is not disabled."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                f"select {_ACCOUNT}, s.kind, s.expires, s.seen"  # noqa: S608 - names of columns
                " from session s join account a on a.account = s.account"
                " where s.tenant = $1 and s.secret_hash = $2 and s.expires > $3"
                " and not a.disabled",
                *(self.tenant, secret_hash, now),
            )
        return Session(_account(row), row["kind"], row["expires"], row["seen"]) if row else None

    async def touch(self, secret_hash: bytes, now: datetime) -> None:
        """Note that a session is in use."""
        async with self._connection() as connection:
            await connection.execute(
                "update session set seen = $3 where tenant = $1 and secret_hash = $2 and seen < $3",
                *(self.tenant, secret_hash, now),
            )

    async def close_session(self, secret_hash: bytes) -> None:
        """End a session, and tell every process that some session ended."""
        async with self._connection() as connection:
            await connection.execute(
                "delete from session where tenant = $1 and secret_hash = $2",
                *(self.tenant, secret_hash),
            )
            await connection.execute("select nextval('revocation')")

    async def revocations(self) -> int:
        """Return a number that moves whenever a session ends before its time."""
        async with self._connection() as connection:
            return int(await connection.fetchval("select last_value from revocation"))

    async def count_attempt(self, subject: bytes, window: datetime, since: datetime) -> int:
        """Count an attempt to sign in, and return how many there were since a moment."""
        async with self._connection() as connection:
            await connection.execute(
                "insert into sign_in_failure as f (tenant, subject, window_start, failures)"
                " values ($1, $2, $3, 1) on conflict (tenant, subject, window_start)"
                " do update set failures = f.failures + 1",
                *(self.tenant, subject, window),
            )
            return int(
                await connection.fetchval(
                    "select sum(failures) from sign_in_failure"
                    " where tenant = $1 and subject = $2 and window_start >= $3",
                    *(self.tenant, subject, since),
                )
            )

    async def forgive(self, subject: bytes, window: datetime) -> None:
        """Take an attempt out of the count again."""
        async with self._connection() as connection:
            await connection.execute(
                "update sign_in_failure set failures = failures - 1"
                " where tenant = $1 and subject = $2 and window_start = $3",
                *(self.tenant, subject, window),
            )

    async def sweep(self, now: datetime, window: datetime) -> None:
        """Remove expired sessions and old counts."""
        async with self._connection() as connection:
            await connection.execute(
                "delete from session where tenant = $1 and expires < $2", self.tenant, now
            )
            await connection.execute(
                "delete from sign_in_failure where tenant = $1 and window_start < $2",
                *(self.tenant, window),
            )


Times = tuple[datetime, datetime]
"""When a session was made and when it ends."""


async def _end_sessions(connection: Connection, account: int) -> None:
    """End every session of an account, and tell every process that some session ended."""
    await connection.execute("delete from session where account = $1", account)
    await connection.execute("select nextval('revocation')")


def _account(row: Record) -> Account:
    return Account(
        number=row["account"],
        tenant=row["tenant"],
        name=row["name"],
        display=row["display"],
        password_hash=row["password_hash"],
        roles=frozenset(row["roles"]),
        patient=row["patient"],
        practitioner=row["practitioner"],
        represents=frozenset(row["represents"]),
        disabled=row["disabled"],
    )
