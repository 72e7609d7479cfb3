"""An expression that is ready to run.

http://hl7.org/fhirpath/N1/
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from typing_extensions import override

from polyclinic.kernel.fhirpath.analysis import check
from polyclinic.kernel.fhirpath.compiler import closure
from polyclinic.kernel.fhirpath.errors import LimitExceeded, SemanticError
from polyclinic.kernel.fhirpath.keeping import kept
from polyclinic.kernel.fhirpath.model import is_fhir_type
from polyclinic.kernel.fhirpath.node import (
    Collection,
    Node,
    boolean,
    decimal,
    integer,
    resource_node,
    string,
)
from polyclinic.kernel.fhirpath.parser import parse
from polyclinic.kernel.fhirpath.run import Environment, Evaluator, Run
from polyclinic.kernel.fhirpath.singleton import truth
from polyclinic.kernel.types import Resource, type_definition

_SHORT: Final = 512
"""Characters of an expression that is short."""
_DEFAULT: Final = Environment()


class Compiled:
    """An expression that is ready to run, any number of times and on any resource."""

    __slots__ = ("_evaluate", "expression")

    def __init__(self, expression: str, evaluate: Evaluator) -> None:
        self.expression = expression
        self._evaluate = evaluate

    @override
    def __repr__(self) -> str:
        return f"Compiled({self.expression!r})"

    def evaluate(
        self,
        focus: Any,
        environment: Environment = _DEFAULT,
        *,
        variables: Mapping[str, Any] | None = None,
        resource: Any = None,
    ) -> list[Node]:
        """Return what the expression gives for a resource or an element of one.

        ``focus`` is a Resource, its content, the JSON of a resource as a dict, or a Node; for an
        element, ``resource`` is the resource that it is of. ``variables`` are the values of
        ``%name``: a value of Python, a resource, a Node, or a list of these.

        Raise EvaluationError when the expression does not work on this one, LimitExceeded when it
        costs too much.
        """
        this = [_node(focus)]
        root = this if resource is None else [_node(resource)]
        run = Run(this, root, environment, environment.limits, this)
        if variables:
            run.variables = {name: collection(value) for name, value in variables.items()}
        try:
            return self._evaluate(run)
        except RecursionError as error:
            message = "The resource nests too deep for this expression."
            raise LimitExceeded(message) from error

    def holds(
        self,
        focus: Any,
        environment: Environment = _DEFAULT,
        *,
        variables: Mapping[str, Any] | None = None,
        resource: Any = None,
    ) -> bool | None:
        """Return what the expression gives as a Boolean, or None when it gives nothing.

        Any other single element counts as true; several raise EvaluationError.
        """
        found = self.evaluate(focus, environment, variables=variables, resource=resource)
        return truth(found)


def compile(  # noqa: A001 - to be said as fhirpath.compile
    expression: str,
    context: str | None = None,
    *,
    check_order: bool = False,
    as_filters: bool = False,
) -> Compiled:
    """Return an expression ready to run; the last ones asked for are remembered.

    ``context`` is the type of what it will run on, ``Patient`` or ``Patient.contact``: then every
    element that it names has to exist. ``check_order`` refuses what depends on an order that is
    left open, such as ``children().first()``. ``as_filters`` lets ``as`` work on several elements,
    of which it keeps those of the type: R4's own search parameters are written so.

    Raise ExpressionSyntaxError, SemanticError, or LimitExceeded for an expression too large.
    """
    remember = _short if len(expression) <= _SHORT else _long
    return remember(expression, context, check_order=check_order, as_filters=as_filters)


def _compiled(
    expression: str, context: str | None, *, check_order: bool, as_filters: bool
) -> Compiled:
    if context is not None and not is_context(context):
        message = f"There is no type {context} in R4."
        raise SemanticError(message)
    tree = parse(expression, as_filters=as_filters)
    check(tree, context, check_order=check_order)
    return Compiled(expression, closure(kept(tree)))


_short: Final = lru_cache(maxsize=1024)(_compiled)
_long: Final = lru_cache(maxsize=32)(_compiled)
"""Few of the long ones are remembered: strangers may send them, and closures take much room."""


def is_context(name: str) -> bool:
    """Return whether this is the name of a type, or the path of a backbone element."""
    root, dot, _ = name.partition(".")
    if not is_fhir_type(root):
        return False
    if not dot:
        return True
    try:
        type_definition(name)
    except (KeyError, FileNotFoundError):
        return False
    return True


def _node(value: Any) -> Node:
    if value.__class__ is Resource:
        return resource_node(value.content)
    return value if value.__class__ is Node else resource_node(value)


def collection(value: Any) -> Collection:
    """Return a value of Python as a collection: what ``variables`` are made to."""
    if value is None:
        return []
    if isinstance(value, list):
        return [node for item in value for node in collection(item)]
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, str):
        return string(value)
    return decimal(value) if isinstance(value, Decimal) else [_node(value)]
