"""FHIR's XML read as its JSON, for the official test data that exists in XML alone.

https://hl7.org/fhir/R4/xml.html
"""

from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

from polyclinic.kernel.types.definitions import Property, type_definition
from polyclinic.kernel.types.primitives import INTEGERS

_FHIR: Final = "{http://hl7.org/fhir}"
_XHTML: Final = "http://www.w3.org/1999/xhtml"


def read_xml(data: bytes) -> dict[str, Any]:
    """Return the JSON of a resource in XML; decimals are Decimal and keep their digits."""
    ET.register_namespace("", _XHTML)
    root = ET.fromstring(data)  # noqa: S314 - an official test file, not what a stranger sent
    return _resource(root)


def _resource(element: ET.Element) -> dict[str, Any]:
    name = _name(element)
    return {"resourceType": name, **_members(element, name)}


def _name(element: ET.Element) -> str:
    return element.tag.removeprefix(_FHIR).removeprefix(f"{{{_XHTML}}}")


def _members(element: ET.Element, type_: str) -> dict[str, Any]:
    """Return the members of an object: its attributes, then its elements."""
    properties = type_definition(type_).properties
    found: dict[str, Any] = {
        name: text for name, text in element.attrib.items() if name in {"id", "url"}
    }
    for child in element:
        property_ = properties[_name(child)]
        if property_.primitive:
            _add_primitive(found, child, property_)
        else:
            value = _resource(child[0]) if property_.type == "Resource" else None
            _add(found, property_, value or _members(child, property_.type))
    return found


def _add(found: dict[str, Any], property_: Property, value: Any) -> None:
    if property_.element.many:
        found.setdefault(property_.name, []).append(value)
    else:
        found[property_.name] = value


def _add_primitive(found: dict[str, Any], element: ET.Element, property_: Property) -> None:
    value = _value(element, property_.type)
    sibling = None if property_.type == "xhtml" else _members(element, "Element") or None
    name = "_" + property_.name
    if not property_.element.many:
        found |= {property_.name: value} if value is not None else {}
        found |= {name: sibling} if sibling else {}
        return
    values = found.setdefault(property_.name, [])
    values.append(value)
    if sibling or name in found:
        before = found.setdefault(name, [])
        before += [None] * (len(values) - 1 - len(before)) + [sibling]


def _value(element: ET.Element, type_: str) -> Any:
    if type_ == "xhtml":
        return ET.tostring(element, encoding="unicode").strip()
    text = element.get("value")
    if text is None or (type_ not in INTEGERS and type_ not in {"boolean", "decimal"}):
        return text
    if type_ == "boolean":
        return text == "true"
    return Decimal(text) if type_ == "decimal" else int(text)
