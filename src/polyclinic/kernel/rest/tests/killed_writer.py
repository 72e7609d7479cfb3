"""A process that answers one request with an Idempotency-Key and kills itself on the way.

Arguments: database URL, tenant, key-encryption key in hexadecimal, where to die, path, body; or,
instead of the body, @ and the file that it stands in.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.rest import idempotency as edge
from polyclinic.kernel.store import idempotency, open_store, writing
from polyclinic.testing.clinic import Clinic
from polyclinic.testing.retries import ACCOUNT, KEY


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, nth: int = 1) -> None:
    """Let the process die when something is called for the nth time."""
    original, calls = getattr(owner, name), count(1)

    async def dying(*given: Any) -> Any:
        if next(calls) == nth:
            die()
        return await original(*given)

    setattr(owner, name, dying)


def after(owner: Any, name: str) -> None:
    """Let the process die when something was done."""
    original = getattr(owner, name)

    async def dying(*given: Any) -> Any:
        await original(*given)
        die()

    setattr(owner, name, dying)


POINTS = {
    "claimed": lambda: before(edge, "_first"),
    "written": lambda: before(idempotency.AnswerKeeper, "keep"),
    "kept": lambda: after(idempotency.Claim, "keep"),
    "committed": lambda: after(writing, "commit"),
}
BATCH_POINTS = {
    **POINTS,
    "one of two": lambda: before(edge, "_part", 2),
    "all but the whole": lambda: before(idempotency.Claim, "keep_alone"),
}

LARGE_POINTS = {
    "half": lambda: before(writing.Writer, "_write_rows", 5),
    "last": lambda: before(writing, "commit"),
}


async def main(arguments: list[str]) -> None:
    url, tenant, kek, point, path, body = arguments
    (BATCH_POINTS | LARGE_POINTS)[point]()
    clock = SystemClock()
    async with open_store(url, Settings(), clock=clock, ids=TimeOrderedIds(clock)) as store:
        clinic = Clinic(
            store, await store.open_tenant(tenant, KeyRing([Sealer(bytes.fromhex(kek))]))
        )
        principal = replace(clinic.principal("job"), account=ACCOUNT)
        async with clinic.client(principal) as client:
            await client.post(path, content=body, headers={"idempotency-key": KEY})


if __name__ == "__main__":
    *given, content = sys.argv[1:]
    if content.startswith("@"):
        content = Path(content[1:]).read_text()
    asyncio.run(main([*given, content]))
