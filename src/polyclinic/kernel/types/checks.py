"""The checks that a class makes after decoding: what an annotation cannot say.

For each type one ``__post_init__`` is compiled from source text, because it runs for every object
of every resource: attribute by attribute in one function is several times faster than a loop over
a list of rules. It raises ValueError without details: the walker names the faults.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET

from polyclinic.kernel.types.definitions import (
    Codes,
    Element,
    Property,
    TypeDefinition,
    codings,
    type_definition,
)
from polyclinic.kernel.types.primitives import (
    KNOWN,
    TEXT_CHECKS,
    is_common_code,
    is_common_uri,
    is_decimal,
)

Decode = Callable[[Any], msgspec.Struct]
PostInit = Callable[[msgspec.Struct], None]

# Uris in these types come from a small vocabulary: it pays to remember those already checked.
_COMMON: Final = frozenset(
    {"Coding", "Extension", "Identifier", "Quantity", "SimpleQuantity", "Age", "Duration", "Money"}
)


def post_init(definition: TypeDefinition, inner: Decode) -> PostInit | None:
    """Return the compiled ``__post_init__`` of a type, or None when its annotations say it all.

    ``inner`` decodes a resource within this one by its own type.
    """
    names: dict[str, Any] = {**_NAMES, "inner": inner}
    lines = [
        *_required(definition),
        *_choices(definition),
        *_formats(definition),
        *_bindings(definition, names),
        *_resources(definition),
    ]
    if not lines:
        return None
    source = "def __post_init__(self):\n" + "\n".join("    " + line for line in lines)
    # The text holds names from the committed tables and nothing that a client sent.
    exec(compile(source, f"<checks of {definition.name}>", "exec"), names)  # noqa: S102
    checks: PostInit = names["__post_init__"]
    return checks


def _required(definition: TypeDefinition) -> Iterator[str]:
    """Demand a required primitive or the extension that stands in for it."""
    for property_ in definition.properties.values():
        element = property_.element
        if element.required and not element.choice and property_.extensible:
            own, extension = property_.attribute, property_.extension_attribute
            yield f"if self.{own} is U and self.{extension} is U: raise Broken"


def _choices(definition: TypeDefinition) -> Iterator[str]:
    """Demand at most one alternative of each choice, and one where the choice is required."""
    first = True
    for element, start, stop in _choice_ranges(definition):
        if first:
            yield "t = astuple(self)"
            first = False
        yield f"c = t[{start}:{stop}].count(U)"
        if element.required:
            yield f"if c == {stop - start}: raise Broken"
        yield f"if c < {stop - start - 1} and not single(self, {element.name!r}): raise Broken"


def _choice_ranges(definition: TypeDefinition) -> Iterator[tuple[Element, int, int]]:
    """Return each choice with the range of Struct fields that hold its alternatives."""
    position = 0
    ranges: dict[Element, tuple[int, int]] = {}
    for property_ in definition.properties.values():
        width = 2 if property_.extensible else 1
        if property_.element.choice:
            start = ranges.get(property_.element, (position, 0))[0]
            ranges[property_.element] = (start, position + width)
        position += width
    for element, (start, stop) in ranges.items():
        yield element, start, stop


def _formats(definition: TypeDefinition) -> Iterator[str]:
    """Demand the formats that need more than an annotation."""
    for property_ in definition.properties.values():
        if not property_.primitive or property_.element.binding is not None:
            continue
        check = _check(definition, property_)
        if check is None:
            continue
        yield f"v = self.{property_.attribute}"
        if property_.element.many:
            yield f"if v is not U and not each(v, {check}): raise Broken"
        elif check.startswith("is_common"):
            yield f"if v is not U and v not in KNOWN and not {check}(v): raise Broken"
        else:
            yield f"if v is not U and not {check}(v): raise Broken"


def _check(definition: TypeDefinition, property_: Property) -> str | None:
    """Return the name of the function that checks the format of a property."""
    if property_.type == "decimal":
        return "is_decimal_or_null" if property_.element.many else "is_decimal"
    if property_.type not in TEXT_CHECKS:
        return None
    if property_.element.many:
        return f"is_{property_.type}"
    if property_.type == "code":
        return "is_common_code"
    if property_.type == "uri" and definition.name in _COMMON and not property_.element.choice:
        return "is_common_uri"
    return f"is_{property_.type}"


def _bindings(definition: TypeDefinition, names: dict[str, Any]) -> Iterator[str]:
    """Demand a code of the value set in each Coding or CodeableConcept with a required binding."""
    for property_ in definition.properties.values():
        binding, many = property_.element.binding, property_.element.many
        if binding is None or property_.type not in _CODED:
            continue
        allowed = f"codes_{property_.name}"
        names[allowed] = codings(binding)
        yield f"v = self.{property_.attribute}"
        items = "v" if many else "(v,)"
        yield f"if v is not U and not {_CODED[property_.type]}({items}, {allowed}): raise Broken"


def _resources(definition: TypeDefinition) -> Iterator[str]:
    """Decode resources within this one by their own type."""
    for property_ in definition.properties.values():
        if property_.type == "Resource":
            own = property_.attribute
            yield f"v = self.{own}"
            value = "[inner(r) for r in v]" if property_.element.many else "inner(v)"
            yield f"if v is not U: replace(self, {own!r}, {value})"


def _each(values: Collection[Any], check: Callable[[Any], object]) -> bool:
    """Return whether every value of a list is well-formed; None holds a place for an extension."""
    return all(value is None or check(value) for value in values)


def _is_decimal_or_null(value: msgspec.Raw) -> bool:
    """Return whether an item of a list of decimals is a number or holds a place."""
    return is_decimal(value) is not None or bytes(value) == b"null"


def _single(content: Any, choice: str) -> bool:
    """Return whether one alternative of a choice stands alone, its ``_`` sibling included."""
    alternatives = {
        property_.name
        for property_ in type_definition(content.fhir_type).properties.values()
        if property_.element.name == choice
        and (
            getattr(content, property_.attribute) is not UNSET
            or getattr(content, property_.extension_attribute, UNSET) is not UNSET
        )
    }
    return len(alternatives) <= 1


def _coded(concepts: Collection[Any], allowed: Codes) -> bool:
    """Return whether every CodeableConcept has at least one coding of the value set."""
    return all(
        concept.coding and any((coding.system, coding.code) in allowed for coding in concept.coding)
        for concept in concepts
    )


def _all_of(values: Collection[Any], allowed: Codes) -> bool:
    """Return whether every Coding or Quantity is of the value set."""
    return all((coding.system, coding.code) in allowed for coding in values)


_CODED: Final = {
    "CodeableConcept": "coded",
    "Coding": "all_of",
    "Quantity": "all_of",
    "SimpleQuantity": "all_of",
}

_NAMES: Final[dict[str, Any]] = {
    "Broken": ValueError,
    "KNOWN": KNOWN,
    "U": UNSET,
    "all_of": _all_of,
    "astuple": msgspec.structs.astuple,
    "coded": _coded,
    "each": _each,
    "is_common_code": is_common_code,
    "is_common_uri": is_common_uri,
    "is_decimal": is_decimal,
    "is_decimal_or_null": _is_decimal_or_null,
    "replace": msgspec.structs.force_setattr,
    "single": _single,
    **{f"is_{name}": check for name, check in TEXT_CHECKS.items()},
}
