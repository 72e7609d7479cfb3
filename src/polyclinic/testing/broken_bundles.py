"""Batches and transactions that are nearly right: valid ones in which something was changed.

What a reader of Bundles may meet: members that are missing, doubled, of another kind, too long or
too deep, references to what is not there or to each other, entries that contradict one another.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.interactions import maker

Json = Any
Place = tuple[Json, Any]
"""An object or list, and the name or index of what stands in it."""

_MAKE: Final = maker(next(one for one in INTERACTIONS if one.code == "transaction"))
_ODD: Final[Sequence[Json]] = (
    *(None, True, 0, -1, 1.5, 10**40, "", "x", "\x00", "\ud800", "é" * 300, [], {}, [[]], [None]),
    *({"x": 1}, {"resourceType": "Patient"}, {"resourceType": "Nothing"}, {"reference": "#a"}),
    *("urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11", "Patient/a", "Patient?", "Patient?_id=a"),
    *("Patient?identifier=number-birch", "http://clinic.test/fhir/Patient/a", "../Patient", "$x"),
    *(
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "batch",
        "transaction",
        "history",
    ),
    *('W/"1"', 'W/"x"', "*", "_history", "Patient/a/_history/1", "?_id=a", "/", "//", "%", "%2F"),
)
_NAMES: Final = (
    *("resourceType", "id", "meta", "request", "resource", "fullUrl", "method", "url", "entry"),
    *("ifMatch", "ifNoneExist", "ifNoneMatch", "ifModifiedSince", "extension", "_id", "contained"),
    *("text", "identifier", "subject", "reference", "contentType", "data", "parameter", "part"),
)
_DEEPEST: Final = 300


def nearly_bundle(chance: Chance) -> Call:
    """Return a batch or transaction, right as often as broken in up to four ways."""
    call = _MAKE(chance, chance.choice(RESOURCE_TYPES))
    bundle = json.loads(call.body)
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        change: Callable[[Chance, Json], None] = chance.choice(_CHANGES)
        change(chance, bundle)
    body = json.dumps(bundle)
    if chance.happens(0.1):
        at = chance.randint(0, len(body))
        body = body[:at] + chance.choice(("", *'{}[]",:\\0')) + body[at + chance.randint(0, 3) :]
    return replace(call, target="/fhir", body=body.encode())


def _copied(value: Json) -> Json:
    return json.loads(json.dumps(value))


def _places(value: Json) -> list[Place]:
    found: list[Place] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys if isinstance(one[key], dict | list)]
    return found


def _somewhere(chance: Chance, bundle: Json) -> Place | None:
    places = _places(bundle)
    return chance.choice(places) if places else None


def _replaced(chance: Chance, bundle: Json) -> None:
    if (place := _somewhere(chance, bundle)) is not None:
        place[0][place[1]] = _copied(chance.choice(_ODD))


def _removed(chance: Chance, bundle: Json) -> None:
    if (place := _somewhere(chance, bundle)) is not None:
        del place[0][place[1]]


def _added(chance: Chance, bundle: Json) -> None:
    """Add a member that others have elsewhere."""
    if (place := _somewhere(chance, bundle)) is not None:
        target = place[0][place[1]]
        target = target if isinstance(target, dict) else bundle
        target[chance.choice(_NAMES)] = _copied(chance.choice(_ODD))


def _swapped(chance: Chance, bundle: Json) -> None:
    """Put a copy of one part in the place of another."""
    one, other = _somewhere(chance, bundle), _somewhere(chance, bundle)
    if one is not None and other is not None:
        one[0][one[1]] = _copied(other[0][other[1]])


def _repeated(chance: Chance, bundle: Json) -> None:
    """Say an entry, or an item of another list, several times."""
    lists = [one[key] for one, key in _places(bundle) if isinstance(one[key], list) and one[key]]
    if lists:
        items = chance.choice(lists)
        items += [_copied(chance.choice(items))] * chance.choice((1, 1, 2, 20))


def _nested(chance: Chance, bundle: Json) -> None:
    """Put something deep in the place of a part."""
    if (place := _somewhere(chance, bundle)) is not None:
        deep: Json = place[0][place[1]]
        name = chance.choice(("extension", "contained", "item", "part", "x"))
        for _ in range(chance.randint(1, _DEEPEST)):
            deep = {name: [deep]} if chance.happens(0.8) else [deep]
        place[0][place[1]] = deep


def _linked(chance: Chance, bundle: Json) -> None:
    """Let some references lead to the same entry, or to each other's."""
    names = [one[key] for one, key in _places(bundle) if key == "fullUrl"]
    name = chance.choice([one for one in names if isinstance(one, str)] or ["urn:uuid:x"])
    for one, key in _places(bundle):
        if key in ("reference", "fullUrl") and chance.happens(0.5):
            one[key] = name + chance.choice(("", "", "/_history/1", "#a"))


_CHANGES: Final[Sequence[Callable[[Chance, Json], None]]] = (
    *(_replaced, _replaced, _removed, _added, _swapped, _repeated, _nested, _linked),
)
