"""The reference page of errors."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from markdown import HEAD, code, first_paragraph, table

from polyclinic.app import modules
from polyclinic.cli import STOPS
from polyclinic.kernel.errors import FhirError, InvalidResource

_HEAD: Final = """# Errors

## Over HTTP

Every error is an [OperationOutcome](https://hl7.org/fhir/R4/operationoutcome.html): one issue for
each fault, with what is wrong and what to do in `diagnostics` and, for a fault in a resource, its
FHIRPath expression in `expression`. No value of a resource is repeated in it.

"""
_BY_COMMANDS: Final = """
## By commands

One line on standard error, `polyclinic: what is wrong. What to do.`, and exit code 1.

"""
_UNEXPECTED: Final = "Something went wrong in the server; its log has the place, without any data."
_MORE: Final[dict[type[FhirError], str]] = {InvalidResource: "400, 422"}
"""Errors that have more than one status; their docstrings say when."""


def errors_page() -> str:
    """Return the page of every error."""
    http = sorted(http_errors(), key=lambda error: (error.status, error.__name__))
    by_commands = ((code(error.__name__), first_paragraph(error.__doc__)) for error in stops())
    return (
        HEAD
        + _HEAD
        + table(("Status", "Error", "Issue code", "What it means"), map(_row, http))
        + _BY_COMMANDS
        + table(("Error", "What it means"), by_commands)
    )


def http_errors() -> Iterator[type[FhirError]]:
    """Yield every error that a client may be told, those of the modules too."""
    assert modules.MODULES  # their errors exist once they are imported
    yield from _family([FhirError])


def stops() -> list[type[BaseException]]:
    """Return every error that ends a command, by name."""
    return sorted(set(_family(STOPS)), key=lambda error: error.__name__)


def _family(roots: Iterable[type[Any]]) -> Iterator[type[Any]]:
    for root in roots:
        yield root
        yield from _family(root.__subclasses__())


def _row(error: type[FhirError]) -> tuple[str, str, str, str]:
    said = _UNEXPECTED if error is FhirError else " ".join((error.__doc__ or "").split())
    status = _MORE.get(error, str(error.status))
    return status, code(error.__name__), code(error.code), said
