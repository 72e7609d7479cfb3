"""A valid resource of any R4 type, filled where its search parameters look.

The elements come from the type's definition, the values from a word: two samples of one word are
the same, and two words share some of their values and not others.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from zlib import crc32

from polyclinic.kernel.search.parameters import (
    Path,
    SearchParameter,
    Step,
    compartment_parameters,
    parameters,
)
from polyclinic.kernel.types import Element, Property, TypeDefinition, type_definition
from polyclinic.kernel.types.definitions import codes, codings

Json = dict[str, Any]
Refer = Callable[[Sequence[str], bool], Json]
"""From the types that a reference may point to, and whether it decides whose record the resource
belongs to, to a reference."""

SYSTEM: Final = "urn:example:twins"
COMMON: Final = "common"
"""The word whose values samples of all words have too."""
_SHARED_OF_TEN: Final = 4
_FIRST_YEAR: Final = 1950
_YEARS: Final = 70
_DEEPEST: Final = 6


def sample(resource_type: str, resource_id: str, word: str, refer: Refer) -> Json:
    """Return a resource with values of a word, its references made by ``refer``."""
    return _Sampler(resource_type, word, refer).resource(resource_id)


class _Sampler:
    """Fill one resource."""

    def __init__(self, resource_type: str, word: str, refer: Refer) -> None:
        self._type = resource_type
        self._word = word
        self._refer = refer
        self._compartment = compartment_parameters(resource_type)

    def resource(self, resource_id: str) -> Json:
        resource: Json = {"resourceType": self._type, "id": resource_id}
        for param in self._params():
            for path in param.paths:
                self._place(resource, param, path)
        if "text" in type_definition(self._type).properties:
            resource.setdefault("text", _VALUES["Narrative"](self._word))
        self._complete(resource, type_definition(self._type), 0)
        if self._type == "SearchParameter":
            # One that is active is used, and then all of it has to make sense.
            resource["status"] = "draft"
        return resource

    def _params(self) -> Iterator[SearchParameter]:
        """Yield those that decide whose a resource is first, the others in the word's order.

        Of the alternatives of a choice the first that comes is taken, so words differ in them.
        """
        known = parameters(self._type)
        order = sorted(known, key=lambda code: _number(self._word, code))
        yield from (known[code] for code in sorted(self._compartment) if code in known)
        yield from (known[code] for code in order if code not in self._compartment)

    def _place(self, resource: Json, param: SearchParameter, path: Path) -> None:
        """Put a value where a path of a parameter ends, unless one is there."""
        node, name = resource, self._type
        for at, step in enumerate(path.steps):
            found = type_definition(name).properties.get(step.name)
            if found is None or found.type == "Resource" or _excluded(node, found, name):
                return
            if at == len(path.steps) - 1:
                self._put(node, found, step, param)
                return
            node, name = self._below(node, found, step), found.type

    def _below(self, node: Json, found: Property, step: Step) -> Json:
        fresh: Json = dict([step.where]) if step.where else {}
        if not found.element.many:
            inner: Json = node.setdefault(step.name, fresh)
            return inner
        items: list[Json] = node.setdefault(step.name, [])
        for item in items:
            if step.where is None or item.get(step.where[0]) == step.where[1]:
                return item
        items.append(fresh)
        return fresh

    def _put(self, node: Json, found: Property, step: Step, param: SearchParameter) -> None:
        word = self._word_of(param.code)
        is_own = param.code in self._compartment
        value = self._value(found, word, is_own=is_own)
        if step.where and isinstance(value, dict):
            value |= dict([step.where])
        if found.element.many:
            node.setdefault(step.name, []).append(value)
        elif is_own or step.name not in node:
            node[step.name] = value

    def _word_of(self, code: str) -> str:
        return COMMON if _number(self._word, code) % 10 < _SHARED_OF_TEN else self._word

    def _complete(self, node: Json, definition: TypeDefinition, depth: int) -> None:
        """Add what the definition requires, here and below."""
        for element in definition.elements:
            if element.required and not _present(node, element):
                found = definition.properties[element.json_name(element.types[0])]
                value = self._value(found, self._word, is_own=False)
                node[found.name] = [value] if element.many else value
        for name, value in list(node.items()):
            inner = definition.properties.get(name)
            if inner is not None and not inner.primitive and depth < _DEEPEST:
                self._complete_each(value, type_definition(inner.type), depth + 1)

    def _complete_each(self, value: Any, definition: TypeDefinition, depth: int) -> None:
        for item in value if isinstance(value, list) else [value]:
            if "resourceType" not in item:
                self._complete(item, definition, depth)
                if not item:
                    item.update(self._something(definition))

    def _something(self, definition: TypeDefinition) -> Json:
        """Return one member for what requires none and may not be empty."""
        found = next(
            one
            for one in definition.properties.values()
            if one.primitive and one.name != "id" and one.extensible
        )
        value = self._value(found, self._word, is_own=False)
        return {found.name: [value] if found.element.many else value}

    def _value(self, found: Property, word: str, *, is_own: bool) -> Any:
        element = found.element
        if found.type == "Reference":
            identifier = {"system": SYSTEM, "value": f"number-{word}"}
            return {**self._refer(element.targets, is_own), "identifier": identifier}
        if element.binding and found.type in ("code", "string", "uri"):
            return _chosen(codes(element.binding), word)
        if element.binding and found.type == "CodeableConcept":
            system, code = _chosen(sorted(codings(element.binding)), word)
            return {"coding": [{"system": system, "code": code}]}
        if found.type == "Resource":
            return {"resourceType": "Basic", "id": "inner", "code": {"text": word}}
        make = _VALUES.get(found.type)
        return make(word) if make else {}


def _excluded(node: Json, found: Property, name: str) -> bool:
    """Say whether another alternative of the choice is there already."""
    others = type_definition(name).properties.values()
    return found.element.choice and any(
        one.name in node for one in others if one.element == found.element and one != found
    )


def _present(node: Json, element: Element) -> bool:
    return any(element.json_name(kind) in node for kind in element.types)


def _number(*words: str) -> int:
    return crc32("|".join(words).encode())


def _chosen(options: Sequence[Any], word: str) -> Any:
    return options[_number(word) % len(options)]


def _date(word: str) -> str:
    number = _number(word)
    return f"{_FIRST_YEAR + number % _YEARS}-{number % 12 + 1:02}-{number % 28 + 1:02}"


def _coding(word: str) -> Json:
    return {"system": SYSTEM, "code": f"code-{word}", "display": f"{word.title()} display"}


def _quantity(word: str) -> Json:
    units = {"system": "http://unitsofmeasure.org", "code": "mg", "unit": "mg"}
    return {"value": _number(word) % 900 + 0.5, **units}


def _named_by(word: str) -> str:
    """Return the word of the definition that a canonical names: to some, one that all share."""
    return COMMON if _number(word, "canonical") % 3 == 2 else word  # noqa: PLR2004 - one in three


def _digits(word: str) -> str:
    return str(_number(word) % 10**7)


_VALUES: Final[dict[str, Callable[[str], Any]]] = {
    "Address": lambda word: {"city": f"{word.title()}ton", "postalCode": _digits(word)},
    "Age": lambda word: {
        "value": _number(word) % 90 + 1,
        "system": "http://unitsofmeasure.org",
        "code": "a",
    },
    "CodeableConcept": lambda word: {"coding": [_coding(word)], "text": f"{word.title()} text"},
    "Coding": _coding,
    "ContactPoint": lambda word: {"system": "phone", "value": _digits(word)},
    "Duration": lambda word: {
        "value": _number(word) % 90 + 1,
        "system": "http://unitsofmeasure.org",
        "code": "d",
    },
    "HumanName": lambda word: {"family": word.title(), "given": [f"{word.title()}a"]},
    "Identifier": lambda word: {
        "type": {"coding": [_coding(word)]},
        "system": SYSTEM,
        "value": f"number-{word}",
    },
    "Money": lambda word: {"value": _number(word) % 900 + 0.25, "currency": "EUR"},
    "Narrative": lambda word: {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{word}</div>',
    },
    "Period": lambda word: {"start": _date(word)},
    "Quantity": _quantity,
    "Range": lambda word: {"low": _quantity(word)},
    "SimpleQuantity": _quantity,
    "Timing": lambda word: {"event": [_date(word)]},
    "UsageContext": lambda word: {"code": _coding(word), "valueCodeableConcept": {"text": word}},
    "base64Binary": lambda _: "aGVsbG8=",
    "boolean": lambda word: bool(_number(word) % 2),
    "canonical": lambda word: f"http://example.org/{_named_by(word)}",
    "code": lambda word: f"code-{word}",
    "date": _date,
    "dateTime": lambda word: f"{_date(word)}T10:00:00Z",
    "decimal": lambda word: _number(word) % 900 + 0.5,
    "id": lambda word: f"id-{word}",
    "instant": lambda word: f"{_date(word)}T10:00:00Z",
    "integer": lambda word: _number(word) % 900,
    "markdown": lambda word: f"{word.title()} in words",
    "oid": lambda _: "urn:oid:1.2.3",
    "positiveInt": lambda word: _number(word) % 900 + 1,
    "string": lambda word: f"{word.title()} string",
    "time": lambda _: "10:00:00",
    "unsignedInt": lambda word: _number(word) % 900,
    "uri": lambda word: f"http://example.org/{word}",
    "url": lambda word: f"http://example.org/{word}",
    "uuid": lambda _: "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": lambda word: f'<div xmlns="http://www.w3.org/1999/xhtml">{word}</div>',
}
