"""What type an element is of.

http://hl7.org/fhirpath/N1/#types
"""

from collections.abc import Callable
from typing import Final

from polyclinic.kernel.fhirpath.model import Type
from polyclinic.kernel.fhirpath.node import EMPTY, Collection, boolean
from polyclinic.kernel.fhirpath.singleton import single


def is_of(type_: Type, types: tuple[Type, ...]) -> bool:
    """Return whether a type is one of some or specialises one."""
    return any(one in type_.ancestors for one in types)


def matches(type_: Type, types: tuple[Type, ...]) -> bool:
    """Return whether ``as`` and ``ofType`` take a type for one of some.

    A primitive has to be of that very type: a ``code`` is no ``string`` here.
    """
    if type_.primitive:
        return type_ in types
    return is_of(type_, types)


def test_type(types: tuple[Type, ...]) -> Callable[[Collection], Collection]:
    """Return ``is``."""

    def test(nodes: Collection) -> Collection:
        node = single(nodes)
        return EMPTY if node is None else boolean(is_of(node.type, types))

    return test


def cast_type(types: tuple[Type, ...]) -> Callable[[Collection], Collection]:
    """Return ``as``."""

    def cast(nodes: Collection) -> Collection:
        node = single(nodes)
        return nodes if node is not None and matches(node.type, types) else EMPTY

    return cast


def of_type(types: tuple[Type, ...]) -> Callable[[Collection], Collection]:
    """Return ``ofType``."""
    return lambda nodes: [node for node in nodes if matches(node.type, types)]


TYPE_OPERATORS: Final = {"is": test_type, "as": cast_type, "ofType": of_type}
"""The operators and functions of types, by their word."""
