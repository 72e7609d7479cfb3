"""Make the table of ``polyclinic.kernel.ucum`` from the definitions of UCUM.

``python tools/ucum_table.py UCUM_ESSENCE_XML`` reads the file ucum-essence.xml of the Unified Code
for Units of Measure and writes src/polyclinic/kernel/ucum/tables/ucum.json: prefixes, base units
and units by case-sensitive code, with their definitions as they stand. Nothing is left out, added
or changed; names, properties and case-insensitive codes are not needed and not carried over.

Source: UCUM 2.2, https://ucum.org, see docs/reference/ucum.md for its notice.
"""

import argparse
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent.parent / "src/polyclinic/kernel/ucum/tables/ucum.json"
NAMESPACE: Final = "{http://unitsofmeasure.org/ucum-essence}"

METRIC: Final = "m"
ARBITRARY: Final = "a"


def child(element: ET.Element, name: str) -> ET.Element:
    """Return the one child of a name. Raise ``ValueError`` where there is none."""
    found = element.find(NAMESPACE + name)
    if found is None:
        message = f"{element.get('Code')} has no {name}"
        raise ValueError(message)
    return found


def attribute(element: ET.Element, name: str) -> str:
    """Return an attribute. Raise ``ValueError`` where there is none."""
    found = element.get(name)
    if not found:
        message = f"{element.tag} without {name}"
        raise ValueError(message)
    return found


def unit(element: ET.Element) -> list[str]:
    """Return flags, value, unit and, of a special unit, the name of its function."""
    flags = METRIC if element.get("isMetric") == "yes" else ""
    flags += ARBITRARY if element.get("isArbitrary") == "yes" else ""
    value = child(element, "value")
    if element.get("isSpecial") == "yes":
        function = child(value, "function")
        return [flags, *(attribute(function, name) for name in ("value", "Unit", "name"))]
    return [flags, attribute(value, "value"), attribute(value, "Unit")]


def table(root: ET.Element) -> dict[str, object]:
    """Return the table of the definitions."""
    prefixes = {
        attribute(each, "Code"): attribute(child(each, "value"), "value")
        for each in root.iter(f"{NAMESPACE}prefix")
    }
    base = [attribute(each, "Code") for each in root.iter(f"{NAMESPACE}base-unit")]
    units = {attribute(each, "Code"): unit(each) for each in root.iter(f"{NAMESPACE}unit")}
    return {
        "notice": (
            "Copyright 1999-2022 Regenstrief Institute, Inc. All rights reserved. "
            "Codes and definitions of UCUM, under the UCUM License, https://ucum.org/license, "
            "without warranties or conditions of any kind."
        ),
        "version": attribute(root, "version"),
        "prefixes": prefixes,
        "base": base,
        "units": units,
    }


def written(made: dict[str, object]) -> str:
    """Return the table as JSON, a unit a line."""
    lines = []
    for key, value in made.items():
        if isinstance(value, dict):
            rows = (f"  {json.dumps(code)}: {json.dumps(row)}" for code, row in value.items())
            lines.append(f" {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Read the file that is named and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("essence", type=Path, help="ucum-essence.xml")
    essence = parser.parse_args().essence
    made = table(ET.parse(essence).getroot())  # noqa: S314 - a file that the developer chose
    TABLE.write_text(written(made), encoding="ascii")
    sys.stdout.write(f"{TABLE.name}: UCUM {made['version']}\n")


if __name__ == "__main__":
    main()
