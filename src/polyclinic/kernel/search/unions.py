"""Parameters that have just the values of several others, such as ``combo-code``.

What the others are found by is not written twice: a query for such a parameter asks for each of
them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from polyclinic.kernel.search.parameters import SearchParameter, parameters

_UNITED: Final = frozenset({"token", "quantity"})


@cache
def unions(resource_type: str) -> Mapping[str, tuple[str, ...]]:
    """Return, by its code, the codes of the parameters whose values a parameter of a type has."""
    known = parameters(resource_type)
    found: dict[str, tuple[str, ...]] = {}
    for code, param in known.items():
        if param.type not in _UNITED or param.keyed_as != code:
            continue
        own = _ways(param)
        parts = {
            other.code: _ways(other)
            for other in known.values()
            if other.type == param.type
            and other.keyed_as == other.code
            and other.implicit_system == param.implicit_system
            and _ways(other) < own
        }
        if own and own == frozenset[object]().union(*parts.values()):
            found[code] = tuple(parts)
    # The parts of parts would be asked for twice.
    return {
        code: tuple(part for part in parts if part not in found) for code, parts in found.items()
    }


def _ways(param: SearchParameter) -> frozenset[object]:
    return frozenset((path.steps, path.type, path.exists) for path in param.paths)
