"""How deeply JSON text nests."""

import re
from functools import cache
from itertools import accumulate
from typing import Any

from polyclinic.kernel.types.shapes import Shape, layout

MAX_DEPTH = 64
"""Objects and arrays within one another; what nests deeper is refused."""

_ROUNDS = 8  # each takes one or two levels out
_OTHERS = bytes(set(range(256)) - set(b'{}[]"'))
_strings = re.compile(rb'"[^"]*+"?').sub
_LONG = 1500  # bytes from which counting extensions costs less than counting objects
_STEPS = bytes.maketrans(b"{[}]", b"\x02\x02\x00\x00")


def too_deep(data: bytes) -> bool:
    """Return whether objects and arrays nest deeper than MAX_DEPTH.

    Most resources are cleared by counting their opening brackets, or by taking the innermost
    pairs out a few times; only what is left is looked at bracket by bracket.
    """
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = data.translate(None, _OTHERS).replace(b'""', b"")
    if b'"' in brackets:
        brackets = _strings(b"", brackets)
    left = brackets
    for _ in range(_ROUNDS):
        if len(left) + 2 * _ROUNDS <= MAX_DEPTH:
            return False
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    steps = brackets.translate(_STEPS)
    return max(accumulate(step - 1 for step in steps), default=0) > MAX_DEPTH


def surely_shallow(content: Any, body: bytes) -> bool:
    """Return whether a resource in the common shape nests no deeper than MAX_DEPTH.

    No array stands in an array, so that a few objects cannot nest too deeply. A type by itself
    nests so many levels, and only extensions, which are easily counted, add to them.
    """
    if len(body) < _LONG:
        return body.count(b"{") <= MAX_DEPTH // 2
    nested = levels(content.fhir_type)
    for inner in getattr(content, "contained", None) or ():
        if getattr(inner, "contained", None):
            return False
        nested = max(nested, 2 + levels(inner.fhir_type))
    # One more: a modifierExtension may lead into the first of them, and none stands further in.
    extensions = body.count(b'"extension":[{"') + 1
    return nested + extensions * levels("Extension") <= MAX_DEPTH


@cache
def levels(type_: str) -> int:
    """Return how many levels a value of a type nests at most, extensions not entered.

    A type that holds itself, or any resource, counts as deeper than MAX_DEPTH. An extension counts
    with the array around it.
    """
    return _levels(type_, frozenset()) + (1 if type_ == "Extension" else 0)


def _levels(type_: str, around: frozenset[str]) -> int:
    if type_ == "Resource" or type_ in around:
        return MAX_DEPTH + 1
    deepest = 0
    for field in layout(type_, Shape.COMMON).fields:
        if field.type == "Extension" or field.name == "contained":
            continue
        inner = 1 if field.element.many else 0
        if field.name == "assigner":
            inner += 1  # without an identifier in the common shape
        elif not field.primitive:
            inner += _levels(field.type, around | {type_})
        deepest = max(deepest, inner)
    return min(deepest + 1, MAX_DEPTH + 1)
