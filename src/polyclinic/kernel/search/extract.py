"""From a resource to its index values.

For each resource type a tree of closures is built when the first resource of it comes: each level
fetches the attributes that search parameters pass, and calls on for those that are there. What a
call costs follows from what a resource holds, not from how many parameters its type has.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from keyword import iskeyword
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.search.canonicals import answers
from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters
from polyclinic.kernel.search.elements import EMITTERS
from polyclinic.kernel.search.gathered import Emit, Gathered
from polyclinic.kernel.search.index_values import (
    MAX_VALUES,
    CompositeValue,
    IndexValues,
    ReferenceValue,
    Row,
    TokenValue,
)
from polyclinic.kernel.search.parameters import (
    COLUMN_PARAMETERS,
    Component,
    Path,
    SearchParameter,
    Step,
    compartment_parameters,
    parameters,
)
from polyclinic.kernel.search.resource_words import said
from polyclinic.kernel.types import Resource

_LISTS: Final = {
    "token": "tokens",
    "string": "strings",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
}
"""Where the emitters of a component's type put their rows."""


def extract(resource: Resource, base: str = "", custom: CustomParameters = NONE) -> IndexValues:
    """Return what the resource can be found by.

    ``base`` is the URL of this server's FHIR endpoint with a slash at its end: references that name
    it are the same as relative ones. ``custom`` are the parameters that its tenant defined.

    Raise InvalidResource when there are more than MAX_VALUES values.
    """
    out = Gathered(resource.content, base)
    extractor(resource.type)(resource.content, out)
    _limit(out)
    own = custom.own.get(resource.type)
    if own is not None:
        custom.gather(resource.type, resource.content, out)
    return IndexValues(
        resource.type,
        out.tokens,
        out.references,
        out.uris,
        out.identifiers,
        out.strings,
        out.dates,
        out.numbers,
        out.quantities,
        out.positions,
        out.composites,
        _patients(resource, out.references),
        out.shortened,
        _contained(resource.content),
        said(resource.body),
        own,
        tuple(sorted(out.faults)),
        out.canonicals,
        answers(resource),
    )


def _contained(content: Any) -> tuple[str, ...]:
    contained = getattr(content, "contained", UNSET)
    return tuple(sorted({one.fhir_type for one in contained})) if contained else ()


def _limit(out: Gathered) -> None:
    total = len(out.tokens) + len(out.references) + len(out.uris) + len(out.strings)
    total += len(out.dates) + len(out.numbers) + len(out.quantities) + len(out.composites)
    if total > MAX_VALUES:
        message = f"The resource has more than {MAX_VALUES} searchable values; divide it."
        raise InvalidResource((Issue("too-costly", message),))


def _patients(resource: Resource, references: Iterable[ReferenceValue]) -> list[str]:
    codes = compartment_parameters(resource.type)
    found = {
        reference.id
        for reference in references
        if reference.target == "Patient" and reference.param in codes
    }
    if resource.type == "Patient":
        found.add(resource.id)
    return sorted(found)


@dataclass(slots=True)
class _Node:
    """What the search parameters of a type do at one element."""

    emits: list[Emit] = field(default_factory=list)
    leaves: dict[tuple[str, Path], list[str]] = field(default_factory=dict)
    children: dict[Step, "_Node"] = field(default_factory=dict)
    composites: dict[str, list[Emit]] = field(default_factory=dict)
    """By the attribute that the last component starts from."""

    def below(self, steps: Iterable[Step]) -> "_Node":
        node = self
        for step in steps:
            node = node.children.setdefault(step, _Node())
        return node

    def add(self, param: str, kind: str, paths: Iterable[Path]) -> None:
        for path in paths:
            leaf = Path((), path.type, path.system, path.resolves)
            self.below(path.steps).leaves.setdefault((kind, leaf), []).append(param)

    def combine(self, emit: Emit, components: Sequence[Component]) -> None:
        """Add a composite, to be looked at only where its last component has a value.

        A code is always there, a value of one type of a choice seldom.
        """
        for path in components[-1].paths:
            self.composites.setdefault(attribute(path.steps[0].name), []).append(emit)

    def compiled(self) -> Emit:
        emits = list(self.emits)
        for (kind, path), params in self.leaves.items():
            emits.append(EMITTERS[kind, path.type](tuple(params), path))
        if self.composites:
            emits.append(_visit_composites(self.composites))
        if self.children:
            emits.append(_visit(self.children))
        return emits[0] if len(emits) == 1 else _all(tuple(emits))


@cache
def extractor(resource_type: str) -> Emit:
    """Return the function that adds the rows of a resource's content."""
    root = _Node()
    for parameter in parameters(resource_type).values():
        if parameter.code in COLUMN_PARAMETERS:
            continue
        if parameter.type == "composite":
            ways = zip(parameter.paths, parameter.composites, strict=True)
            for at, (path, components) in enumerate(ways):
                emit = _composite(parameter.code, at, components)
                root.below(path.steps).combine(emit, components)
        elif any(path.exists for path in parameter.paths):
            root.emits.append(_existence(parameter))
        else:
            root.add(parameter.code, parameter.type, parameter.paths)
    return root.compiled()


def attribute(name: str) -> str:
    """Return the attribute of a Struct that holds a JSON property."""
    return f"{name}_" if iskeyword(name) else name


def _all(emits: Sequence[Emit]) -> Emit:
    def emit(value: Any, out: Gathered) -> None:
        for one in emits:
            one(value, out)

    return emit


def _visit(children: dict[Step, _Node]) -> Emit:
    """Return what fetches the children of an element in one call and hands on those present."""
    emits = tuple(_stepped(step, node.compiled()) for step, node in children.items())
    names = [attribute(step.name) for step in children]
    if len(names) == 1:
        return _visit_one(names[0], emits[0])
    fetch: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)

    def emit(value: Any, out: Gathered) -> None:
        for child, one in zip(fetch(value), emits):  # noqa: B905 - same length; strict costs time
            if child is not UNSET:
                one(child, out)

    return emit


def _visit_one(name: str, one: Emit) -> Emit:
    fetch = attrgetter(name)

    def emit(value: Any, out: Gathered) -> None:
        child = fetch(value)
        if child is not UNSET:
            one(child, out)

    return emit


def _stepped(step: Step, one: Emit) -> Emit:
    """Return the emitter of what one step leads to: an element, or the items of a list."""
    if not step.many:
        return one
    if step.first:
        return lambda values, out: one(values[0], out)
    if step.where:
        return _chosen(attribute(step.where[0]), step.where[1], one)

    def emit(values: Sequence[Any], out: Gathered) -> None:
        for value in values:
            if value is not None:
                one(value, out)

    return emit


def _chosen(name: str, wanted: str, one: Emit) -> Emit:
    fetch = attrgetter(name)

    def emit(values: Sequence[Any], out: Gathered) -> None:
        for value in values:
            if fetch(value) == wanted:
                one(value, out)

    return emit


def _existence(parameter: SearchParameter) -> Emit:
    """Return the emitter of ``x.exists() and x != false``, which is true or false, never absent."""
    fetches = [attrgetter(attribute(path.steps[0].name)) for path in parameter.paths]
    system = parameter.paths[0].system

    def emit(value: Any, out: Gathered) -> None:
        there = any(fetch(value) not in {UNSET, False} for fetch in fetches)
        out.tokens.append(TokenValue(parameter.code, system, "true" if there else "false"))

    return emit


def _visit_composites(composites: dict[str, list[Emit]]) -> Emit:
    attributes = tuple((name, tuple(emits)) for name, emits in composites.items())

    def emit(value: Any, out: Gathered) -> None:
        for name, emits in attributes:
            if getattr(value, name) is not UNSET:
                for one in emits:
                    one(value, out)

    return emit


def _composite(param: str, at: int, components: Sequence[Component]) -> Emit:
    """Return the emitter of one element's composite, which needs a value for each component."""
    parts = tuple(_component(component) for component in components)

    def emit(value: Any, out: Gathered) -> None:
        found = tuple([part(value, out) for part in parts])
        if all(found):
            out.composites.append(CompositeValue(param, found, at))

    return emit


def _component(component: Component) -> Callable[[Any, Gathered], tuple[Row, ...]]:
    """Return what takes a component's rows of one element."""
    node = _Node()
    node.add(component.code, component.type, component.paths)
    emit = node.compiled()
    if component.from_resource:
        emit = _from_resource(emit)
    if component.type == "reference":
        return _taken_references(emit)
    return _taken(emit, attrgetter(_LISTS[component.type]))


def _from_resource(emit: Emit) -> Emit:
    return lambda _, out: emit(out.root, out)


def _taken(
    emit: Emit, rows_of: Callable[[Gathered], list[Row]]
) -> Callable[[Any, Gathered], tuple[Row, ...]]:
    """Return what gathers rows at the end of the resource's own and takes them from there."""

    def taken(value: Any, out: Gathered) -> tuple[Row, ...]:
        rows = rows_of(out)
        start = len(rows)
        emit(value, out)
        found = tuple(rows[start:])
        del rows[start:]
        return found

    return taken


def _taken_references(emit: Emit) -> Callable[[Any, Gathered], tuple[Row, ...]]:
    def taken(value: Any, out: Gathered) -> tuple[Row, ...]:
        scratch = Gathered(out.root, out.base)
        emit(value, scratch)
        return (*scratch.references, *scratch.uris)

    return taken
