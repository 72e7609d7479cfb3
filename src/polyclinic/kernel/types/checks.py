"""The checks that a class makes after decoding: what an annotation cannot say.

For each class one ``__post_init__`` is compiled from source text, because it runs for every object
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
    codings,
    type_definition,
)
from polyclinic.kernel.types.definitions import Property as Field
from polyclinic.kernel.types.primitives import (
    INSTANTS,
    KNOWN,
    MAX_DECIMAL,
    MOMENTS,
    TEXT_CHECKS,
    is_common_code,
    is_common_date_time,
    is_common_instant,
    is_common_uri,
    is_decimal,
)
from polyclinic.kernel.types.shapes import COMMON_TYPES, Layout, Shape

Decode = Callable[[Any], msgspec.Struct]
PostInit = Callable[[msgspec.Struct], None]

_WIDE: Final = 15
"""Beyond so many fields a choice is counted in a tuple of all, below it one by one."""

# Uris in these types come from a small vocabulary: it pays to remember those already checked.
_VOCABULARY: Final = frozenset(
    {"Coding", "Extension", "Identifier", "Quantity", "SimpleQuantity", "Age", "Duration", "Money"}
)


def post_init(plan: Layout, inner: Decode) -> PostInit | None:
    """Return the compiled ``__post_init__`` of a class, or None when its annotations say it all.

    ``inner`` decodes a resource within this one by its own type.
    """
    names: dict[str, Any] = {**_NAMES, "inner": inner}
    lines = [
        *_filled(plan),
        *_assigner(plan),
        *_required(plan),
        *_choices(plan),
        *_formats(plan),
        *_bindings(plan, names),
        *_resources(plan),
    ]
    if not lines:
        return None
    source = "def __post_init__(self, U=U):\n" + "\n".join("    " + line for line in lines)
    # The text holds names from the committed tables and nothing that a client sent.
    exec(compile(source, f"<checks of {plan.type}>", "exec"), names)  # noqa: S102
    checks: PostInit = names["__post_init__"]
    return checks


def _filled(plan: Layout) -> Iterator[str]:
    """Demand a value or children (ele-1), where no field is required anyway."""
    if plan.shape is Shape.COMPLETE or plan.kind == "resource":
        return
    if any(field.element.required for field in plan.fields):
        return
    # Extensions last: what is there more often ends the search sooner.
    ranked = sorted(plan.fields, key=lambda field: field.type == "Extension")
    absent = " and ".join(f"self.{field.attribute} is U" for field in ranked if field.name != "id")
    yield f"if {absent}: raise Broken"


def _assigner(plan: Layout) -> Iterator[str]:
    """Leave to the complete shape what could nest without end: an assigner with an identifier."""
    if plan.shape is Shape.COMMON and plan.type == "Identifier":
        yield "if self.assigner is not U and self.assigner.identifier is not U: raise Broken"


def _required(plan: Layout) -> Iterator[str]:
    """Demand a required primitive or the extension that stands in for it."""
    for field in plan.fields:
        if field.element.required and not field.element.choice and plan.extensible(field):
            own, extension = field.attribute, field.extension_attribute
            yield f"if self.{own} is U and self.{extension} is U: raise Broken"


def _choices(plan: Layout) -> Iterator[str]:
    """Demand at most one alternative of each choice, and one where the choice is required."""
    if plan.shape is Shape.COMMON and plan.type == "Extension":
        yield from _extension_value(plan)
        return
    counted = False
    for element, start, fields in _alternatives(plan):
        width = sum(2 if plan.extensible(field) else 1 for field in fields)
        if width > _WIDE:
            if not counted:
                yield "t = astuple(self)"
                counted = True
            yield f"n = {width} - t[{start}:{start + width}].count(U)"
            yield from _found(plan, fields)
        else:
            yield from _one_by_one(plan, fields)
        if element.required:
            yield "if n == 0: raise Broken"
        single = ""
        if plan.shape is Shape.COMPLETE:
            single = f" and not single(self, {element.name!r})"
        yield f"if n > 1{single}: raise Broken"


def _alternatives(plan: Layout) -> Iterator[tuple[Element, int, list[Field]]]:
    """Return each choice with its first position in the class and the fields for it."""
    position = 0
    found: dict[Element, tuple[int, list[Field]]] = {}
    for field in plan.fields:
        if field.element.choice:
            found.setdefault(field.element, (position, []))[1].append(field)
        position += 2 if plan.extensible(field) else 1
    for element, (start, fields) in found.items():
        yield element, start, fields


def _one_by_one(plan: Layout, fields: list[Field]) -> Iterator[str]:
    """Count the alternatives of a choice, with the format of each."""
    yield "n = 0"
    for field in fields:
        wrong = _wrong(plan, field)
        if wrong is None:
            yield f"if self.{field.attribute} is not U: n += 1"
        else:
            yield f"v = self.{field.attribute}"
            yield "if v is not U:"
            yield "    n += 1"
            yield f"    if {wrong}: raise Broken"
        if plan.extensible(field):
            yield f"if self.{field.extension_attribute} is not U: n += 1"


def _extension_value(plan: Layout) -> Iterator[str]:
    """Demand at most one value of an Extension, of which nearly all have a url and no other field.

    There are more extensions than anything else: what holds for most of them comes first.
    """
    fields = [field for field in plan.fields if field.element.choice]
    start, stop = len(plan.fields) - len(fields), len(plan.fields)
    yield "t = astuple(self)"
    yield "c = t.count(U)"
    yield f"if c < {stop - 2} and t[{start}:{stop}].count(U) < {len(fields) - 1}: raise Broken"
    yield f"n = self.extension is U or c < {stop - 2}"
    yield from _found(plan, fields)


def _found(plan: Layout, fields: list[Field]) -> Iterator[str]:
    """Look for the one alternative that is there, the most frequent first, to check its format."""
    ranked = sorted(fields, key=lambda field: _RANK.get(field.type, len(_RANK)))
    yield "if n:"
    if plan.shape is Shape.COMPLETE:  # several may be there: one without its sibling
        for field in ranked:
            wrong = _wrong(plan, field)
            if wrong is not None:
                yield f"    v = self.{field.attribute}"
                yield f"    if v is not U and ({wrong}): raise Broken"
        yield "    pass"
        return
    word = "if"
    for field in ranked:
        wrong = _wrong(plan, field)
        yield f"    {word} (v := self.{field.attribute}) is not U:"
        yield f"        if {wrong}: raise Broken" if wrong else "        pass"
        word = "elif"


def _formats(plan: Layout) -> Iterator[str]:
    """Demand the formats that need more than an annotation."""
    for field in plan.fields:
        wrong = None if field.element.choice else _wrong(plan, field)
        if wrong is not None:
            yield f"v = self.{field.attribute}"
            optional = not field.element.required or plan.extensible(field)
            yield f"if {'v is not U and ' if optional else ''}{wrong}: raise Broken"


def _wrong(plan: Layout, field: Field) -> str | None:
    """Return the expression that is true when the value ``v`` of a field is malformed."""
    own_id = field.name == "id" and plan.kind == "resource"  # the resource's reader checks it
    if not field.primitive or field.element.binding is not None or own_id:
        return None
    if field.type == "decimal":
        return _wrong_decimal(plan, field)
    return _wrong_text(plan, field) if field.type in TEXT_CHECKS else None


def _wrong_text(plan: Layout, field: Field) -> str:
    known = _REMEMBERED.get(field.type)
    if field.element.many:
        if known is None:
            return f"not each(v, is_{field.type})"
        return f"not {known}.issuperset(v) and not each(v, is_common_{field.type})"
    any_uri = field.type == "uri" and (field.element.choice or plan.type not in _VOCABULARY)
    if known is None or any_uri:
        return f"not is_{field.type}(v)"
    return f"v not in {known} and not is_common_{field.type}(v)"


def _wrong_decimal(plan: Layout, field: Field) -> str:
    if field.element.many:
        return "not each(v, is_decimal_or_null)"
    if plan.shape is Shape.COMPLETE:
        return "not is_decimal(v)"
    # Any number but zero that fits into a float has an exponent that fits also.
    usual = f"(b := bytes(v)) in ZEROS or (len(b) <= {MAX_DECIMAL} and number(v))"
    return f"not ({usual}) and not is_decimal(v)"


def _bindings(plan: Layout, names: dict[str, Any]) -> Iterator[str]:
    """Demand a code of the value set in each Coding or CodeableConcept with a required binding."""
    for field in plan.fields:
        binding, many = field.element.binding, field.element.many
        if binding is None or field.type not in _CODED:
            continue
        allowed = f"codes_{field.name}"
        names[allowed] = codings(binding)
        yield f"v = self.{field.attribute}"
        items = "v" if many else "(v,)"
        yield f"if v is not U and not {_CODED[field.type]}({items}, {allowed}): raise Broken"


def _resources(plan: Layout) -> Iterator[str]:
    """Decode resources within this one by their own type."""
    for field in plan.fields:
        if field.type == "Resource":
            own = field.attribute
            yield f"v = self.{own}"
            value = "[inner(r) for r in v]" if field.element.many else "inner(v)"
            yield f"if v is not U: replace(self, {own!r}, {value})"


def _each(values: Collection[Any], check: Callable[[Any], object]) -> bool:
    """Return whether every value of a list is well-formed; None holds a place for an extension."""
    for value in values:  # noqa: SIM110 - a generator costs more than most of these lists
        if value is not None and not check(value):
            return False
    return True


def _is_decimal_or_null(value: msgspec.Raw) -> bool:
    """Return whether an item of a list of decimals is a number or holds a place."""
    return is_decimal(value) or bytes(value) == b"null"


def _single(content: Any, choice: str) -> bool:
    """Return whether one alternative of a choice stands alone, its ``_`` sibling included."""
    alternatives = {
        field.name
        for field in type_definition(content.fhir_type).properties.values()
        if field.element.name == choice
        and (
            getattr(content, field.attribute) is not UNSET
            or getattr(content, field.extension_attribute, UNSET) is not UNSET
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

_REMEMBERED: Final = {
    "canonical": "KNOWN",
    "code": "KNOWN",
    "dateTime": "MOMENTS",
    "instant": "INSTANTS",
    "uri": "KNOWN",
}
"""Where the values of a type are remembered that were found well-formed."""

_RANK: Final = {name: rank for rank, name in enumerate(COMMON_TYPES)}

_NAMES: Final[dict[str, Any]] = {
    "Broken": ValueError,
    "INSTANTS": INSTANTS,
    "KNOWN": KNOWN,
    "MOMENTS": MOMENTS,
    "U": UNSET,
    "ZEROS": frozenset({b"0", b"0.0", b"0.00"}),
    "all_of": _all_of,
    "astuple": msgspec.structs.astuple,
    "coded": _coded,
    "each": _each,
    "is_common_canonical": is_common_uri,
    "is_common_code": is_common_code,
    "is_common_dateTime": is_common_date_time,
    "is_common_instant": is_common_instant,
    "is_common_uri": is_common_uri,
    "is_decimal": is_decimal,
    "is_decimal_or_null": _is_decimal_or_null,
    "number": msgspec.json.Decoder(float).decode,
    "replace": msgspec.structs.force_setattr,
    "single": _single,
    **{f"is_{name}": check for name, check in TEXT_CHECKS.items()},
}
