"""New logical ids, valid as a FHIR id and ordered by time.

https://hl7.org/fhir/R4/datatypes.html#id, RFC 9562 section 5.7 (UUID version 7)
"""

import secrets
from typing import Final, Protocol
from uuid import UUID

from polyclinic.base.clock import Clock, SystemClock

_COUNTER_BITS: Final = 12
_RANDOM_BITS: Final = 62
_VERSION: Final = 7 << 76
_VARIANT: Final = 0b10 << _RANDOM_BITS


class Ids(Protocol):
    """Make ids that nobody has used."""

    def new(self) -> str:
        """Return an id of 1 to 64 characters of ``A-Z a-z 0-9 - .``."""
        ...


class TimeOrderedIds:
    """UUID version 7: neighbours in time are neighbours in an index, and none can be guessed.

    Within one process ids rise strictly: the 12 bits after the millisecond count up (method 1 of
    RFC 9562 section 6.2), and a clock that steps back is held at its last reading.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last = 0

    def new(self) -> str:
        """Return a UUID version 7 in its usual spelling, 36 characters."""
        millisecond = int(self._clock.now().timestamp() * 1000)
        self._last = max(millisecond << _COUNTER_BITS, self._last + 1)
        milliseconds, counter = divmod(self._last, 1 << _COUNTER_BITS)
        random = secrets.randbits(_RANDOM_BITS)
        return str(UUID(int=milliseconds << 80 | _VERSION | counter << 64 | _VARIANT | random))
