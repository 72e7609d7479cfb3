"""What makes two elements the same: a key that is equal for equal elements.

Sets of elements, ``distinct``, ``union``, ``in``, are made with keys, in time that grows with the
number of elements and not with its square.

http://hl7.org/fhirpath/N1/#equals, http://hl7.org/fhirpath/N1/#equivalent
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET

from polyclinic.kernel.fhirpath.moments import Moment, utc_parts
from polyclinic.kernel.fhirpath.node import Collection, Node, number, system_value
from polyclinic.kernel.fhirpath.quantities import Quantity, base_value
from polyclinic.kernel.fhirpath.run import Run


def key(run: Run, node: Node) -> Hashable:
    """Return a key that two elements share exactly when ``=`` is true for them."""
    value = system_value(node)
    if value is None:
        own = None if node.type.primitive else structure(run, node.value, tuple, str)
        return node.type.primitive, own, structure(run, node.element, tuple, str)
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, Moment):
        return value.kind == "Time", value.offset is None, utc_parts(value)
    if isinstance(value, Quantity):
        base = base_value(value)
        return (value.value, value.unit, "?") if base is None else (base.value, base.unit)
    return value if isinstance(value, str) else (value, "1")


def keys(run: Run, nodes: Iterable[Node]) -> set[Hashable]:
    """Return the keys of a collection, which nobody changes."""
    known = run.keys.get(id(nodes))
    if known is not None:
        run.spend(1)
        return known
    found = {key(run, node) for node in nodes}
    run.spend(len(found))
    if id(nodes) in run.keys:
        run.keys[id(nodes)] = found
    return found


def distinct(run: Run, nodes: Iterable[Node]) -> Collection:
    """Return the elements without those that are equal to an earlier one."""
    nodes = list(nodes)
    if len(nodes) == 1:
        return nodes
    found: dict[Hashable, Node] = {}
    for node in nodes:
        found.setdefault(key(run, node), node)
    return run.bounded(list(found.values()))


def structure(
    run: Run,
    value: Any,
    ordered: Callable[[list[Hashable]], Hashable],
    text: Callable[[str], str],
) -> Hashable:
    """Return the content of an object as a key, its strings as ``text`` changes them.

    ``ordered`` makes the key of a list, for which the order of its items may count or not.
    """
    if isinstance(value, str):
        return text(value)
    if value is None or value is UNSET or isinstance(value, bool):
        return ("boolean", value) if isinstance(value, bool) else None
    if isinstance(value, (int, float, Decimal, msgspec.Raw)):
        return number(value)
    run.spend(1)
    if isinstance(value, list):
        return ordered([structure(run, item, ordered, text) for item in value])
    return frozenset(
        (name, structure(run, item, ordered, text))
        for name, item in _members(value)
        if item is not UNSET and item is not None and name != "resourceType"
    )


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the members of an object by their names in JSON."""
    if isinstance(value, dict):
        return value.items()
    return zip(value.__struct_encode_fields__, msgspec.structs.astuple(value), strict=True)


def unordered(items: list[Hashable]) -> Hashable:
    """Return the key of a list whose order does not count."""
    return frozenset(Counter(items).items())
