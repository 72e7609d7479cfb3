"""Random resources of some types whose values come from a few words, and so come again.

Each is put together from samples of two words (``isolation.samples``), without some of what it need
not have; then dates lose precision, quantities change their unit, texts their case and accents.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from polyclinic.kernel.types import type_definition
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.samples import Json, Refer, sample

WORDS: Final = ("alder", "birch", "cedar", "elder", "fir")
_LEFT_OUT: Final = 0.25
"""How likely an element is missing that may be."""
_CHANGED: Final = 0.4
"""How likely a value is written differently."""
_KEPT: Final = frozenset({"resourceType", "id", "meta"})
_CANONICALS: Final = frozenset({"derivedFrom", "questionnaire", "sourceCanonical"})
_PATIENTS: Final = ("p-1", "p-2", "p-3", "p-4")


def resources(chance: Chance, types: Sequence[str], each: int) -> Iterator[Json]:
    """Yield resources of each type, which refer to each other and to ``p-1`` to ``p-4``."""
    for resource_type in types:
        for number in range(1, each + 1):
            yield resource(chance, resource_type, f"{resource_type[0].lower()}-{number}")


def resource(chance: Chance, resource_type: str, resource_id: str) -> Json:
    """Return one resource."""
    words = chance.sample(WORDS, 2)
    first, second = (
        sample(resource_type, resource_id, word, _refer(chance, resource_id)) for word in words
    )
    optional = {one.name for one in _optional(resource_type)}
    found: Json = {}
    for name, value in first.items():
        if name in optional and name not in _KEPT and chance.happens(_LEFT_OUT):
            continue
        more = second.get(name)
        both = isinstance(value, list) and isinstance(more, list) and chance.happens(0.5)
        found[name] = [*value, *more] if both and isinstance(more, list) else value
    changed: Json = _changed(chance, found, "")
    return changed


def _optional(resource_type: str) -> Iterator[Any]:
    definition = type_definition(resource_type)
    for one in definition.properties.values():
        if not one.element.required:
            yield one


def _refer(chance: Chance, own: str) -> Refer:
    """Return what makes references to one of the four patients, or to the first few of a type."""

    def refer(targets: Sequence[str], is_own: bool) -> Json:  # noqa: FBT001 - the sampler's protocol
        if "Patient" in targets and (is_own or chance.happens(0.7)):
            if chance.happens(0.1):
                return {"identifier": {"system": "urn:example:twins", "value": "number-fir"}}
            return {"reference": f"Patient/{chance.choice(_PATIENTS)}"}
        kind = chance.choice([name for name in targets if name != own] or ["Organization"])
        reference = {"reference": f"{kind}/{kind[0].lower()}-{chance.randint(1, 5)}"}
        if chance.happens(0.1):
            reference = {"reference": f"http://elsewhere.example/{kind}/1"}
        return reference

    return refer


def _changed(chance: Chance, value: Any, name: str) -> Any:
    if isinstance(value, dict):
        changed = {key: _changed(chance, inner, key) for key, inner in value.items()}
        if "latitude" in changed:
            return _place(chance, changed)
        return _quantity(chance, changed, name) if "value" in changed else changed
    if isinstance(value, list):
        return [_changed(chance, inner, name) for inner in value]
    if isinstance(value, str) and chance.happens(_CHANGED):
        return _text(chance, value, name)
    return value


def _text(chance: Chance, text: str, name: str) -> str:
    if len(text) == len("2024-05-17") and text[4] == text[7] == "-":
        return text[: chance.choice((4, 7, 10))]
    if name.endswith("DateTime") and text.endswith("T10:00:00Z"):
        return text[:10] + chance.choice(
            ("", "T10:00:00+02:00", "T10:00:00.25Z", "T23:59:59-05:00")
        )
    if name in _CANONICALS:
        return text + chance.choice(("|1", "|2", "#part", "|"))
    if name == "version":
        return chance.choice(("1", "2"))
    if name in ("family", "city", "text", "display"):
        return chance.choice((text.upper(), text.replace("e", "é"), f"{text}-{text}"))
    return text


def _place(chance: Chance, value: Json) -> Json:
    """Return a place near others, near a pole, or near the date line."""
    north = chance.choice((48.8566, 48.9, 89.999, -89.99, 0.0))
    east = chance.choice((2.3522, 2.4, 179.999, -179.99, 0.0))
    return {**value, "latitude": north, "longitude": east}


def _quantity(chance: Chance, value: Json, name: str) -> Json:
    """Return a quantity in another unit, without one, or with a comparator."""
    if not isinstance(value["value"], float | int) or value.get("code") not in ("mg", "a", "d"):
        return value
    if chance.happens(_CHANGED):
        value = dict(value)
        match chance.randint(1, 4):
            # Elsewhere it may be a SimpleQuantity, which has none.
            case 1 if name.startswith("value"):
                value["comparator"] = chance.choice(("<", "<=", ">=", ">"))
            case 2:
                value["value"] = value["value"] / 1000
                value["code"] = value["unit"] = "g" if value["code"] == "mg" else value["code"]
            case 3:
                del value["system"], value["code"]
            case _:
                value["value"] = int(value["value"])
    return value
