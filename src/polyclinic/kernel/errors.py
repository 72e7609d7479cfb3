"""Errors of the kernel, each with its HTTP status and FHIR issue code.

* FhirError
  x BadRequest          400 the request cannot be understood
  + InvalidResource     400 or 422, with one issue per fault
  x Unauthenticated     401
  x Forbidden           403
  x NotFound            404
    - Gone              410
    - Erased            410
  x CursorExpired       410 the change feed has to be read from its start
  x PageExpired         410 too much has changed since the first page of a search
  x NotAllowed          405 with the methods that fit
  x NotAcceptable       406
  x TooSlow             408
  x Conflict            409
    - VersionConflict   412 If-Match names another version
    - MultipleMatches   412 a condition matched more than one resource
  x PayloadTooLarge     413
  x UnsupportedMedia    415
  x TooCostly           422 the search would read too much
  x Unreadable          500 what is stored cannot be opened
  x Misdirected         421
  x Unavailable         503

They become an OperationOutcome in one place, ``kernel.rest.outcome``.
https://hl7.org/fhir/R4/operationoutcome.html, https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Issue:
    """One row of an OperationOutcome."""

    code: str
    """A code of http://hl7.org/fhir/issue-type."""
    diagnostics: str
    """What is wrong, where, and what to do; no value of the resource in it."""
    expression: str | None = None
    """The FHIRPath expression of the element at fault."""
    severity: str = "error"


class FhirError(Exception):
    """Something that a client is told in an OperationOutcome."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"
    retry_after: int | None = None
    """Seconds after which the same request may succeed."""

    def __init__(self, message: str = "", *, expression: str | None = None) -> None:
        if not message:
            message = type(self).__doc__ or type(self).__name__
        super().__init__(message)
        self.issues: tuple[Issue, ...] = (Issue(self.code, message, expression),)

    @property
    def http_status(self) -> int:
        """Return the status of the answer."""
        return self.status


class BadRequest(FhirError):
    """The request cannot be understood."""

    status = 400
    code = "invalid"


class InvalidResource(BadRequest):
    """The resource breaks the specification; one issue names each fault.

    Status 400 when it is not JSON of a resource at all, 422 when a rule of R4 is broken.
    """

    def __init__(self, issues: tuple[Issue, ...], *, http_status: int = 422) -> None:
        first = issues[0]
        super().__init__(first.diagnostics, expression=first.expression)
        self.issues = issues
        self._http_status = http_status

    @property
    @override
    def http_status(self) -> int:
        """Return 400 for what is no resource, 422 for a broken rule."""
        return self._http_status


class Unauthenticated(FhirError):
    """Sign in, or send a bearer token."""

    status = 401
    code = "login"


class Forbidden(FhirError):
    """You may not do this."""

    status = 403
    code = "forbidden"


class NotFound(FhirError):
    """There is no such resource."""

    status = 404
    code = "not-found"


class Gone(NotFound):
    """The resource was deleted."""

    status = 410
    code = "deleted"


class Erased(NotFound):
    """The record was erased and cannot be brought back."""

    status = 410
    code = "deleted"


class CursorExpired(FhirError):
    """The cursor is of another time of this database; read the change feed from its start."""

    status = 410
    code = "not-found"


class PageExpired(FhirError):
    """Too much has changed since the first page, or the database was moved; search again."""

    status = 410
    code = "not-found"


class NotAllowed(FhirError):
    """This cannot be done here."""

    status = 405
    code = "not-supported"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(f"Only {', '.join(allowed)} can be done here.")


class NotAcceptable(FhirError):
    """Only application/fhir+json is answered."""

    status = 406
    code = "not-supported"


class TooSlow(FhirError):
    """The body took too long to arrive; send it again."""

    status = 408
    code = "timeout"


class Conflict(FhirError):
    """The change conflicts with another."""

    status = 409
    code = "conflict"


class VersionConflict(Conflict):
    """The resource has changed since the version you named; read it again."""

    status = 412


class MultipleMatches(Conflict):
    """The condition matches more than one resource; make it narrower."""

    status = 412
    code = "multiple-matches"


class PayloadTooLarge(FhirError):
    """The body is larger than this server takes."""

    status = 413
    code = "too-long"


class UnsupportedMedia(FhirError):
    """The body's media type is not one that this server reads."""

    status = 415
    code = "not-supported"


class TooCostly(FhirError):
    """The search would read too much; narrow it."""

    status = 422
    code = "too-costly"


class Unreadable(FhirError):
    """The stored record cannot be opened; tell whoever runs this server."""

    status = 500
    code = "exception"


class Misdirected(FhirError):
    """No organization is served under this host name."""

    status = 421
    code = "not-found"


class Unavailable(FhirError):
    """The server cannot answer now; try again soon."""

    status = 503
    code = "transient"
    retry_after = 1
