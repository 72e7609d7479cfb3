"""The FHIR R4 data types and resources: decode is validation.

``parse`` turns bytes that nobody has checked into a ``Resource``, or raises InvalidResource with
one issue for every fault.
"""

from polyclinic.kernel.types.definitions import (
    RESOURCE_TYPES,
    Element,
    Property,
    TypeDefinition,
    type_definition,
    type_name,
    type_number,
)
from polyclinic.kernel.types.depth import MAX_DEPTH
from polyclinic.kernel.types.primitives import is_id
from polyclinic.kernel.types.resource import Resource, faults, from_json, parse, splice
from polyclinic.kernel.types.structs import struct_class

__all__ = [
    "MAX_DEPTH",
    "RESOURCE_TYPES",
    "Element",
    "Property",
    "Resource",
    "TypeDefinition",
    "faults",
    "from_json",
    "is_id",
    "parse",
    "splice",
    "struct_class",
    "type_definition",
    "type_name",
    "type_number",
]
