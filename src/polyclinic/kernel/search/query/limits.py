"""How much one search may ask, so that reading it costs little whatever is sent."""

from typing import Final, NoReturn

from polyclinic.kernel.errors import BadRequest

MOST_PARAMETERS: Final = 200
"""Parameters of one request."""

MOST_VALUES: Final = 500
"""Values between the commas of one parameter."""

MOST_LEAVES: Final = 5_000
"""Leaves of the tree; a bare id stands for as many as its reference has types."""

MOST_LINKS: Final = 128
"""Links of the tree; one that names no type stands for as many as it may lead to."""

DEEPEST: Final = 8
"""Links of a chain and of ``_has``, one in another."""

MOST_TARGETS: Final = 24
"""Types that one link of a chain may lead to when none is named."""

DEEPEST_PARENTHESES: Final = 16
"""Of ``_filter``, ``_text`` and ``_content``."""

LONGEST_NAME: Final = 512
"""Characters of a parameter's name with its chain."""

LONGEST_EXPRESSION: Final = 8_192
"""Characters of a ``_filter``."""

MOST_INCLUDES: Final = 40
MOST_SORT_KEYS: Final = 8
MOST_ELEMENTS: Final = 200

_SHOWN: Final = 64


def refuse(message: str) -> NoReturn:
    """Raise ``BadRequest``; the message says what is wrong and what to write instead."""
    raise BadRequest(message)


def shown(text: str) -> str:
    """Return as much of what was sent as a message repeats."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class Budget:
    """What is left of ``MOST_LEAVES`` and ``MOST_LINKS`` while a tree grows."""

    __slots__ = ("_leaves", "_links")

    def __init__(self) -> None:
        self._leaves = MOST_LEAVES
        self._links = MOST_LINKS

    def link(self) -> None:
        """Count a link. Raise ``BadRequest`` when they are too many."""
        self._links -= 1
        if self._links < 0:
            refuse(
                f"The search follows references in over {MOST_LINKS} ways; name their types, as in "
                "subject:Patient.name."
            )

    def take(self, leaves: int) -> None:
        """Count some leaves. Raise ``BadRequest`` when they are too many."""
        self._leaves -= leaves
        if self._leaves < 0:
            refuse(
                f"The search has over {MOST_LEAVES} conditions; name the types of references, as "
                "in Patient/123, or search in parts."
            )
