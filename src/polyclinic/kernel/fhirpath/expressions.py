"""Regular expressions, in time that grows with the text.

http://hl7.org/fhirpath/N1/#matchesregex--string--boolean
"""

import re
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped] # it has no annotations

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.run import Run

_MEMORY: Final = 1024 * 1024
"""Bytes that one compiled expression may take."""
MAX_REGEX: Final = 4_096
"""Characters of a regular expression."""

_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = _MEMORY
_OPTIONS.log_errors = False
_OPTIONS.dot_nl = True
_group = re.compile(r"\$(?:\$|([0-9]{1,2})|\{([A-Za-z0-9_]{1,64})\})")


def regular(run: Run, expression: str) -> Any:
    """Return a compiled regular expression; raise EvaluationError for what is none."""
    if len(expression) > MAX_REGEX:
        message = f"A regular expression has at most {MAX_REGEX} characters; make it shorter."
        raise EvaluationError(message)
    run.spend(len(expression))
    return _compiled(expression)


@lru_cache(maxsize=64)
def _compiled(expression: str) -> Any:
    try:
        return re2.compile(expression, options=_OPTIONS)
    except re2.error as error:
        message = "The regular expression is malformed, too large, or looks around; change it."
        raise EvaluationError(message) from error


def replaced(run: Run, text: str, expression: str, substitution: str) -> str:
    """Return a text with every match replaced; ``$1`` and ``${name}`` stand for its groups."""
    pieces: list[str] = []
    end = length = 0
    for match in regular(run, expression).finditer(text):
        piece = text[end : match.start()] + _filled(substitution, match)
        length += len(piece)
        run.check_length(length)
        pieces.append(piece)
        end = match.end()
    return "".join([*pieces, text[end:]])


def _filled(substitution: str, match: Any) -> str:
    return _group.sub(lambda part: _part(part, match), substitution)


def _part(part: re.Match[str], match: Any) -> str:
    name = part[1] or part[2]
    if name is None:
        return "$"
    try:
        return match[int(name) if name.isdigit() else name] or ""
    except (IndexError, KeyError) as error:
        message = "A substitution names a group that the regular expression does not have."
        raise EvaluationError(message) from error
