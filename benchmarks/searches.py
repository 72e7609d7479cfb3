"""What the search rows ask: real values of what is stored, in pages of 20.

https://hl7.org/fhir/R4/search.html
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

Json = dict[str, Any]
_MOST: Final = 2_000
"""Values of a kind that are kept: enough that no cache holds the answers."""
_UCUM: Final = "http://unitsofmeasure.org"
_LABORATORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
_GLUCOSE: Final = "http://loinc.org|2339-0"


class Known(msgspec.Struct, frozen=True):
    """Values that resources have, by which they are asked for."""

    patients: list[str] = []
    """Ids."""
    encounters: list[str] = []
    """Ids."""
    names: list[tuple[str, str]] = []
    """Family and first given name of a patient."""
    identifiers: list[str] = []
    """System and value of a patient's: ``urn:example:mr|MR-1``."""
    births: list[str] = []
    cities: list[str] = []
    codes: list[str] = []
    """System and code of Observations."""
    conditions: list[str] = []
    """System and code of Conditions."""
    days: list[str] = []
    """Of Observations."""
    quantities: list[tuple[str, str, str]] = []
    """System and code of an Observation, its value and UCUM unit."""
    components: list[tuple[str, str, str]] = []
    """The same of a component."""

    def learn(self, resource: Json) -> None:
        """Keep what a resource is asked for by."""
        match resource["resourceType"]:
            case "Patient":
                self._patient(resource)
            case "Observation":
                self._observation(resource)
            case "Condition":
                self._keep(self.conditions, *_codings(resource))
            case "Encounter":
                self._keep(self.encounters, resource["id"])
            case _:
                pass

    def _patient(self, resource: Json) -> None:
        self._keep(self.patients, resource["id"])
        for name in resource.get("name", ()):
            self._keep(self.names, (name["family"], name["given"][0]))
        for one in resource.get("identifier", ()):
            self._keep(self.identifiers, f"{one['system']}|{one['value']}")
        self._keep(self.births, resource["birthDate"])
        self._keep(self.cities, *(one["city"] for one in resource.get("address", ())))

    def _observation(self, resource: Json) -> None:
        self._keep(self.codes, *_codings(resource))
        if "effectiveDateTime" in resource:
            self._keep(self.days, resource["effectiveDateTime"][:10])
        self._keep(self.quantities, *_quantities(resource))
        for component in resource.get("component", ()):
            self._keep(self.components, *_quantities(component))

    def _keep(self, values: list[Any], *found: Any) -> None:
        values.extend(found[: max(0, _MOST - len(values))])


class Asker:
    """Ask for what is known, at random."""

    def __init__(self, known: Known, chance: random.Random) -> None:
        self.known = known
        self.chance = chance

    def one(self, values: Sequence[Any]) -> Any:
        """Return one of some values."""
        return self.chance.choice(values)

    def month(self, values: Sequence[str]) -> str:
        """Return the month of one of some days."""
        return str(self.one(values)[:7])


Query = Callable[[Asker], tuple[str, Sequence[tuple[str, str]]]]
"""Makes a type and parameters."""


def address(query: Query, asker: Asker) -> str:
    """Return the path of a search below the FHIR base, and its query."""
    resource_type, parameters = query(asker)
    return f"{resource_type}?{urlencode([*parameters, ('_count', '20')], quote_via=quote)}"


def _begun(a: Asker) -> str:
    """Return the beginning of a family name, as somebody types it."""
    return str(a.one(a.known.names)[0][:4].lower())


def _more(quantity: tuple[str, str, str]) -> str:
    return f"ge{quantity[1]}|{_UCUM}|{quantity[2]}"


def _named(a: Asker) -> list[tuple[str, str]]:
    family, given = a.one(a.known.names)
    return [("family", family), ("given", given[:3])]


def _valued(a: Asker, values: Sequence[tuple[str, str, str]]) -> str:
    found = a.one(values)
    return f"{found[0]}${_more(found)}"


def _chart(name: str, *more: tuple[str, str]) -> Query:
    return lambda a: (name, [("patient", a.one(a.known.patients)), *more])


CHART: Final[tuple[Query, ...]] = (
    _chart("Observation", ("category", _LABORATORY), ("_sort", "-date")),
    _chart("Observation", ("category", "vital-signs"), ("_sort", "-date")),
    _chart("Observation", ("code", _GLUCOSE), ("_sort", "-date")),
    _chart("Condition"),
    _chart("MedicationRequest", ("status", "active")),
    _chart("Encounter", ("_sort", "-date")),
    lambda a: ("Patient", [("name", _begun(a))]),
    lambda a: ("Patient", [("identifier", a.one(a.known.identifiers))]),
)
"""What opening a chart asks for."""

PATIENT: Final[tuple[Query, ...]] = (
    lambda a: ("Patient", [("name", _begun(a))]),
    lambda a: ("Patient", [("name", _begun(a)), ("birthdate", a.one(a.known.births))]),
    lambda a: ("Patient", [("name", _begun(a)), ("_sort", "family"), ("_total", "accurate")]),
    lambda a: ("Patient", _named(a)),
    lambda a: ("Patient", [("birthdate", a.one(a.known.births))]),
    lambda a: ("Patient", [("identifier", a.one(a.known.identifiers))]),
    lambda a: ("Patient", [("address-city", a.one(a.known.cities)), ("name", _begun(a))]),
)
"""What whoever looks for a patient types."""

KINDS: Final[Mapping[str, tuple[Query, ...]]] = {
    "string": (
        lambda a: ("Patient", [("name", _begun(a))]),
        lambda a: ("Patient", _named(a)),
        lambda a: ("Patient", [("address-city", a.one(a.known.cities))]),
    ),
    "date": (
        lambda a: ("Observation", [("date", a.one(a.known.days))]),
        lambda a: ("Encounter", [("date", a.month(a.known.days))]),
        lambda a: ("Patient", [("birthdate", f"ge{a.month(a.known.births)}")]),
        lambda a: ("Condition", [("recorded-date", f"lt{a.one(a.known.days)}")]),
    ),
    "token": (
        lambda a: ("Observation", [("code", a.one(a.known.codes))]),
        lambda a: ("Condition", [("code", a.one(a.known.conditions))]),
        lambda a: ("Patient", [("identifier", a.one(a.known.identifiers))]),
        lambda _: ("MedicationRequest", [("status", "active"), ("intent", "order")]),
    ),
    "quantity": (
        lambda a: ("Observation", [("value-quantity", _more(a.one(a.known.quantities)))]),
        lambda a: (
            "Observation",
            [("value-quantity", _more(a.one(a.known.quantities))), ("code", a.one(a.known.codes))],
        ),
    ),
    "reference": (
        lambda a: ("Observation", [("patient", a.one(a.known.patients))]),
        lambda a: ("Condition", [("subject", f"Patient/{a.one(a.known.patients)}")]),
        lambda a: ("Observation", [("encounter", a.one(a.known.encounters))]),
    ),
    "composite": (
        lambda a: ("Observation", [("code-value-quantity", _valued(a, a.known.quantities))]),
        lambda a: (
            "Observation",
            [("component-code-value-quantity", _valued(a, a.known.components))],
        ),
    ),
    "chain": (
        lambda a: ("Observation", [("patient.identifier", a.one(a.known.identifiers))]),
        lambda a: ("Condition", [("patient.family", a.one(a.known.names)[0])]),
        lambda a: ("Encounter", [("subject:Patient.birthdate", a.one(a.known.births))]),
        lambda a: ("Patient", [("_has:Condition:patient:code", a.one(a.known.conditions))]),
    ),
}
"""By the kind of what they ask."""


def _codings(resource: Json) -> list[str]:
    return [f"{one['system']}|{one['code']}" for one in resource["code"].get("coding", ())]


def _quantities(element: Json) -> list[tuple[str, str, str]]:
    found = element.get("valueQuantity", {})
    if "code" not in found:
        return []
    return [(coding, str(found["value"]), found["code"]) for coding in _codings(element)[:1]]
