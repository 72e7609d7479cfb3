"""FHIRPath: expressions on resources.

``compile`` makes an expression ready, ``Compiled.evaluate`` runs it on a resource. Nothing outside
the resource is asked but through the ``Environment``, nothing costs more than its ``Limits``.

http://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html
"""

from polyclinic.kernel.fhirpath.compiled import (
    Compiled,
    compile,  # noqa: A004 - to be said as fhirpath.compile
)
from polyclinic.kernel.fhirpath.errors import (
    EvaluationError,
    ExpressionSyntaxError,
    FhirPathError,
    LimitExceeded,
    SemanticError,
)
from polyclinic.kernel.fhirpath.functions.additional import stub
from polyclinic.kernel.fhirpath.limits import Limits
from polyclinic.kernel.fhirpath.node import Node, system_value
from polyclinic.kernel.fhirpath.result_types import calls, result_types
from polyclinic.kernel.fhirpath.run import Environment, Profiles, Terminology

__all__ = [
    "Compiled",
    "Environment",
    "EvaluationError",
    "ExpressionSyntaxError",
    "FhirPathError",
    "LimitExceeded",
    "Limits",
    "Node",
    "Profiles",
    "SemanticError",
    "Terminology",
    "calls",
    "compile",
    "result_types",
    "stub",
    "system_value",
]
