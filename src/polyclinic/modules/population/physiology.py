"""The body behind the numbers: what a person's measurements are on a given day.

Everybody has set-points of their own; conditions, treatment and time move them, and each
measurement adds noise. All figures in this file are generator parameters, not a clinical
reference, but for those whose source is named.
"""

from datetime import date
from math import exp
from typing import Final

from polyclinic.base.chance import Chance
from polyclinic.modules.population.chart import Chart
from polyclinic.modules.population.dates import age_in_months, age_in_years, years_between
from polyclinic.modules.population.gestation import missing_months, share_before_term
from polyclinic.modules.population.growth import Measure, growth_value
from polyclinic.modules.population.model import Person
from polyclinic.modules.population.renal import creatinine_for
from polyclinic.modules.population.tables import table

ADULT_MONTHS: Final = 18 * 12
_GROWN_MONTHS: Final = 16 * 12
_GROWN_AGE: Final = 20
_INFANT_MONTHS: Final = 24

# Upper age in months, then mean heart rate and mean respiratory rate.
_CHILD_RATES: Final = ((3, 140, 42), (12, 128, 34), (36, 112, 27), (72, 100, 23), (144, 86, 20))
_ADULT_RATES: Final = (74, 15)
_STATINS: Final = ("simvastatin", "atorvastatin")
_PRESSURE_DRUGS: Final = ("lisinopril", "amlodipine", "hydrochlorothiazide", "metoprolol")


class Body:
    """The set-points of one person; `values` of a lab test or a vital sign come from here."""

    __slots__ = ("bmi", "chance", "diastolic", "hba1c", "height_z", "labs", "systolic", "weight_z")

    def __init__(self, person: Person) -> None:
        chance = Chance(person.seed, person.index, "body")
        self.chance = chance
        self.height_z = max(-2.2, min(2.2, chance.normal()))
        self.weight_z = max(-2.2, min(2.2, 0.6 * self.height_z + 0.8 * chance.normal()))
        obese = "obesity" in person.onsets
        lean = max(18.8, min(29.0, chance.normal(25.0, 2.4)))
        self.bmi = 30.6 + abs(chance.normal(0.0, 4.0)) if obese else lean
        self.systolic = chance.normal(0.0, 7.0)
        self.diastolic = chance.normal(0.0, 5.0)
        # Where treated diabetes settles, and where untreated kidney function stands today.
        self.hba1c = chance.between(6.3, 8.0)
        self.labs = _set_points(person, chance)


def _set_points(person: Person, chance: Chance) -> dict[str, float]:
    column = 0 if person.sex == "male" else 1
    points: dict[str, float] = {}
    for key, row in table("laboratory")["analytes"].items():
        mean = row["mean"]
        middle = mean[column] if isinstance(mean, list) else mean
        points[key] = max(0.3 * middle, chance.normal(middle, row["sd"]))
    if "kidney" in person.onsets:
        points["egfr"] = chance.between(31.0, 57.0)
    if "copd" in person.onsets:
        points["fev1_fvc"] = chance.between(48.0, 67.0)
    return points


def vital_values(chart: Chart, body: Body, day: date) -> dict[str, float]:
    """Return the vital signs of a day, keyed as `vitals.record` wants them."""
    person = chart.person
    months = age_in_months(person.birth, day)
    chance = body.chance
    heart, breaths = _rates(months)
    values = size_values(person, body, day)
    values["heart_rate"] = chance.normal(heart, heart * 0.07)
    values["respiratory_rate"] = max(10.0, chance.normal(breaths, breaths * 0.07))
    values["temperature"] = chance.normal(36.7, 0.2)
    lung = 3.2 if "copd" in person.onsets else 0.0
    values["oxygen_saturation"] = min(100.0, chance.normal(98.0 - lung, 0.8))
    if months >= _INFANT_MONTHS:
        values["systolic"], values["diastolic"] = _pressure(chart, body, day)
    return values


def size_values(person: Person, body: Body, day: date) -> dict[str, float]:
    """Return height, weight and, for infants, head circumference on a day.

    Who was born early grows by the age corrected for it.
    """
    months = age_in_months(person.birth, day)
    corrected = months - missing_months(person, day)
    height = _grown(person, "height", corrected, body.height_z)
    if months >= _GROWN_MONTHS and person.age >= _GROWN_AGE:
        weight = _body_mass(person, body, day) * (height / 100) ** 2
    else:
        weight = _grown(person, "weight", corrected, body.weight_z)
    values = {"height": height, "weight": weight * (1 + body.chance.normal(0.0, 0.007))}
    if months < _INFANT_MONTHS:
        values["head"] = _grown(person, "head", corrected, 0.7 * body.height_z)
    return values


def _grown(person: Person, measure: Measure, months: float, z: float) -> float:
    return growth_value(person.sex, measure, months, z) * share_before_term(measure, months)


def _rates(months: float) -> tuple[int, int]:
    for limit, heart, breaths in _CHILD_RATES:
        if months < limit:
            return heart, breaths
    return _ADULT_RATES


def _body_mass(person: Person, body: Body, day: date) -> float:
    """Return the body mass index: 30.2 at the onset of obesity, growing to what it is today."""
    since = person.onsets.get("obesity")
    if since is None:
        return max(18.0, body.bmi - 0.1 * years_between(day, person.today))
    if day < since:
        return max(24.0, 29.8 - 0.4 * years_between(day, since))
    course = years_between(since, person.today) or 1.0
    return 30.2 + (body.bmi - 30.2) * years_between(since, day) / course


def _pressure(chart: Chart, body: Body, day: date) -> tuple[float, float]:
    age = age_in_years(chart.person.birth, day)
    rise = 0.0
    onset = chart.person.onsets.get("hypertension")
    if onset and day >= onset:
        treated = [chart.medications[key] for key in _PRESSURE_DRUGS if key in chart.medications]
        months = years_between(min(treated), day) * 12 if treated else 0.0
        rise = 7.0 + 19.0 * exp(-months / 4)
    if age < _GROWN_AGE:
        base, low = 92.0 + 1.3 * age, 56.0 + 0.7 * age
    else:
        base, low = 112.0 + 0.28 * (age - 20), 71.0 + 0.08 * (age - 20)
    systolic = base + rise + body.systolic * 0.6 + body.chance.normal(0.0, 5.0)
    diastolic = low + rise * 0.5 + body.diastolic * 0.6 + body.chance.normal(0.0, 3.5)
    return max(70.0, systolic), max(40.0, min(diastolic, systolic - 18))


def lab_values(chart: Chart, body: Body, day: date) -> dict[str, float]:
    """Return a result for every analyte of the laboratory table, as it would be on a day."""
    person = chart.person
    points = body.labs
    values = {
        key: points[key] * (1 + body.chance.normal(0.0, row["noise"]))
        for key, row in table("laboratory")["analytes"].items()
    }
    _sugar(person, body, day, values)
    _kidney(person, body, day, values)
    _lipids(chart, values)
    onset = person.onsets.get("hypothyroidism")
    if onset and day >= onset:
        values["tsh"] *= 1.2 + 3.2 * exp(-3 * years_between(onset, day))
    _blood(values)
    return values


def _sugar(person: Person, body: Body, day: date, values: dict[str, float]) -> None:
    """Set HbA1c by the course of diabetes, and glucose by HbA1c.

    28.7 x HbA1c - 46.7 is the mean glucose of the ADAG study (Nathan 2008); fasting is lower.
    """
    onset = person.onsets.get("diabetes")
    if onset and day >= onset:
        start = body.hba1c + 2.1
        course = body.hba1c + (start - body.hba1c) * exp(-1.8 * years_between(onset, day))
        values["hba1c"] = course * (1 + body.chance.normal(0.0, 0.025))
        values["albumin_creatinine"] *= 1.8
    mean_glucose = 28.7 * values["hba1c"] - 46.7
    values["glucose"] = max(68.0, 0.86 * mean_glucose + body.chance.normal(0.0, 4.5))


def _kidney(person: Person, body: Body, day: date, values: dict[str, float]) -> None:
    onset = person.onsets.get("kidney")
    age = max(18, age_in_years(person.birth, day))
    if onset and day >= onset:
        lost_since = 1.6 * years_between(day, person.today)
        rate = min(59.0, body.labs["egfr"] + lost_since)
        noise = 1 + body.chance.normal(0.0, 0.04)
        values["creatinine"] = creatinine_for(rate, age, person.sex) * noise
        values["urea"] *= 1.8
        values["potassium"] += 0.35
        values["bicarbonate"] -= 2.0
        values["haemoglobin"] -= 1.3
        values["albumin_creatinine"] *= 9.0


def _lipids(chart: Chart, values: dict[str, float]) -> None:
    if "hyperlipidaemia" in chart.problems or "hyperlipidaemia" in chart.person.onsets:
        treated = any(key in chart.medications for key in _STATINS)
        values["ldl"] *= 1.0 if treated else 1.6
    if "obesity" in chart.person.onsets:
        values["triglycerides"] *= 1.45
        values["hdl"] *= 0.88
    # Friedewald 1972: LDL = total - HDL - triglycerides / 5.
    values["cholesterol"] = values["ldl"] + values["hdl"] + values["triglycerides"] / 5


def _blood(values: dict[str, float]) -> None:
    """Set haematocrit and red cells so that the indices of the blood count agree."""
    values["haematocrit"] = values["haemoglobin"] * 2.95
    values["erythrocytes"] = values["haematocrit"] * 10 / values["mcv"]
