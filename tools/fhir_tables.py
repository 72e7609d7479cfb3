"""Makes the tables and types of FHIR R4 that Polyclinic ships.

``python tools/fhir_tables.py DEFINITIONS_DIR`` writes, always the same for the same input:

* ``src/polyclinic/kernel/types/tables/``: one file per type, the codes of the required bindings,
  and the resource types' numbers (append-only: a number is never given to another type);
* ``src/polyclinic/kernel/types/r4.py``: TypedDicts for code that works with plain JSON;
* ``web/fhir/r4.ts``: interfaces for the user interface.

A table's row is one element:
``[name, types, flags]`` or ``[name, types, flags, extra]``; flags hold ``1`` (required), ``*``
(a list), ``x`` (a choice), ``s`` (in the summary) and ``a`` (an attribute in XML, so that it takes
no extensions); extra may hold ``binding`` (a value set of ``codes.json``), ``of`` (path of a
contentReference) and ``targets`` (of references).
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fhir_definitions import FHIR_TYPE, STRUCTURE, Definitions, Json, load
from fhir_typeddict import write_typed_dicts
from fhir_typescript import write_interfaces

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "src/polyclinic/kernel/types/tables"
TYPED_DICTS = ROOT / "src/polyclinic/kernel/types/r4.py"
TYPESCRIPT = ROOT / "web/fhir/r4.ts"

ANY_TARGET = "Resource"


def _type_code(type_: Json, path: str) -> str:
    """Return the name of an element's type, resolving what the definitions leave to extensions."""
    code: str = type_["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        if path.count(".") == 1 and path.endswith(".id"):
            return "id" if path[0].isupper() else "string"
        urls = [e["valueUrl"] for e in type_.get("extension", ()) if e["url"] == FHIR_TYPE]
        return urls[0] if urls else "string"
    if STRUCTURE + "SimpleQuantity" in type_.get("profile", ()):
        return "SimpleQuantity"
    return code


def _types(element: Json, *, resource: bool) -> list[str]:
    """Return the type names of an element in the order of the definition."""
    names: list[str] = []
    for type_ in element.get("type", ()):
        name = _type_code(type_, element["path"])
        if element["path"].endswith(".id") and not resource:
            name = "string"
        if name not in names:
            names.append(name)
    return names


def _targets(element: Json) -> list[str]:
    """Return the resource types that a reference may point to."""
    names = {
        target.removeprefix(STRUCTURE)
        for type_ in element.get("type", ())
        if type_["code"] == "Reference"
        for target in type_.get("targetProfile", ())
        if target.startswith(STRUCTURE)
    }
    return sorted(names - {ANY_TARGET})


def _row(element: Json, codes: dict[str, Any], *, resource: bool) -> list[Any]:
    """Return one element as a row of the table."""
    name = element["path"].rsplit(".", 1)[1]
    flags = ("1" if element["min"] else "") + ("" if element["max"] == "1" else "*")
    if name.endswith("[x]"):
        name, flags = name.removesuffix("[x]"), flags + "x"
    if element.get("isSummary"):
        flags += "s"
    if "xmlAttr" in element.get("representation", ()):
        flags += "a"
    extra: Json = {}
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        url = binding["valueSet"].split("|")[0]
        if url in codes:
            extra["binding"] = url
    if "contentReference" in element:
        extra["of"] = element["contentReference"].split("#")[-1]
    targets = _targets(element)
    if targets:
        extra["targets"] = targets
    row = [name, _types(element, resource=resource), flags]
    return [*row, extra] if extra else row


def table(definitions: Definitions, name: str, codes: dict[str, Any]) -> Json:
    """Return the rows of a type and of the backbone elements within it, by path."""
    structure = definitions.structures[name]
    resource = structure["kind"] == "resource"
    groups: dict[str, list[Any]] = {}
    own = structure["type"]
    for element in structure["snapshot"]["element"][1:]:
        if element["max"] == "0":
            continue
        parent, _ = element["path"].rsplit(".", 1)
        path = parent.replace(own, name, 1)
        groups.setdefault(path, []).append(
            _row(element, codes, resource=resource and parent == own)
        )
    return {"kind": structure["kind"], "elements": groups}


def required_codes(definitions: Definitions) -> dict[str, dict[str, list[str]]]:
    """Return the enumerable value sets of all required bindings: url -> system -> codes."""
    result: dict[str, dict[str, list[str]]] = {}
    for structure in definitions.structures.values():
        for element in structure["snapshot"]["element"]:
            binding = element.get("binding", {})
            if binding.get("strength") != "required":
                continue
            url = binding["valueSet"].split("|")[0]
            codes = definitions.codes(url)
            if codes is not None:
                result[url] = codes
    return dict(sorted(result.items()))


def numbers(resources: list[str], path: Path) -> dict[str, int]:
    """Return each resource type's number: those given before, then new ones in order of name."""
    known: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in resources:
        known.setdefault(name, max(known.values(), default=0) + 1)
    return known


def _write(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def _write_table(path: Path, value: Json) -> None:
    """Write a table with one row a line, so that a change of one element is one line of a diff."""
    groups = []
    for group, rows in value["elements"].items():
        lines = ",\n".join(
            json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows
        )
        groups.append(f"{json.dumps(group)}:[\n{lines}\n]")
    text = ",\n".join(groups)
    path.write_text(
        f'{{"kind":{json.dumps(value["kind"])},"elements":{{\n{text}\n}}}}\n', encoding="utf-8"
    )


def write_tables(definitions: Definitions) -> dict[str, Json]:
    """Write all tables and return them by type."""
    TABLES.mkdir(parents=True, exist_ok=True)
    codes = required_codes(definitions)
    tables = {
        name: table(definitions, name, codes)
        for name in [*definitions.data_types(), *definitions.resources()]
    }
    for stale in set(TABLES.glob("*.json")) - {TABLES / "numbers.json"}:
        stale.unlink()
    for name, value in tables.items():
        _write_table(TABLES / f"{name}.json", value)
    _write(TABLES / "codes.json", codes)
    path = TABLES / "numbers.json"
    _write(path, numbers(definitions.resources(), path))
    return tables


def main(arguments: list[str]) -> int:
    """Write every output from the definitions in the folder named by the first argument."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("definitions", type=Path, help="folder with the R4 definitions as JSON")
    definitions = load(parser.parse_args(arguments).definitions)
    tables = write_tables(definitions)
    codes = required_codes(definitions)
    write_typed_dicts(TYPED_DICTS, tables, codes)
    write_interfaces(TYPESCRIPT, tables, codes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
