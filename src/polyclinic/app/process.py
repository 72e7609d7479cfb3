"""How a process of ours runs: its event loop and its garbage collector."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_YOUNG_OBJECTS: Final = 20_000


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work to its end, on uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.run(work)


def calm_collector() -> None:
    """Keep the garbage collector from walking what lives as long as the process.

    Requests and loads leave next to no cycles behind, and a full collection walks every table
    and cache.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
