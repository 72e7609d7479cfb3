"""From a resource to the values of the parameters that a tenant defined.

An expression that fails on a resource, or gives too much, gives nothing there: the write goes on,
and ``Gathered.faults`` names the parameter. So no definition can refuse a resource.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, Final

import msgspec

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath.moments import Moment
from polyclinic.kernel.search.custom.definition import Definition, Part
from polyclinic.kernel.search.elements import EMITTERS
from polyclinic.kernel.search.gathered import Emit, Gathered
from polyclinic.kernel.search.hashed_forms import PLAIN, forms, path_prefixes
from polyclinic.kernel.search.hashed_words import MOST_TEXT
from polyclinic.kernel.search.index_values import (
    MAX_COMBINATIONS,
    MAX_SEGMENTS,
    CompositeValue,
    ReferenceValue,
    Row,
    TokenValue,
)
from polyclinic.kernel.search.parameters import Path
from polyclinic.kernel.search.strings import contact

MOST_VALUES: Final = 500
"""Values of one parameter that a resource is found by; of more it is found by none."""
LISTS: Final = (
    *("tokens", "references", "canonicals", "uris", "identifiers"),
    *("strings", "dates", "numbers", "quantities", "composites"),
)
_TAKEN: Final = {
    "token": ("tokens",),
    "reference": ("references", "uris"),
    "uri": ("uris",),
    "string": ("strings",),
    "date": ("dates",),
    "number": ("numbers",),
    "quantity": ("quantities",),
}
"""Where the emitters of a component's type put its rows."""
_ENVIRONMENT: Final = fhirpath.Environment(
    limits=fhirpath.Limits(steps=20_000, items=5_000, characters=100_000, seconds=0.2),
    resolve=fhirpath.stub,
)
_SYSTEM: Final = {
    "Boolean": "boolean",
    "String": "string",
    "Integer": "integer",
    "Decimal": "decimal",
    "Date": "date",
    "DateTime": "dateTime",
}
"""The FHIR types that values of FHIRPath's own types are written as."""


class _TooMuch(Exception):
    """A resource has more values of a parameter than are kept."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What makes the values of one parameter."""

    code: str
    gather: Emit

    def run(self, content: Any, out: Gathered) -> None:
        """Add the rows of a resource's content, or note that they cannot be made."""
        scratch = Gathered(out.root, out.base)
        try:
            self.gather(content, scratch)
            _limit(scratch)
        except (fhirpath.FhirPathError, _TooMuch):
            out.faults.append(self.code)
            return
        for name in LISTS:
            getattr(out, name).extend(getattr(scratch, name))
        out.shortened += scratch.shortened


def extraction(definition: Definition) -> Extraction:
    """Return what makes the values of a parameter."""
    gather = _composite(definition) if definition.parts else _plain(definition.code, definition)
    return Extraction(definition.code, gather)


def _plain(code: str, of: Definition | Part) -> Emit:
    """Return the emitter of an expression's values, under a code."""
    evaluate = _evaluated(of.expression)
    is_contact = of.type == "token"

    def emit(focus: Any, out: Gathered) -> None:
        for node in evaluate(focus, out):
            if is_contact and node.type.name == "ContactPoint":
                _contact_point(code, node.value, out)
            else:
                _emit(code, of.type, node, out)

    return emit


def _evaluated(expression: str) -> Callable[[Any, Gathered], list[fhirpath.Node]]:
    compiled = fhirpath.compile(expression, as_filters=True)
    return lambda focus, out: compiled.evaluate(focus, _ENVIRONMENT, resource=out.root)


def _emit(code: str, kind: str, node: fhirpath.Node, out: Gathered) -> None:
    """Add the rows of a node; of a type that the parameter is not made of, none."""
    name, value = _written(node) if node.type.system else (node.type.name, node.value)
    if value is None or not name:
        return
    if isinstance(value, dict):
        _stub(code, kind, value, out)
        return
    emit = _emitter(code, kind, name) or (
        _emitter(code, kind, node.type.base.name) if node.type.base else None
    )
    if emit is not None:
        emit(value, out)


@cache
def _emitter(code: str, kind: str, name: str) -> Emit | None:
    factory = EMITTERS.get((kind, name))
    return None if factory is None else factory((code,), Path((), name))


def _written(node: fhirpath.Node) -> tuple[str, Any]:
    """Return a value of FHIRPath's own types as one of FHIR; a name that is empty for none."""
    value = node.value
    if isinstance(value, Moment):
        value = str(value)
    elif node.type.name == "Decimal":
        value = msgspec.Raw(format(value, "f").encode())
    return _SYSTEM.get(node.type.name, ""), value


def _stub(code: str, kind: str, value: dict[str, Any], out: Gathered) -> None:
    """Add a reference to what ``resolve()`` knows by type and id alone."""
    if kind == "reference" and value.get("resourceType") and value.get("id"):
        out.references.append(ReferenceValue(code, value["resourceType"], value["id"]))


def _contact_point(code: str, value: Any, out: Gathered) -> None:
    """Add a contact as it stands and as it is compared: what else there is, is asked as it is."""
    if value.value:
        for text in dict.fromkeys((value.value, contact(value.value))):
            out.tokens.append(TokenValue(code, value.use or None, text))


def _composite(definition: Definition) -> Emit:
    evaluate = _evaluated(definition.expression)
    parts = [
        (_plain(f"{definition.code}${at}", part), _TAKEN[part.type])
        for at, part in enumerate(definition.parts)
    ]

    def emit(focus: Any, out: Gathered) -> None:
        for node in evaluate(focus, out):
            found = tuple([_rows(gather, lists, node, out) for gather, lists in parts])
            if all(found):
                _check_combinations(found)
                out.composites.append(CompositeValue(definition.code, found))

    return emit


def _rows(gather: Emit, lists: Sequence[str], node: Any, out: Gathered) -> tuple[Row, ...]:
    scratch = Gathered(out.root, out.base)
    gather(node, scratch)
    return tuple(row for name in lists for row in getattr(scratch, name))


def _check_combinations(found: Sequence[Sequence[Row]]) -> None:
    counts = [
        sum(
            len(forms(PLAIN, row.system, row.code)) if isinstance(row, TokenValue) else 1
            for row in rows
        )
        for rows in found
    ]
    if prod(counts) > MAX_COMBINATIONS:
        raise _TooMuch


def _limit(out: Gathered) -> None:
    """Raise ``_TooMuch`` for more than index rows are made of, also where one write would fail."""
    values = sum(len(getattr(out, name)) for name in LISTS)
    text = sum(len(token.text or "") for token in out.tokens)
    longest = max((len(path_prefixes(one.uri)) for one in out.uris), default=0)
    if values > MOST_VALUES or text > MOST_TEXT or longest > MAX_SEGMENTS:
        raise _TooMuch
