"""Renders the reference page of the population: every rate and range with its source."""

from collections.abc import Iterator
from typing import Any

from polyclinic.modules.population.tables import table

_TITLE = """# The synthetic population: rates and sources

This page is made from the tables in `src/polyclinic/modules/population/data/` by
`polyclinic.modules.population.reference.render`. Do not edit it; change the tables.

People, places and courses are invented. Where a figure is called a *generator parameter* it was
chosen to look plausible: it is not a clinical reference and not a treatment recommendation.

That the people generated have the rates stated here is tested by chi-square over the cells, on
16,000 people, at one in a thousand; rates half as high again would be noticed.
"""

_OTHERS = (
    "allergies",
    "care_plans",
    "conditions",
    "devices",
    "growth",
    "hospital",
    "imaging",
    "medications",
    "names",
    "places",
    "questionnaires",
    "staff",
    "stories",
)

_CODES = """## Code systems

- LOINC: this material contains content from LOINC (http://loinc.org). LOINC is copyright ©
  Regenstrief Institute, Inc. and the LOINC Committee and is available at no cost under the license
  at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief
  Institute, Inc.
- SNOMED CT: this material includes SNOMED Clinical Terms® (SNOMED CT®), used by permission of
  SNOMED International. All rights reserved. Use in a production system needs a licence outside
  member countries, see https://www.snomed.org/licensing.
- RxNorm, CVX and ICD-10-CM: United States National Library of Medicine, CDC and CDC/NCHS; public
  domain. This product uses publicly available data from the NLM; the NLM is not responsible for it
  and does not endorse it.
- ATC: WHO Collaborating Centre for Drug Statistics Methodology, https://www.whocc.no.
- DICOM: NEMA, free to use; the standard is at https://www.dicomstandard.org.
- CDC race and ethnicity code system: CDC, public domain, as US Core uses it.
- PHQ-9 and GAD-7: developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and
  colleagues, with an educational grant from Pfizer Inc. No permission required to reproduce,
  translate, display or distribute.
- UCUM: Regenstrief Institute, Inc., https://ucum.org/license.
- HL7 code systems: CC0.
"""


def render() -> str:
    """Return the page `docs/reference/population.md`."""
    parts = [_TITLE, *_prevalence(), *_laboratory(), *_immunizations(), *_sources(), _CODES]
    return "\n".join(parts)


def _prevalence() -> Iterator[str]:
    rates = table("prevalence")
    yield "## How many people have what\n"
    yield f"{rates['note']}\n"
    for title, group in (
        ("Conditions", "conditions"),
        ("Complications", "complications"),
        ("Births", "births"),
        ("Habits", "habits"),
        ("Allergies", "allergies"),
    ):
        yield f"### {title}\n"
        for row in rates[group]:
            yield f"**{row['key'].capitalize()}.** {row['source']}\n"
            if "of" in row:
                yield f"Among people with {row['of']}.\n"
            if "factor" in row:
                yield f"Goes with others by the factor *{row['factor']}* ({row['loading']}).\n"
            yield "| sex | years of age | rate |\n| --- | --- | ---: |"
            yield "\n".join(_cell(cell) for cell in row["cells"]) + "\n"


def _cell(cell: list[Any]) -> str:
    sex, first, last, rate = cell
    who = "both" if sex == "*" else sex
    ages = f"{first} and over" if last == 120 else f"{first}-{last}"  # noqa: PLR2004 - open end
    return f"| {who} | {ages} | {100 * rate:.2f} % |"


def _laboratory() -> Iterator[str]:
    laboratory = table("laboratory")
    yield "## Laboratory ranges\n"
    yield f"{laboratory['note']}\n"
    yield "| analyte | LOINC | unit (UCUM) | range | source |\n| --- | --- | --- | --- | --- |"
    for row in laboratory["analytes"].values():
        limits = f"{_limit(row['low'])} to {_limit(row['high'])}"
        code = row["loinc"][0]
        yield f"| {row['text']} | {code} | `{row['unit']}` | {limits} | {row['source']} |"
    yield "\nA pair of limits is men, women; a dash means no limit on that side.\n"
    yield "\n".join(f"- {key}: {text}." for key, text in laboratory["sources"].items()) + "\n"


def _limit(limit: float | list[float] | None) -> str:
    if limit is None:
        return "-"
    return ", ".join(map(str, limit)) if isinstance(limit, list) else str(limit)


def _immunizations() -> Iterator[str]:
    schedule = table("immunizations")
    yield "## Immunizations\n"
    yield f"{schedule['source']}\n"
    yield "| vaccine | CVX | dose | from month | uptake |\n| --- | --- | ---: | ---: | ---: |"
    for vaccine, dose, months, uptake in [*schedule["child"], *schedule["adult"]]:
        code, display = schedule["vaccines"][vaccine]
        yield f"| {display} | {code} | {dose} | {months} | {100 * uptake:.0f} % |"
    yield ""


def _sources() -> Iterator[str]:
    yield "## The other tables\n"
    for name in _OTHERS:
        yield f"- {name}: {table(name)['source'].rstrip('.')}."
    yield ""
