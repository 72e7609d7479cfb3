"""A scene of a story: one visit some days ago, with what was measured and found."""

from datetime import timedelta

from polyclinic.modules.population import laboratory, vitals
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.dates import last_working_day
from polyclinic.modules.population.encounters import open_visit
from polyclinic.modules.population.model import Visit
from polyclinic.modules.population.physiology import Body, lab_values, vital_values


class Scene:
    """One visit of a story: opened on the last working day before `days_ago`."""

    __slots__ = ("body", "chart", "visit")

    def __init__(
        self, chart: Chart, days_ago: int, kind: str = "followup", complaint: str | None = None
    ) -> None:
        day = last_working_day(chart.person.today - timedelta(days=days_ago))
        minute = 9 * 60 + 20 * (days_ago % 20)
        self.chart = chart
        self.body = Body(chart.person)
        self.body.chance = chart.chance(f"scene {days_ago}")  # else every scene has the same noise
        self.visit = Visit(max(day, chart.person.registered), minute, kind, complaint)
        open_visit(chart, self.visit)

    def measure(self, **values: float) -> None:
        """Record a full set of vital signs; the values given replace the ordinary ones."""
        signs = vital_values(self.chart, self.body, self.visit.day)
        if "height" not in values:
            del signs["height"]
            signs.pop("head", None)
        vitals.record(self.chart, self.visit, signs | values)

    def report(self, *panels: str, **values: float) -> None:
        """Report panels; the values given replace the ordinary ones, and what follows them."""
        results = lab_values(self.chart, self.body, self.visit.day) | values
        if "hba1c" in values and "glucose" not in values:
            results["glucose"] = 0.86 * (28.7 * values["hba1c"] - 46.7)
        if "ldl" in values:
            results["cholesterol"] = results["ldl"] + results["hdl"] + results["triglycerides"] / 5
        if "haemoglobin" in values:
            results["haematocrit"] = results["haemoglobin"] * 2.95
            results["erythrocytes"] = results["haematocrit"] * 10 / results["mcv"]
        for panel in panels:
            laboratory.report(self.chart, self.visit, panel, results)
