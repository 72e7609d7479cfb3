"""Reads the R4 definitions: structures, value sets and code systems, put right where they drift.

The input is a folder with ``profiles-types.json``, ``profiles-resources.json``, ``valuesets.json``
and ``v3-codesystems.json`` as FHIR publishes them. Some redistributions add elements of their own;
``fhir_corrections.json`` lists what to drop or put back so that the result is R4 4.0.1.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CORRECTIONS = Path(__file__).with_name("fhir_corrections.json")
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"

Json = dict[str, Any]


@dataclass
class Definitions:
    """Everything of the folder that the tables are made of."""

    structures: dict[str, Json] = field(default_factory=dict)
    """StructureDefinitions by name; no profiles but SimpleQuantity."""
    value_sets: dict[str, Json] = field(default_factory=dict)
    code_systems: dict[str, Json] = field(default_factory=dict)

    def resources(self) -> list[str]:
        """Return the names of the concrete resource types, sorted."""
        return sorted(
            name
            for name, structure in self.structures.items()
            if structure["kind"] == "resource" and not structure["abstract"]
        )

    def data_types(self) -> list[str]:
        """Return the names of the complex data types, sorted."""
        return sorted(
            name
            for name, structure in self.structures.items()
            if structure["kind"] == "complex-type" and name != "BackboneElement"
        )

    def codes(self, url: str) -> dict[str, list[str]] | None:
        """Return system -> codes of a value set, or None when it cannot be enumerated."""
        value_set = self.value_sets.get(url)
        if value_set is None or set(value_set["compose"]) != {"include"}:
            return None
        result: dict[str, list[str]] = {}
        for include in value_set["compose"]["include"]:
            codes = self._included(include)
            if codes is None:
                return None
            known = result.setdefault(include["system"], [])
            known.extend(code for code in codes if code not in known)
        return result

    def _included(self, include: Json) -> list[str] | None:
        """Return the codes of one include: its concepts, or the whole complete code system."""
        if set(include) - {"system", "concept", "extension"}:
            return None
        if "concept" in include:
            return [concept["code"] for concept in include["concept"]]
        system = self.code_systems.get(include["system"])
        if system is None or system["content"] != "complete":
            return None
        return list(_concepts(system["concept"]))


def _concepts(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        abstract = any(
            entry["code"] in {"notSelectable", "abstract"} and entry.get("valueBoolean")
            for entry in concept.get("property", ())
        )
        if not abstract:
            yield concept["code"]
        yield from _concepts(concept.get("concept", []))


def _entries(path: Path) -> Iterator[Json]:
    for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]


def _kept(structure: Json, ignored: set[str]) -> bool:
    if structure["resourceType"] != "StructureDefinition" or structure["name"] in ignored:
        return False
    if structure.get("derivation") == "constraint":
        return bool(structure["name"] == "SimpleQuantity")
    return bool(structure["kind"] in {"complex-type", "resource"})


def _corrected(elements: list[Json], drop: set[str], change: dict[str, Json]) -> list[Json]:
    """Return the snapshot without dropped paths and with changed ones put right."""
    result: list[Json] = []
    for element in elements:
        path = element["path"]
        if any(path == gone or path.startswith(gone + ".") for gone in drop):
            continue
        result.append({**element, **change.get(path, {})})
        result.extend(change.get(path, {}).get("then", ()))
    return result


def load(folder: Path) -> Definitions:
    """Read and correct the definitions in ``folder``."""
    corrections = json.loads(CORRECTIONS.read_text(encoding="utf-8"))
    ignored, drop = set(corrections["ignore"]), set(corrections["drop"])
    result = Definitions()
    for name in ("profiles-types.json", "profiles-resources.json"):
        for structure in _entries(folder / name):
            if _kept(structure, ignored):
                snapshot = structure["snapshot"]
                snapshot["element"] = _corrected(snapshot["element"], drop, corrections["change"])
                result.structures[structure["name"]] = structure
    for name in ("valuesets.json", "v3-codesystems.json"):
        for resource in _entries(folder / name):
            if resource["resourceType"] == "ValueSet":
                result.value_sets[resource["url"]] = resource
            elif resource["resourceType"] == "CodeSystem":
                result.code_systems[resource["url"]] = resource
    return result
