"""String manipulation.

http://hl7.org/fhirpath/N1/#string-manipulation
"""

import base64
import binascii
import html
import json
from collections.abc import Callable
from typing import Any, Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.expressions import regular, replaced
from polyclinic.kernel.fhirpath.functions.function import Function
from polyclinic.kernel.fhirpath.model import STRING
from polyclinic.kernel.fhirpath.node import (
    EMPTY,
    Collection,
    Node,
    boolean,
    integer,
    string,
    system_value,
)
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single_of


def _on_text(call: Callable[..., Collection], *kinds: type) -> Callable[..., Collection]:
    """Return a function of one String and arguments of some types, empty when one is empty."""

    def function(run: Run, nodes: Collection, *arguments: Collection) -> Collection:
        text = single_of(nodes, str)
        values = [single_of(one, kind) for one, kind in zip(arguments, kinds, strict=False)]
        if text is None or None in values:
            return EMPTY
        run.check_length(len(text))
        return call(run, text, *values)

    return function


def _substring(run: Run, nodes: Collection, start: Collection, *length: Collection) -> Collection:
    text, first = single_of(nodes, str), single_of(start, int)
    if text is None or first is None or not 0 <= first < len(text):
        return EMPTY
    run.check_length(len(text))
    count = single_of(length[0], int) if length else None
    return string(text[first:] if count is None else text[first : first + max(count, 0)])


def _replace(run: Run, text: str, pattern: str, substitution: str) -> Collection:
    places = text.count(pattern)
    run.check_length(len(text) + places * max(0, len(substitution) - len(pattern)))
    return string(text.replace(pattern, substitution))


def _matches(run: Run, text: str, expression: str) -> Collection:
    return boolean(regular(run, expression).search(text))


def _matches_full(run: Run, text: str, expression: str) -> Collection:
    return boolean(regular(run, expression).fullmatch(text))


def _replace_matches(run: Run, text: str, expression: str, substitution: str) -> Collection:
    return string(replaced(run, text, expression, substitution) if expression else text)


def _strings(run: Run, parts: list[str]) -> Collection:
    return run.bounded([Node(part, STRING) for part in parts])


def _split(run: Run, text: str, separator: str) -> Collection:
    if not separator:
        return _strings(run, list(text))
    if text.count(separator) >= run.limits.items:
        run.bounded([Node(text, STRING)] * (run.limits.items + 1))
    return _strings(run, text.split(separator))


def _to_chars(run: Run, text: str) -> Collection:
    if len(text) > run.limits.items:
        run.bounded([Node(text, STRING)] * (run.limits.items + 1))
    return _strings(run, list(text))


def _join(run: Run, nodes: Collection, *separator: Collection) -> Collection:
    between = (single_of(separator[0], str) or "") if separator else ""
    if not nodes:
        return EMPTY
    texts = [single_of([node], str) or "" for node in nodes if system_value(node) is not None]
    run.check_length(sum(map(len, texts)) + len(between) * len(texts))
    return string(between.join(texts))


def _encode(_: Run, text: str, form: str) -> Collection:
    encode = _ENCODERS.get(form)
    if encode is None:
        return EMPTY
    return string(encode(text.encode()).decode("ascii"))


def _decode(_: Run, text: str, form: str) -> Collection:
    decode = _DECODERS.get(form)
    if decode is None:
        return EMPTY
    try:
        return string(decode(text).decode())
    except (binascii.Error, ValueError) as error:
        message = "The text is not encoded so."
        raise EvaluationError(message) from error


def _escape(run: Run, text: str, target: str) -> Collection:
    if target == "html":
        escaped = html.escape(text, quote=True)
    elif target == "json":
        escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    else:
        return EMPTY
    run.check_length(len(escaped))
    return string(escaped)


def _unescape(_: Run, text: str, target: str) -> Collection:
    if target == "html":
        return string(html.unescape(text))
    if target != "json":
        return EMPTY
    quoted = "".join('\\"' if part == '"' else part for part in _json_units(text))
    try:
        return string(json.loads(f'"{quoted}"', strict=False))
    except ValueError as error:
        message = "The text is not escaped as JSON."
        raise EvaluationError(message) from error


def _json_units(text: str) -> list[str]:
    """Return the characters of a text, an escape as one."""
    characters = iter(text)
    return [one + next(characters, "") if one == "\\" else one for one in characters]


_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "base64": base64.b64encode,
    "hex": binascii.hexlify,
    "urlbase64": base64.urlsafe_b64encode,
}
_DECODERS: Final[dict[str, Callable[[str], bytes]]] = {
    "base64": lambda text: base64.b64decode(text, validate=True),
    "hex": bytes.fromhex,
    "urlbase64": lambda text: base64.b64decode(text, altchars=b"-_", validate=True),
}


def _texts(call: Callable[..., Any], count: int, gives: str, *kinds: type) -> Function:
    return Function(_on_text(call, *kinds), (count, count), takes="String", gives=gives)


FUNCTIONS: Final = {
    "indexOf": _texts(lambda _, text, part: integer(text.find(part)), 1, "Integer", str),
    "lastIndexOf": _texts(lambda _, text, part: integer(text.rfind(part)), 1, "Integer", str),
    "substring": Function(_substring, (1, 2), takes="String", gives="String"),
    "startsWith": _texts(lambda _, text, part: boolean(text.startswith(part)), 1, "Boolean", str),
    "endsWith": _texts(lambda _, text, part: boolean(text.endswith(part)), 1, "Boolean", str),
    "contains": _texts(lambda _, text, part: boolean(part in text), 1, "Boolean", str),
    "upper": _texts(lambda _, text: string(text.upper()), 0, "String"),
    "lower": _texts(lambda _, text: string(text.lower()), 0, "String"),
    "replace": _texts(_replace, 2, "String", str, str),
    "matches": _texts(_matches, 1, "Boolean", str),
    "matchesFull": _texts(_matches_full, 1, "Boolean", str),
    "replaceMatches": _texts(_replace_matches, 2, "String", str, str),
    "length": _texts(lambda _, text: integer(len(text)), 0, "Integer"),
    "toChars": _texts(_to_chars, 0, "String"),
    "trim": _texts(lambda _, text: string(text.strip()), 0, "String"),
    "split": _texts(_split, 1, "String", str),
    "join": Function(_join, (0, 1), takes="String", gives="String"),
    "encode": _texts(_encode, 1, "String", str),
    "decode": _texts(_decode, 1, "String", str),
    "escape": _texts(_escape, 1, "String", str),
    "unescape": _texts(_unescape, 1, "String", str),
}
