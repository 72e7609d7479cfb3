"""Password hashes, computed by few threads: a flood of sign-ins cannot take memory or cores.

The threads are those of a process, for all its tenants; half of the queue before them is the most
that one tenant can fill.

argon2id with 46 MiB, one pass, one lane: the first choice of OWASP's Password Storage Cheat Sheet.
"""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from polyclinic.base.lanes import LANE
from polyclinic.modules.identity.model import Busy

Result = TypeVar("Result")

_MEMORY_KIB: Final = 47_104
_AT_ONCE: Final = 1
_WAITING: Final = 32
_WAITING_OF_ONE: Final = _WAITING // 2
LONGEST: Final = 256
"""Characters of a password; more would only be work."""


def _of_nobody() -> str:
    """Return what looks like a hash and is none of any password."""
    salt, digest = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY_KIB},t=1,p=1${salt}${digest}"


class Passwords:
    """Hash and verify, for all tenants."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=1, memory_cost=_MEMORY_KIB, parallelism=1, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._waiting: Counter[int | None] = Counter()
        self._nobody = _of_nobody()

    async def hash(self, password: str) -> str:
        """Return the PHC string of a password. Raise ``Busy``."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Say whether a password is right; without a hash, take as long and say no.

        Raise ``Busy``.
        """
        right = await self._run(self._matches, password, password_hash or self._nobody)
        return right and password_hash is not None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., Result], *arguments: str) -> Result:
        lane = LANE.get()
        most = _WAITING if lane is None else _WAITING_OF_ONE
        if self._waiting[lane] >= most or self._waiting.total() >= _WAITING:
            raise Busy
        self._waiting[lane] += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting[lane] -= 1
            if not self._waiting[lane]:
                del self._waiting[lane]
