"""The stories by name, in the order in which they lead the population."""

from collections.abc import Callable
from datetime import date
from typing import Final

from polyclinic.modules.population.appointments import write_appointment
from polyclinic.modules.population.care_teams import write_care_team
from polyclinic.modules.population.chart import Chart
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


def write_story(index: int, today: date) -> Chart:
    """Return the chart of the story at this index of the population."""
    name, write = list(STORIES.items())[index]
    chart = Chart(story_person(name, index, today))
    write_patient(chart)
    write(chart)
    write_care_team(chart, chart.person.registered)
    write_appointment(chart)
    return chart
