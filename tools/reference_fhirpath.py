"""The reference page of FHIRPath; its functions, operators and limits are those of the engine."""

from collections.abc import Iterator, Mapping
from typing import Final

from markdown import HEAD, code, codes, first_paragraph, table

from polyclinic.kernel.fhirpath.errors import FhirPathError
from polyclinic.kernel.fhirpath.expressions import MAX_REGEX
from polyclinic.kernel.fhirpath.functions import CHAPTERS
from polyclinic.kernel.fhirpath.functions.function import (
    ANY,
    ARGUMENT,
    BOTH,
    INPUT,
    RESULTS,
    Function,
)
from polyclinic.kernel.fhirpath.limits import MAX_DEPTH, MAX_EXPRESSION, MAX_NESTING, Limits
from polyclinic.kernel.fhirpath.operators import OPERATORS
from polyclinic.kernel.fhirpath.operators.boolean import LOGIC
from polyclinic.kernel.fhirpath.operators.types import TYPE_OPERATORS

_HEAD: Final = """# FHIRPath

Expressions on FHIR R4, by [FHIRPath N1](http://hl7.org/fhirpath/N1/), with what
[FHIR adds](https://hl7.org/fhir/R4/fhirpath.html). The official suite for R4 passes but for the
tests that `tests/conformance/fhirpath/official_suite_failing.txt` names, each with its reason.

An expression is checked against the types of R4 before it runs: a misspelt element is an error and
not an empty answer. An element of several types is named without its type, `Observation.value`.
Numbers keep their digits, dates and times their precision; what is uncertain is empty.

"""
_VARIABLES: Final = """
## Variables

`$this`, `$index`, `$total`; `%context`, `%resource`, `%rootResource`, `%ucum`, `%sct`, `%loinc`,
`` %`vs-name` ``, `` %`ext-name` ``; what `defineVariable()` defines, and what a use of expressions
names as its own.
"""
_UNSUPPORTED: Final = """
## What is not supported

* The type Long and the functions `toLong`, `sum`, `min`, `max`, `avg`, `coalesce` of later drafts.
* `elementDefinition`, `slice`, `checkModifiers`, `subsumes` and `subsumedBy`.
* `memberOf` and `conformsTo` answer for what the terminology and the profiles at hand know; for
  anything else they are an error, never false.
* Regular expressions that look around or refer back to a group: they run in time that grows with
  the text, which those two cannot.

## Where the specification leaves a choice

* `ofType` and `as` take a primitive of that very type: a `code` is a `string` to `is` alone, as the
  official suite has it. Of complex types they take specialisations too.
* `as` works on a single element. R4's own search parameters and invariants apply it to several:
  what evaluates those reads it as `ofType`.
* `sort` puts an element without a key first.
* A DateTime without zone is compared with one that has a zone as far as all zones of the world
  agree.
* A duration finer than the precision of what it is added to is cut off; a fraction of one too.
"""
_GIVES: Final = {
    INPUT: "elements of the input",
    ARGUMENT: "what the argument gives",
    BOTH: "elements of both",
    RESULTS: "what the chosen result gives",
    ANY: "depends",
}
_TYPE_ROWS: Final[Mapping[str, str]] = {
    "is": "Boolean",
    "as": "the element, or nothing",
    "ofType": "elements of the input",
}


def fhirpath_page() -> str:
    """Return the page of FHIRPath."""
    operators = codes([*OPERATORS, *LOGIC, "|", *sorted(TYPE_OPERATORS.keys() - {"ofType"})])
    functions = (row for title, chapter in CHAPTERS.items() for row in _rows(title, chapter))
    types = (("Types", code(name), "1", "", gives) for name, gives in _TYPE_ROWS.items())
    names = ("Chapter", "Function", "Arguments", "On", "Gives")
    return (
        HEAD
        + _HEAD
        + f"## Operators\n\n{operators}, and the signs `+` and `-`.\n\n## Functions\n\n"
        + table(names, [*functions, *types])
        + _VARIABLES
        + "\n## Limits\n\n"
        + table(("What", "At most"), _limits())
        + "\n## Errors\n\n"
        + table(("Status", "Error", "What it means"), _errors())
        + _UNSUPPORTED
    )


def _rows(title: str, chapter: Mapping[str, Function]) -> Iterator[tuple[str, ...]]:
    for name, function in chapter.items():
        low, high = function.arguments
        count = str(low) if low == high else f"{low} to {high}"
        each = ", for each element" if function.each and high else ""
        takes = "" if function.takes == ANY else function.takes
        gives = _GIVES.get(function.gives, function.gives)
        yield title, code(name), count + each, takes, gives


def _limits() -> Iterator[tuple[str, str]]:
    limits = Limits()
    yield "characters of an expression", f"{MAX_EXPRESSION:,}"
    yield "operands, parentheses and arguments within one another", str(MAX_NESTING)
    yield "calls and operators within one another", str(MAX_DEPTH)
    yield "steps: elements visited, criteria evaluated", f"{limits.steps:,}"
    yield "elements of a collection on the way", f"{limits.items:,}"
    yield "characters of a string on the way", f"{limits.characters:,}"
    yield "characters of a regular expression", f"{MAX_REGEX:,}"
    yield "seconds", f"{limits.seconds:g}"


def _errors() -> Iterator[tuple[str, str, str]]:
    for error in FhirPathError.__subclasses__():
        yield str(error.status), code(error.__name__), first_paragraph(error.__doc__)
