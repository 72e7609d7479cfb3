"""The stories by name, in the order in which they lead the population."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from polyclinic.modules.population.appointments import write_appointment
from polyclinic.modules.population.care_plans import write_care_plans
from polyclinic.modules.population.care_teams import write_care_team
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.devices import add_device
from polyclinic.modules.population.family_history import write_told_history
from polyclinic.modules.population.households import FIRST_INDEX
from polyclinic.modules.population.patients import write_patient
from polyclinic.modules.population.stories import (
    child,
    copd,
    diabetes,
    kidney,
    newcomer,
    pregnancy,
)
from polyclinic.modules.population.stories.people import story_person
from polyclinic.modules.population.tables import table

STORIES: Final[dict[str, Callable[[Chart], None]]] = {
    "diabetes": diabetes.write,
    "pregnancy": pregnancy.write,
    "child": child.write,
    "newcomer": newcomer.write,
    "copd": copd.write,
    "kidney": kidney.write,
}
if len(STORIES) != FIRST_INDEX:
    message = "the ordinary patients begin where the stories end"
    raise ValueError(message)


def _write_background(chart: Chart, row: dict[str, Any]) -> None:
    """Add what a story has besides its course: family, devices, the team and its plans."""
    write_told_history(chart, row["history"])
    for device in row["devices"]:
        add_device(chart, device)
    write_care_plans(chart, write_care_team(chart, chart.person.registered))


def write_story(index: int, today: date) -> Chart:
    """Return the chart of the story at this index of the population."""
    name, write = list(STORIES.items())[index]
    chart = Chart(story_person(name, index, today))
    write_patient(chart)
    write(chart)
    _write_background(chart, table("stories")["stories"][name])
    write_appointment(chart)
    return chart
