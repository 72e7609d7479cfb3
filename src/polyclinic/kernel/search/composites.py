"""How the components of a composite parameter belong together.

A composite has one tie or more: places in a resource where its components meet. At a place that a
resource has once, they belong together because they are one resource's: what is asked of the
composite is then asked of the parameters over the same elements, and nothing has to be stored. At a
place that comes many times, an Observation's ``component``, what is stored has to tell one from the
next. https://hl7.org/fhir/R4/search.html#composite
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from polyclinic.kernel.search.parameters import (
    Component,
    Path,
    SearchParameter,
    Step,
    parameters,
)

HASHED: Final = frozenset({"token", "reference", "uri"})
"""The types of parameters whose values are searched for as a whole."""


@dataclass(frozen=True, slots=True)
class Tie:
    """One place where the components of a composite meet."""

    name: str
    """Under which its keys and rows stand; composites over the same elements share it."""
    code: str
    """The composite whose values are filed under the name."""
    at: int
    """Which of that composite's paths it is."""
    components: tuple[Component, ...]
    own: tuple[SearchParameter | None, ...]
    """By component, the parameter whose values of the resource are the component's; else None."""
    loose: tuple[SearchParameter, ...]
    """Those among them that have further values, which the component has not."""

    @property
    def stored(self) -> bool:
        """Say whether it has keys or rows of its own."""
        return None in self.own

    @property
    def hashed(self) -> tuple[int, ...]:
        """Return which components are found by hashes of the tie."""
        return tuple(
            at
            for at, (component, own) in enumerate(zip(self.components, self.own, strict=True))
            if own is None and component.type in HASHED
        )

    @property
    def ordered(self) -> tuple[int, ...]:
        """Return which components have rows of the tie."""
        return tuple(
            at
            for at, (component, own) in enumerate(zip(self.components, self.own, strict=True))
            if own is None and component.type not in HASHED
        )


@cache
def ties(resource_type: str) -> Mapping[str, tuple[Tie, ...]]:
    """Return the ties of each composite of a type, in the order of the composite's paths."""
    known = parameters(resource_type)
    composites = [param for param in known.values() if param.type == "composite"]
    found: dict[object, Tie] = {}
    by_code: dict[str, tuple[Tie, ...]] = {}
    # A composite of one path gives the name to what it shares with a composite of more.
    for param in sorted(composites, key=lambda one: (len(one.paths), one.code)):
        by_code[param.code] = tuple(
            found.setdefault(_elements(path, components), _tie(param, at, known))
            for at, (path, components) in enumerate(zip(param.paths, param.composites, strict=True))
        )
    return by_code


def ties_of(resource_type: str, param: SearchParameter) -> tuple[Tie, ...]:
    """Return the ties of a composite of a type."""
    return (custom_tie(param),) if param.custom else ties(resource_type)[param.code]


def custom_tie(param: SearchParameter) -> Tie:
    """Return where the components of a composite meet that a tenant defined: at each element."""
    (components,) = param.composites
    own = (None,) * len(components)
    return Tie(param.code, param.code, 0, components, own, loose=())


def _elements(path: Path, components: Sequence[Component]) -> object:
    """Return what is the same for composites whose values are drawn from the same elements."""
    return path.steps, tuple(
        (component.type, component.from_resource, frozenset(component.paths))
        for component in components
    )


def _tie(param: SearchParameter, at: int, known: Mapping[str, SearchParameter]) -> Tie:
    path, components = param.paths[at], param.composites[at]
    once = not any(step.many for step in path.steps)
    found = [
        _own(component, () if component.from_resource else path.steps, known)
        if once or component.from_resource
        else (None, False)
        for component in components
    ]
    if once and any(own is None for own, _ in found):
        found = [(None, False)] * len(found)
    elif not once:
        found = [(None, False) if loose else (own, False) for own, loose in found]
    return Tie(
        name=f"{param.code}#{at}" if at else param.code,
        code=param.code,
        at=at,
        components=components,
        own=tuple(own for own, _ in found),
        loose=tuple(own for own, loose in found if own and loose),
    )


def _own(
    component: Component, start: tuple[Step, ...], known: Mapping[str, SearchParameter]
) -> tuple[SearchParameter | None, bool]:
    """Return the parameter with a component's values, and whether it has further ones."""
    wanted = _ways(component.paths, start)
    able = [
        param
        for param in known.values()
        if param.type == component.type and wanted <= _ways(param.paths, ())
    ]
    if not able:
        return None, False
    best = min(able, key=lambda param: (len(_ways(param.paths, ())), param.code))
    return best, _ways(best.paths, ()) != wanted


def _ways(paths: Sequence[Path], start: tuple[Step, ...]) -> frozenset[object]:
    return frozenset(
        (start + path.steps, path.type, path.system, path.resolves, path.exists) for path in paths
    )
