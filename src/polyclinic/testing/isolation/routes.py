"""How to call the routes of modules: each module says it in ``tests/isolation_calls.py``.

That file has one name, ``CALLS``: from ``"METHOD /path"`` to a function that takes a Chance and
returns a Call, about other people's ids, names and accounts as often as about the asker's.
"""

from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from polyclinic.kernel.module import Module, Route
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.interactions import Unwatched

RouteMaker = Callable[[Chance], Call]
"""Makes a request of a route."""
DECLARED = "tests/isolation_calls.py"


def declared(modules: Path) -> dict[str, RouteMaker]:
    """Return what the modules below a folder say, by method and path."""
    found: dict[str, RouteMaker] = {}
    for file in sorted(modules.glob(f"*/{DECLARED}")):
        spec = spec_from_file_location(f"isolation_calls_{file.parts[-3]}", file)
        assert spec is not None
        assert spec.loader is not None
        loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
        found |= loaded.CALLS
    return found


def route_maker(module: Module, route: Route, known: Mapping[str, RouteMaker]) -> RouteMaker:
    """Return how to call a route. Raise ``Unwatched`` with what to add."""
    key = f"{route.method} {route.path}"
    if key not in known:
        message = (
            f"The twin-world test does not know how to call {key}. Add {key!r} to CALLS in "
            f"modules/{module.name}/{DECLARED}: a function of a Chance that returns a Call, about "
            "ids of THEIRS (polyclinic.testing.isolation.population) as often as the asker's."
        )
        raise Unwatched(message)
    return known[key]
