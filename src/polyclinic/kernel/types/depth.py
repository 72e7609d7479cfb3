"""How deeply JSON text nests, known before anything recurses into it."""

import re
from itertools import accumulate

MAX_DEPTH = 64
"""Objects and arrays within one another; what nests deeper is refused."""

_ROUNDS = 8  # each takes one or two levels out
_OTHERS = bytes(set(range(256)) - set(b'{}[]"\\'))
_strings = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL).sub
_STEPS = bytes.maketrans(b"{[}]", b"\x02\x02\x00\x00")


def too_deep(data: bytes) -> bool:
    """Return whether objects and arrays nest deeper than MAX_DEPTH.

    Most resources are cleared by counting their opening brackets, or by taking the innermost
    pairs out a few times; only what is left is looked at bracket by bracket.
    """
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    brackets = data.translate(None, _OTHERS).replace(b'""', b"")
    if b'"' in brackets:
        brackets = _strings(b"", data).translate(None, _OTHERS)
    brackets = brackets.replace(b"\\", b"")
    left = brackets
    for _ in range(_ROUNDS):
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    if len(left) + 2 * _ROUNDS <= MAX_DEPTH:
        return False
    steps = brackets.translate(_STEPS)
    return max(accumulate(step - 1 for step in steps), default=0) > MAX_DEPTH
