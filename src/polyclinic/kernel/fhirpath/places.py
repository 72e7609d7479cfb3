"""Where in a JSON resource the elements stand that an expression gives, to change them there.

Objects are known by their identity; values of primitives are not, so the parts of an expression are
run one after the other, each on elements whose places are known.
"""

from dataclasses import dataclass, replace
from typing import Any

from polyclinic.kernel.fhirpath.analysis import check
from polyclinic.kernel.fhirpath.compiler import closure
from polyclinic.kernel.fhirpath.errors import EvaluationError, LimitExceeded
from polyclinic.kernel.fhirpath.json_elements import json_names
from polyclinic.kernel.fhirpath.limits import SLICE, Limits
from polyclinic.kernel.fhirpath.model import ELEMENT, head_type
from polyclinic.kernel.fhirpath.node import Collection, Node, resource_node
from polyclinic.kernel.fhirpath.parser import parse
from polyclinic.kernel.fhirpath.run import Environment, Run
from polyclinic.kernel.fhirpath.syntax import Call, Expression, Indexer, Path, Special, TypeTest
from polyclinic.kernel.fhirpath.walk import elements
from polyclinic.kernel.types.definitions import Property

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where an element stands."""

    node: Node
    above: "Place | None"
    """The element that has it; None for the resource itself."""
    element: Property | None
    """The JSON property under which it stands."""
    index: int | None
    """In a list."""

    @property
    def object(self) -> Json | None:
        """Return the object whose members are below it; of a primitive, its id and extensions."""
        found = self.node.element if self.node.type.primitive else self.node.value
        return found if isinstance(found, dict) else None


class Places:
    """The elements of one resource, which nobody changes meanwhile."""

    def __init__(self, resource: Json, limits: Limits) -> None:
        """Take a resource as JSON; ``limits`` bound what all expressions cost together."""
        root = resource_node(resource)
        self._root = Place(root, None, None, None)
        environment = Environment(limits=limits)
        self._run = Run([root], [root], environment, limits, [root])
        self._known = {id(root): self._root}
        """By the node: it stays as long as its place."""
        self._objects: dict[int, Place] = {}

    @property
    def steps(self) -> int:
        """Return how many steps the expressions took so far."""
        return self._run.spent + SLICE - self._run.budget

    def of(self, expression: str) -> list[Place]:
        """Return the places of what an expression gives.

        Raise ``FhirPathError`` for what is no expression or costs too much, and for one that gives
        something else than elements of the resource.
        """
        return [self._place(node) for node in self._collected(self._read(expression))]

    def _read(self, expression: str) -> Expression:
        tree = parse(expression)
        check(tree, self._root.node.type.name)
        return tree

    def _collected(self, tree: Expression | None) -> Collection:
        try:
            return self._nodes(tree)
        except RecursionError as error:
            message = "The resource nests too deep for this expression."
            raise LimitExceeded(message) from error

    def _nodes(self, tree: Expression | None) -> Collection:
        match tree:
            case None:
                return [self._root.node]
            case Path(base, names):
                return self._followed(self._nodes(base), names, is_head=base is None)
            case Call(base=base) if base is not None:
                return self._evaluated(self._nodes(base), replace(tree, base=None))
            case Indexer(base):
                return self._evaluated(self._nodes(base), replace(tree, base=Special("this")))
            case TypeTest(operand=operand) if operand is not None:
                return self._evaluated(self._nodes(operand), replace(tree, operand=None))
            case _:
                return self._evaluated([self._root.node], tree)

    def _evaluated(self, this: Collection, tree: Expression) -> Collection:
        self._run.this, self._run.index = this, None
        return closure(tree)(self._run)

    def _followed(self, nodes: Collection, names: tuple[str, ...], *, is_head: bool) -> Collection:
        head = head_type(names[0]) if is_head else None
        if head is not None:
            nodes, names = [one for one in nodes if head in one.type.ancestors], names[1:]
        for name in names:
            nodes = [child for node in nodes for child in self._children(self._place(node), name)]
        return nodes

    def _children(self, place: Place, name: str) -> Collection:
        found = elements(place.node, name)
        self._run.spend(1 + len(found))
        property_ = _property(place.node, name) if found else None
        if property_ is not None:
            for at, child in enumerate(found):
                index = at if property_.element.many else None
                self._known[id(child)] = Place(child, place, property_, index)
        return found

    def _place(self, node: Node) -> Place:
        found = self._known.get(id(node))
        if found is None and isinstance(node.value, dict):
            found = self._by_identity().get(id(node.value))
        if found is None:
            message = "The path gives a value that is no element of the resource."
            raise EvaluationError(message)
        return found

    def _by_identity(self) -> dict[int, Place]:
        """Return the places of all objects by their identity: any function may have found one."""
        waiting = [] if self._objects else [self._root]
        while waiting:
            place = waiting.pop()
            self._objects[id(place.node.value)] = place
            for name in json_names(place.node.value, place.node.type):
                below = (self._known.get(id(one)) for one in self._children(place, name))
                waiting += [one for one in below if one and isinstance(one.node.value, dict)]
        return self._objects


def _property(node: Node, name: str) -> Property | None:
    """Return the JSON property of the elements of a name: of a choice the one that is there."""
    value, type_ = (node.element, ELEMENT) if node.type.primitive else (node.value, node.type)
    definition = type_.definition
    if definition is None:
        return None
    found = [one for one in definition.properties.values() if one.element.name == name]
    there = value if isinstance(value, dict) else {}
    present = (one for one in found if one.name in there or f"_{one.name}" in there)
    return next(present, found[0] if found else None)
