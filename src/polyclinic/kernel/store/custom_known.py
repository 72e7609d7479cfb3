"""What a process knows of the search parameters that a tenant defined.

It learns them where it looks for the tenant's policy, at most a second after they were changed
(``policies.py``). What was written by less is refused by the statement itself, and made ready anew
(``queries/write.sql``): no row is filed by what does not hold any more.
"""

import msgspec

from polyclinic.base.db.connect import Record
from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters, Stored

_decode = msgspec.json.Decoder(Stored).decode


class Known:
    """The parameters of one tenant, replaced when there are others."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now: CustomParameters = NONE

    def learn(self, row: Record) -> None:
        """Take a row of ``custom_search``, unless a newer one is known."""
        if row["search_revision"] > self.now.revision:
            stored = _decode(row["search"])
            self.now = CustomParameters(stored, row["search_revision"], row["search_number"])
