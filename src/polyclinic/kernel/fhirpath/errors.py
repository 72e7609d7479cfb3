"""Errors of expressions.

* BadRequest
  * FhirPathError              400 the expression cannot be used
    - ExpressionSyntaxError    400 it is not FHIRPath
    - SemanticError            400 it can never work on what it is written for
    - EvaluationError          422 it does not work on this resource
    - LimitExceeded            422 it would cost too much

Messages may repeat the expression, never a value of a resource.
"""

from polyclinic.kernel.errors import BadRequest


class FhirPathError(BadRequest):
    """The FHIRPath expression cannot be used."""


class ExpressionSyntaxError(FhirPathError):
    """The text is not a FHIRPath expression."""


class SemanticError(FhirPathError):
    """The FHIRPath expression can never work: it names an element or a type that is not there."""


class EvaluationError(FhirPathError):
    """The FHIRPath expression does not work on this resource."""

    status = 422
    code = "processing"


class LimitExceeded(FhirPathError):
    """The FHIRPath expression costs more than is allowed; make it simpler."""

    status = 422
    code = "too-costly"
