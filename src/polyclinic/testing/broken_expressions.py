"""FHIRPath expressions that are nearly right: valid ones, put together and changed.

What they are made of: R4's own search parameters, every function and operator, and the signs that
mean something to the grammar. http://hl7.org/fhirpath/N1/#grammar
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from polyclinic.kernel.fhirpath.functions import FUNCTIONS
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import RESOURCE_TYPES, type_definition
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.samples import Json, sample

_LITERALS: Final = (
    *("0", "1", "-1", "2147483648", "0.1", "1" * 40, "1e5", "true", "{}", "''", "'a'", "'\\u0000'"),
    *(
        "'(a+)+$'",
        "'[[:x:]]'",
        "'%'",
        "'\\'",
        "@2014",
        "@2014-02-30",
        "@T24:00",
        "@0001-01-01T00:00",
    ),
    *("4 days", "1 'mg'", "1.5 'm/s2'", "0 'x{'", "3 centuries", "$this", "$index", "$total", "%a"),
    *("%resource", "%`ext-a`", "`name`", "Patient", "System.Any", "FHIR.`code`"),
)
_OPERATORS: Final = (
    *("+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "!~", "<", ">", "<=", ">="),
    *("and", "or", "xor", "implies", "in", "contains", "is", "as", ".", ","),
)
_SIGNS: Final = (
    *"()[]{}.,'\"`@%$/*-+|&<>=!~\\ \n\t",
    *("//", "/*", "*/", "é", "\u202e", "\x00", "😀", "\ud800", "is", "where(", "..", "((", "]]"),
)
_DEEP: Final = 200


class Tried(NamedTuple):
    """An expression, and the resource that it is tried on."""

    expression: str
    resource: Json


def nearly_expression(chance: Chance) -> Tried:
    """Return an expression, right as often as broken in up to three places."""
    name = chance.choice(RESOURCE_TYPES)
    text = _whole(chance, name)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        change: Callable[[Chance, str], str] = chance.choice(_CHANGES)
        text = change(chance, text)
    word = chance.choice(("alder", "birch", "cedar"))
    return Tried(text, sample(name, "r-1", word, lambda targets, _: _reference(chance, targets)))


def _reference(chance: Chance, targets: Sequence[str]) -> Json:
    return {"reference": f"{(targets or ('Patient',))[0]}/{chance.choice(('a', 'b'))}"}


def _whole(chance: Chance, name: str) -> str:
    made = _part(chance, name)
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        match chance.randint(1, 4):
            case 1:
                made = f"({made}) {chance.choice(_OPERATORS)} ({_part(chance, name)})"
            case 2:
                made = f"({made}).{_call(chance, name)}"
            case 3:
                made = f"({made})[{_part(chance, name)}]"
            case _:
                made = f"{chance.choice(('-', '+', '', 'not '))}({made})"
    return made


def _part(chance: Chance, name: str) -> str:
    match chance.randint(1, 4):
        case 1:
            known = [one.expression for one in parameters(name).values() if one.expression]
            return str(chance.choice(known))
        case 2:
            return str(chance.choice(_LITERALS))
        case 3:
            elements = [one.name for one in type_definition(name).elements]
            return f"{name}.{chance.choice(elements)}.{_call(chance, name)}"
        case _:
            return _call(chance, name)


def _call(chance: Chance, name: str) -> str:
    function = chance.choice(sorted(FUNCTIONS))
    low, high = FUNCTIONS[function].arguments
    count = chance.randint(low, high) if chance.happens(0.9) else chance.randint(0, 4)
    short = chance.choice((("$this",), _LITERALS, (f"{name}.id", "code", "children()")))
    return f"{function}({', '.join(chance.choice(short) for _ in range(count))})"


def _cut(chance: Chance, text: str) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + text[at + chance.randint(1, 8) :]


def _put(chance: Chance, text: str) -> str:
    at = chance.randint(0, len(text))
    piece: str = chance.choice((*_SIGNS, *_LITERALS, *_OPERATORS))
    return text[:at] + piece + text[at:]


def _doubled(chance: Chance, text: str) -> str:
    start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
    return text[:end] + text[start:end] * chance.choice((1, 1, 2, 30)) + text[end:]


def _deep(chance: Chance, text: str) -> str:
    """Nest further than anybody needs, or do a costly thing within another."""
    depth = chance.randint(1, _DEEP)
    short = text[:200]
    return str(
        chance.choice(
            (
                "(" * depth + text + ")" * depth,
                text + ".descendants()" * chance.randint(1, 4),
                text + ".where($this.exists())" * depth,
                "-" * depth + f"({text})",
                f"repeat({short} | children())",
                f"descendants().select({short}).descendants()",
                " & ".join([f"({short})"] * depth),
                " | ".join(["descendants()"] * depth),
                "children().all(" * depth + "true" + ")" * depth,
                f"(1 | 2 | 3).aggregate($total & {short}, '')",
                "'x'.replace('', " * depth + "'yy'" + ")" * depth,
            )
        )
    )


_CHANGES: Final[Sequence[Callable[[Chance, str], str]]] = (
    *(_cut, _cut, _put, _put, _doubled, _deep),
)
