"""Long work in short pieces, so that a large transaction keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

Item = TypeVar("Item")
_AT_ONCE: Final = 64
"""Resources that are prepared in one turn of the event loop: some 10 ms."""


async def paced(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield items, and let others have their turn now and then."""
    for count, item in enumerate(items, 1):
        yield item
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
