"""Looking back: what was at a moment, what changed since, and how to undo it."""

from datetime import datetime

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.store.differences import Differences
from polyclinic.kernel.store.past import Past, PastRights
from polyclinic.kernel.store.undoing import Undoing
from polyclinic.kernel.types import type_number


class LookBack:
    """What the store tells of the past, besides versions and searches."""

    def __init__(self, past: Past, rights: PastRights) -> None:
        self._past = past
        self.differences = Differences(past, rights)
        self.undoing = Undoing(past, rights)

    async def version(
        self, principal: Principal, resource_type: str, resource_id: str, at: datetime
    ) -> int:
        """Return the number of the version that was current at a moment, 0 for none.

        It says nothing of what the principal may see: whoever asks reads that version, as always.
        """
        place = type_number(resource_type), resource_id
        return await self._past.version(principal.tenant, place, at)
