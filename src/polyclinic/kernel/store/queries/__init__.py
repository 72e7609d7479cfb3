"""The store's SQL, one named statement after a ``-- name --`` line each."""

import re
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)


def _load() -> dict[str, str]:
    statements: dict[str, str] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))[1:]
        statements.update(
            (name, text.strip()) for name, text in zip(parts[::2], parts[1::2], strict=True)
        )
    return statements


STATEMENTS: Final = _load()
