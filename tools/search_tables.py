"""Make the tables of ``polyclinic.kernel.search`` from the R4 definitions.

``python tools/search_tables.py DEFINITIONS_DIR CORE_DIR`` reads search-parameters.json,
profiles-resources.json, profiles-types.json, valuesets.json and v3-codesystems.json in the first
folder and CompartmentDefinition-*.json in the second, which is the package ``hl7.fhir.r4.core``. It
writes src/polyclinic/kernel/search/tables/{parameters,compartments}.json.

Each expression is parsed and followed through the structure definitions, so that the tables hold
plain JSON names with their cardinality and the type at the end. One expression that cannot be
followed fails the run. Source: FHIR R4 (4.0.1), https://hl7.org/fhir/R4/, CC0.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from search_expressions import Branch, ExpressionError, Step, parse

TABLES: Final = Path(__file__).parent.parent / "src/polyclinic/kernel/search/tables"
VERSION: Final = "4.0.1"
PREFIX: Final = "http://hl7.org/fhir/SearchParameter/"

LEAVES: Final[dict[str, frozenset[str]]] = {
    "token": frozenset(
        [
            "Coding",
            "CodeableConcept",
            "Identifier",
            "ContactPoint",
            "code",
            "boolean",
            "string",
            "uri",
            "id",
            "canonical",
        ]
    ),
    "reference": frozenset(["Reference", "canonical", "uri", "Resource"]),
    "string": frozenset(["string", "markdown", "HumanName", "Address"]),
    "date": frozenset(["date", "dateTime", "instant", "Period", "Timing"]),
    "number": frozenset(["decimal", "integer", "positiveInt", "unsignedInt", "Range"]),
    "quantity": frozenset(["Quantity", "Age", "Duration", "Money", "Range", "SampledData"]),
    "uri": frozenset(["uri", "url", "canonical", "oid", "uuid"]),
    "special": frozenset(["Location.position"]),
}
"""The element types that a parameter of each type is drawn from."""

WITHOUT_EXPRESSION: Final = {
    "DomainResource-text": "words of the narrative",
    "Resource-content": "words of the whole resource",
}
"""R4 gives these no expression; the words are taken by ``search.words``."""

IMPLICIT_SYSTEMS: Final = {"boolean": "http://terminology.hl7.org/CodeSystem/special-values"}
"""Of the primitives that are no code: https://hl7.org/fhir/R4/search.html#token."""

EXISTS: Final = 4
"""The column of a path that says that only its presence counts."""

NO_ELEMENT: Final = {"Resource-query": "names an operation, not an element"}
"""Left out of the tables."""


NOT_DRAWN: Final[dict[str, frozenset[str]]] = {
    "CarePlan.activity-date": frozenset(["string"]),
    "Consent.source-reference": frozenset(["Attachment"]),
    "Group.characteristic-value": frozenset(["Quantity", "Range", "Reference"]),
    "Immunization.date": frozenset(["string"]),
    "Procedure.date": frozenset(["string", "Age", "Range"]),
}
"""Members of a choice that R4 leaves in an expression although the type cannot hold them."""

ERRATA: Final = {
    f"{PREFIX}DocumentReference-relationship": (
        "DocumentReference-relation",
        "DocumentReference-relatesto",
    ),
}
"""Composites whose components R4 4.0.1 names in the wrong order for their expressions."""


@dataclass(frozen=True, slots=True)
class Node:
    """An element reached: where its children are defined, and its type."""

    context: str
    type: str
    system: str | None = None


class Definitions:
    """The elements of R4 by path, and the code system behind each required binding."""

    def __init__(self, folder: Path) -> None:
        """Read the structure definitions and value sets in ``folder``."""
        self.elements: dict[str, dict[str, Any]] = {}
        self.domain: dict[str, bool] = {}
        for name in ("profiles-types.json", "profiles-resources.json"):
            for definition in resources(folder / name, "StructureDefinition"):
                self._add(definition)
        self.value_sets = {
            value_set["url"]: value_set
            for name in ("valuesets.json", "v3-codesystems.json")
            for value_set in resources(folder / name, "ValueSet")
        }

    def _add(self, definition: dict[str, Any]) -> None:
        if definition.get("derivation") == "constraint":
            return
        for element in definition.get("snapshot", {}).get("element", ()):
            self.elements[element["path"]] = element
        base = definition.get("baseDefinition", "").rpartition("/")[2]
        concrete = definition["kind"] == "resource" and not definition["abstract"]
        # SubscriptionStatus came with R4B; the package that carries the definitions adds it.
        if concrete and definition["name"] != "SubscriptionStatus":
            self.domain[definition["name"]] = base in {"DomainResource", "MetadataResource"}

    def system(self, element: dict[str, Any]) -> str | None:
        """Return the only code system of a required binding, or None."""
        binding = element.get("binding", {})
        if binding.get("strength") != "required":
            return None
        value_set = self.value_sets.get(binding.get("valueSet", "").partition("|")[0], {})
        includes = value_set.get("compose", {}).get("include", [])
        systems = {include.get("system") for include in includes}
        nested = any("valueSet" in include for include in includes)
        return systems.pop() if len(systems) == 1 and not nested else None

    def follow(self, context: str, step: Step) -> Iterator[tuple[list[Any], Node]]:
        """Yield each JSON property that ``step`` may be, with what it leads to."""
        element = self.elements.get(f"{context}.{step.name}")
        choice = element is None
        element = element or self.elements.get(f"{context}.{step.name}[x]")
        if element is None:
            raise ExpressionError(context, f"no element {step.name}")
        kinds = [kind["code"] for kind in element.get("type", [])] or ["Element"]
        if step.cast:
            kinds = [kind for kind in kinds if kind.lower() == step.cast.lower()]
        if not kinds:
            raise ExpressionError(context, f"{step.name} is never a {step.cast}")
        for kind in kinds:
            name = step.name + kind[0].upper() + kind[1:] if choice else step.name
            yield self._written(name, element, step), self._node(element, kind)

    def _written(self, name: str, element: dict[str, Any], step: Step) -> list[Any]:
        many = element["max"] != "1"
        if step.first or step.where:
            if not many:
                raise ExpressionError(name, "single, so nothing can be chosen from it")
            return [name, many, list(step.where) if step.where else None, step.first]
        return [name, many] if many else [name]

    def _node(self, element: dict[str, Any], kind: str) -> Node:
        if "contentReference" in element:
            return Node(element["contentReference"].rpartition("#")[2], "BackboneElement")
        if kind.startswith("http://hl7.org/fhirpath/"):
            kind = "id" if element["path"].endswith(".id") else "string"
        inner = kind in {"BackboneElement", "Element"}
        system = self.system(element) if kind == "code" else IMPLICIT_SYSTEMS.get(kind)
        return Node(element["path"] if inner else kind, kind, system)


def resources(file: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the resources of one type in a Bundle."""
    bundle = json.loads(file.read_bytes())
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == kind:
            yield entry["resource"]


def paths(definitions: Definitions, context: str, branch: Branch) -> Iterator[list[Any]]:
    """Yield ``[steps, type, system, resolves, exists]`` for each way through one branch."""
    ways: list[tuple[list[Any], Node]] = [([], Node(context, context))]
    resolves: str | None = None
    for step in branch.steps:
        ways = [
            ([*steps, written], node)
            for steps, start in ways
            for written, node in definitions.follow(start.context, step)
        ]
        if resolves:
            raise ExpressionError(context, "resolve() is known at the end of a path only")
        resolves = step.resolves
    for steps, node in ways:
        leaf = node.context if node.type == "BackboneElement" else node.type
        system = IMPLICIT_SYSTEMS["boolean"] if branch.exists else node.system
        row: list[Any] = [steps, leaf, system, resolves, branch.exists]
        while not row[-1]:
            row.pop()
        yield row


def rooted(branch: Branch, kind: str, bases: list[str]) -> Branch | None:
    """Return the branch below its root if it starts at ``kind``; None if at another type."""
    first = branch.steps[0].name
    if first == kind:
        return Branch(branch.steps[1:], exists=branch.exists)
    if first in bases:
        return None
    if first[0].isupper():
        raise ExpressionError(first, "not a base of the parameter")
    return branch  # InsurancePlan.name is written `name | alias`


def drawn(rows: Iterable[list[Any]], kind: str, where: str) -> list[list[Any]]:
    """Return the rows whose leaf suits a parameter of type ``kind``; fail on an unlisted other."""
    kept = []
    for row in rows:
        exists = len(row) > EXISTS and row[EXISTS]
        if row[1] in NOT_DRAWN.get(where, ()):
            continue
        if not exists and kind != "composite" and row[1] not in LEAVES[kind]:
            raise ExpressionError(where, f"a {kind} cannot be drawn from {row[1]}")
        kept.append(row)
    return kept


class Tables:
    """The tables under construction."""

    def __init__(self, definitions: Definitions, folder: Path) -> None:
        """Read the search parameters in ``folder``."""
        self.definitions = definitions
        found = resources(folder / "search-parameters.json", "SearchParameter")
        # A parameter of R5 stands among them, over an element that R4 has not.
        self.parameters = [parameter for parameter in found if parameter["version"] == VERSION]
        self.by_url = {parameter["url"]: parameter for parameter in self.parameters}
        self.types: dict[str, dict[str, list[Any]]] = {
            name: {} for name in ["Resource", "DomainResource", *sorted(definitions.domain)]
        }

    def build(self) -> None:
        """Fill ``types`` with one row per type and parameter."""
        for parameter in self.parameters:
            name = parameter["url"].removeprefix(PREFIX)
            if name in NO_ELEMENT:
                continue
            branches = [] if name in WITHOUT_EXPRESSION else parse(parameter["expression"])
            for base in parameter["base"]:
                self.types[base][parameter["code"]] = self._row(parameter, base, branches)

    def lines(self) -> Iterator[str]:
        """Yield ``"Type":["its base",[rows]]``, a row on each line."""
        for name, rows in self.types.items():
            base = "DomainResource" if self.definitions.domain.get(name) else "Resource"
            own = ",".join("\n" + compact(row) for _, row in sorted(rows.items()))
            yield f"{compact(name)}:[{compact(base)},[{own}]]"

    def _row(self, parameter: dict[str, Any], base: str, branches: list[Branch]) -> list[Any]:
        kind, where = parameter["type"], f"{base}.{parameter['code']}"
        own = [rooted(branch, base, parameter["base"]) for branch in branches]
        below = [branch for branch in own if branch is not None]
        rows = self._paths(base, below, kind, where)
        if branches and not rows:
            raise ExpressionError(where, "no path")
        url = parameter["url"].removeprefix(PREFIX)
        text = self._expression(parameter, base)
        row = [parameter["code"], kind, url, text, self._targets(parameter), rows]
        if kind == "composite":
            row.append([self._components(path[1], parameter, where) for path in rows])
        return row

    def _paths(
        self, context: str, branches: list[Branch], kind: str, where: str
    ) -> list[list[Any]]:
        followed = (row for branch in branches for row in paths(self.definitions, context, branch))
        return drawn(followed, kind, where)

    def _components(self, context: str, parameter: dict[str, Any], where: str) -> list[Any]:
        """Return ``[code, type, paths, from the resource]`` for each component."""
        parts = parameter["component"]
        names = ERRATA.get(parameter["url"]) or [
            part["definition"].removeprefix(PREFIX) for part in parts
        ]
        found = []
        for name, part in zip(names, parts, strict=True):
            target = self.by_url[PREFIX + name]
            branches, start, whole = parse(part["expression"]), context, False
            if branches[0].steps[0].name == "%resource":
                branches = [Branch(branch.steps[1:]) for branch in branches]
                start, whole = context.partition(".")[0], True
            rows = self._paths(start, branches, target["type"], where)
            found.append([target["code"], target["type"], rows, whole])
        return found

    def _targets(self, parameter: dict[str, Any]) -> list[str]:
        targets = sorted(set(parameter.get("target", ())) & self.definitions.domain.keys())
        return (
            ["Resource"]
            if not self.definitions.domain.keys() - {*targets, "Parameters"}
            else targets
        )

    def _expression(self, parameter: dict[str, Any], base: str) -> str:
        members = parameter.get("expression", "").split(" | ")
        own = [member for member in members if member.lstrip("(").split(".")[0] == base]
        return " | ".join(own or members)


COMPARTMENTS: Final = ("patient", "encounter", "practitioner", "relatedPerson", "device")
"""The ids of https://hl7.org/fhir/R4/compartmentdefinition.html."""

ADDED: Final = {"Patient": {"Task": ["patient", "focus"]}}
"""R4 leaves Tasks out of the Patient's compartment. What is to be done for a patient is about that
patient, and access rules go by compartments: so they are in it here."""

ITSELF: Final = "{def}"
"""Stands in a definition for the owner, which is in its own compartment."""


def compartments(
    folder: Path, types: dict[str, dict[str, list[Any]]]
) -> dict[str, dict[str, list[str]]]:
    """Return, per owner and type, the parameters that put a resource into a compartment."""
    found = {}
    for name in COMPARTMENTS:
        definition = json.loads((folder / f"CompartmentDefinition-{name}.json").read_bytes())
        owner = definition["code"]
        found[owner] = dict(sorted((members(definition, types) | ADDED.get(owner, {})).items()))
    return found


def members(
    definition: dict[str, Any], types: dict[str, dict[str, list[Any]]]
) -> dict[str, list[str]]:
    """Return, per type, the reference parameters that a compartment's definition names."""
    found = {}
    for row in definition["resource"]:
        codes = [code for code in row.get("param", ()) if code != ITSELF]
        known = types[row["code"]]
        wrong = [code for code in codes if code not in known or known[code][1] != "reference"]
        if wrong:
            raise ExpressionError(
                row["code"], f"the compartment names {wrong}, no references of it"
            )
        if codes:
            found[row["code"]] = codes
    return found


def belonging(owners: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    """Yield ``"Owner":{"Type":[codes]}``, a type on each line."""
    for owner, types in owners.items():
        rows = ",".join(f"\n{compact(name)}:{compact(codes)}" for name, codes in types.items())
        yield f"{compact(owner)}:{{{rows}}}"


def write(name: str, lines: Iterator[str]) -> None:
    """Write one table, a row on each line so that changes can be reviewed."""
    TABLES.mkdir(parents=True, exist_ok=True)
    (TABLES / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def compact(value: object) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> int:
    """Write the tables, or say what could not be understood."""
    argument = argparse.ArgumentParser(description=__doc__)
    argument.add_argument("definitions", type=Path)
    argument.add_argument("compartments", type=Path, help="folder of CompartmentDefinition-*.json")
    given = argument.parse_args()
    folder = given.definitions
    definitions = Definitions(folder)
    tables = Tables(definitions, folder)
    tables.build()
    owners = compartments(given.compartments, tables.types)
    write("parameters.json", tables.lines())
    write("compartments.json", belonging(owners))
    sys.stdout.write(f"{len(tables.parameters)} search parameters\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
