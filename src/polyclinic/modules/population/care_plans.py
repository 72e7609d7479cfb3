"""Care plans and their goals, for the long-term conditions that have one.

http://hl7.org/fhir/R4/careplan.html, http://hl7.org/fhir/R4/goal.html
"""

from datetime import date
from html import escape
from typing import Any, Final

from polyclinic.modules.population.chart import Chart, Reference, Resource
from polyclinic.modules.population.coding import LOINC, SNOMED, concept, hl7, quantity
from polyclinic.modules.population.organizations import practitioner
from polyclinic.modules.population.tables import table

_CATEGORY: Final = [
    {
        "coding": [
            {
                "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
                "code": "assess-plan",
                "display": "Assessment and Plan of Treatment",
            }
        ]
    }
]
_IN_PROGRESS: Final = hl7("goal-achievement", "in-progress", "In Progress")
_MOST: Final = 2


def write_care_plans(chart: Chart, team: Reference | None) -> None:
    """Add a plan and its goal for the first problems of the chart that have one.

    A plan begins on the day on which its problem was written down.
    """
    plans = table("care_plans")["plans"]
    for key in [key for key in plans if key in chart.problems][:_MOST]:
        since = _written_down(chart, chart.problems[key])
        goal = chart.add("Goal", _goal(chart, plans[key]["goal"], (key, since)))
        chart.add("CarePlan", _plan(chart, plans[key], (key, since), (goal, team)))


def _written_down(chart: Chart, problem: Reference) -> date:
    identifier = problem["reference"].removeprefix("Condition/")
    condition = next(row for row in chart.resources if row["id"] == identifier)
    return date.fromisoformat(condition["recordedDate"][:10])


def _goal(chart: Chart, row: dict[str, Any], why: tuple[str, date]) -> Resource:
    key, since = why
    body: Resource = {
        "lifecycleStatus": "completed" if chart.person.death else "active",
        "achievementStatus": _IN_PROGRESS,
        "description": {"text": row["text"]},
        "subject": chart.subject,
        "startDate": since.isoformat(),
        "expressedBy": practitioner(chart.person.physician),
        "addresses": [chart.problems[key]],
    }
    if "measure" in row:
        measure = concept(LOINC, *row["measure"])
        body["target"] = [{"measure": measure, "detailQuantity": quantity(*row["high"])}]
        body["target"][0]["detailQuantity"]["comparator"] = "<"
    return body


def _plan(
    chart: Chart,
    row: dict[str, Any],
    why: tuple[str, date],
    parts: tuple[Reference, Reference | None],
) -> Resource:
    key, since = why
    goal, team = parts
    title = row["code"][1]
    steps = [display for _, display in row["activities"]]
    body: Resource = {
        "text": {"status": "generated", "div": _narrative(title, [*steps, row["goal"]["text"]])},
        "status": "completed" if chart.person.death else "active",
        "intent": "plan",
        "category": [*_CATEGORY, concept(SNOMED, *row["code"])],
        "title": title,
        "subject": chart.subject,
        "period": {"start": since.isoformat()},
        "author": practitioner(chart.person.physician),
        "addresses": [chart.problems[key]],
        "goal": [goal],
        "activity": [
            {"detail": {"code": concept(SNOMED, *step), "status": "in-progress"}}
            for step in row["activities"]
        ],
    }
    if chart.person.death:
        body["period"]["end"] = chart.person.death.isoformat()
        for activity in body["activity"]:
            activity["detail"]["status"] = "completed"
    if team:
        body["careTeam"] = [team]
    return body


def _narrative(title: str, lines: list[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(title)}</p><ul>{items}</ul></div>'
