"""One element where a collection stands.

http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
"""

from typing import Any, TypeVar

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.model import BOOLEAN, fhir_type
from polyclinic.kernel.fhirpath.node import Collection, Node, system_value

_FHIR_BOOLEAN = fhir_type("boolean")
_T = TypeVar("_T")


def single(nodes: Collection) -> Node | None:
    """Return the only element, or None; raise EvaluationError when there are several."""
    if not nodes:
        return None
    if len(nodes) > 1:
        message = "A single element is needed where the expression gives several."
        raise EvaluationError(message)
    return nodes[0]


def single_value(nodes: Collection) -> Any:
    """Return the only element's value in FHIRPath's own types, or None."""
    node = single(nodes)
    return None if node is None else system_value(node)


def single_of(nodes: Collection, kind: type[_T]) -> _T | None:
    """Return the only element's value of a Python type, or None when there is none.

    Raise EvaluationError when there are several, or one of another type.
    """
    node = single(nodes)
    if node is None:
        return None
    value = system_value(node)
    if value is None and node.type.primitive:
        return None
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        message = f"{_NAMES.get(kind, kind.__name__)} is needed, not {node.type.name}."
        raise EvaluationError(message)
    return value


_NAMES = {str: "A String", int: "An Integer", bool: "A Boolean"}


def truth(nodes: Collection) -> bool | None:
    """Return a collection as a Boolean: any other single element is true.

    Raise EvaluationError when there are several.
    """
    if not nodes:
        return None
    if len(nodes) > 1:
        single(nodes)
    node = nodes[0]
    if node.type is BOOLEAN or node.type is _FHIR_BOOLEAN:
        value: bool | None = node.value
        return value
    return True
