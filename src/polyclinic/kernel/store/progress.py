"""How far a file was loaded, so that a second run goes on from there."""

from polyclinic.kernel.store.connections import Connections
from polyclinic.kernel.store.faults import translated
from polyclinic.kernel.store.queries import STATEMENTS


class Progress:
    """The lines of files that have been loaded."""

    def __init__(self, connections: Connections, tenant: int) -> None:
        self._connections = connections
        self._tenant = tenant

    async def lines(self, file_digest: bytes) -> int:
        """Return how many lines of an unfinished file are stored; 0 for a new or finished one."""
        with translated():
            found = await self._connections.fetchval(
                STATEMENTS["load_progress"], self._tenant, file_digest
            )
        return int(found or 0)

    async def note(self, file_digest: bytes, lines: int, *, finished: bool) -> None:
        """Note that a file's first lines are stored."""
        with translated():
            await self._connections.execute(
                STATEMENTS["load_progress_put"], self._tenant, file_digest, lines, finished
            )
