"""Make ``kernel/search/tables/words.json``: the properties whose strings are texts.

``python tools/search_words.py`` reads the tables of types that are there already. A name counts
when an element of that name is a string or markdown somewhere in R4, and where its strings
do not name, link or carry something instead of saying it.
"""

import json
import sys
from pathlib import Path
from typing import Final

from polyclinic.kernel.types.definitions import TABLES, type_definition

TARGET: Final = TABLES.parents[1] / "search" / "tables" / "words.json"
_TEXTS: Final = frozenset({"string", "markdown"})
_SILENT: Final = frozenset(
    {
        "code",
        "data",
        "div",
        "id",
        "language",
        "linkId",
        "reference",
        "status",
        "type",
        "url",
        "versionId",
    }
)
"""Names of codes, links and data somewhere, of strings elsewhere; the narrative is apart."""


def names() -> list[str]:
    """Return the names, sorted."""
    found: set[str] = set()
    for path in sorted(TABLES.glob("*.json")):
        table = json.loads(path.read_text())
        if "elements" in table:
            for group in table["elements"]:
                found.update(_telling(group))
    return sorted(found - _SILENT)


def _telling(group: str) -> set[str]:
    return {name for name, one in type_definition(group).properties.items() if one.type in _TEXTS}


def main() -> None:
    """Write the table."""
    Path(TARGET).write_text(json.dumps(names(), indent=0) + "\n")
    sys.stdout.write(f"{TARGET.name}: {len(names())} names\n")


if __name__ == "__main__":
    main()
