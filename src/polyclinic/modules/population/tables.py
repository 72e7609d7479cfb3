"""The tables of this module, read once from `data/`; each names the source of its facts."""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@cache
def table(name: str) -> dict[str, Any]:
    """Return the table `data/<name>.json`; callers must not change it."""
    content = files("polyclinic.modules.population").joinpath("data", f"{name}.json").read_bytes()
    decoded: dict[str, Any] = msgspec.json.decode(content)
    return decoded
