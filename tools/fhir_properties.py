"""The JSON properties of each type, from the tables: what both generated type files are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

MANY_CODES = 40
"""A value set with more codes than this is a plain string in the generated types."""

MISSPELT = re.compile(
    "^.*(?:requestor|farenheit|inforce|crossReference|notIn).*$",  # codespell:ignore
    re.MULTILINE,
)
"""Lines with names of R4 that a spelling checker doubts."""


@dataclass(frozen=True)
class Property:
    """A JSON property of a type."""

    name: str
    type: str
    """A primitive, or the class of a complex type."""
    required: bool
    many: bool
    codes: tuple[str, ...]
    """The codes of a required binding, when they are few."""
    extensible: bool
    """Whether ``_name`` may stand beside it."""


@dataclass(frozen=True)
class Interface:
    """A type with its properties."""

    name: str
    path: str
    resource: bool
    properties: tuple[Property, ...]


def class_name(path: str) -> str:
    """Return the class of a type or backbone element: ``Patient.contact`` is PatientContact."""
    return "".join(part[0].upper() + part[1:] for part in path.split("."))


def interfaces(tables: dict[str, Json], codes: dict[str, Any]) -> Iterator[Interface]:
    """Yield every type and backbone element."""
    for name, table in tables.items():
        groups = table["elements"]
        for path, rows in groups.items():
            properties = tuple(_properties(path, rows, groups, codes))
            resource = table["kind"] == "resource" and path == name
            yield Interface(class_name(path), path, resource, properties)


def _properties(
    path: str, rows: list[Any], groups: Json, codes: dict[str, Any]
) -> Iterator[Property]:
    for row in rows:
        name, types, flags, extra = [*row, {}][:4]
        inner = extra.get("of") or f"{path}.{name}"
        if inner in groups:
            types = [inner]
        members = codes.get(extra.get("binding"), {}).values()
        allowed = tuple(dict.fromkeys(code for listed in members for code in listed))
        for type_ in types:
            primitive = type_[0].islower()
            yield Property(
                name=_json_name(name, type_) if "x" in flags else name,
                type=type_ if primitive else class_name(type_),
                required="1" in flags and "x" not in flags,
                many="*" in flags,
                codes=allowed if primitive and len(allowed) <= MANY_CODES else (),
                extensible=primitive and "a" not in flags and name != "id" and type_ != "xhtml",
            )


def _json_name(name: str, type_: str) -> str:
    type_ = "Quantity" if type_ == "SimpleQuantity" else type_
    return name + type_[0].upper() + type_[1:]
