"""The nine resources of the CRUD round, of the sizes that published comparisons use.

Patient 2.5 kB, Location, Organization, Practitioner 0.6 kB, Encounter 1.4 kB, Observation 0.8 kB,
MedicationRequest and Claim 1 kB, ExplanationOfBenefit 4.9 kB; values vary, so that index keys do.
"""

import random
from typing import Any, Final

Json = dict[str, Any]

_TYPES = "http://terminology.hl7.org/CodeSystem"


class Workload:
    """Make resources that refer to one patient and its clinic."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def round(self, patient: str, others: dict[str, str]) -> list[Json]:
        """Return one of each type; references point to resources that are stored."""
        return [
            self.patient(),
            self._location(others),
            self._organization(),
            self._practitioner(),
            self._encounter(patient, others),
            self.observation(patient, others),
            self._medication_request(patient, others),
            self._claim(patient, others),
            self._explanation(patient, others),
        ]

    def patient(self) -> Json:
        """Return a Patient with names, addresses, contacts and extensions."""
        number = self._random.randrange(10**9)
        address = {
            "line": [f"{number % 997} Sample Street"],
            "city": f"City {number % 313}",
            "state": "MA",
            "postalCode": f"{number % 99999:05}",
            "country": "US",
        }
        return {
            "resourceType": "Patient",
            "text": {
                "status": "generated",
                "div": '<div xmlns="http://www.w3.org/1999/xhtml">' + "Made up. " * 110 + "</div>",
            },
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                    "valueAddress": address,
                }
            ],
            "identifier": _identifiers(number),
            "active": True,
            "name": [
                {
                    "use": "official",
                    "family": f"Family{number % 9973}",
                    "given": [f"Given{number % 1009}", f"Middle{number % 211}"],
                    "prefix": ["Ms."],
                }
            ],
            "telecom": [{"system": "phone", "value": f"555-{number % 10**7:07}", "use": "home"}],
            "gender": "female",
            "birthDate": f"{1930 + number % 90}-{1 + number % 12:02}-{1 + number % 28:02}",
            "address": [address],
            **_MARRIED,
        }

    def observation(self, patient: str, others: dict[str, str]) -> Json:
        """Return a laboratory Observation with a range."""
        value = self._random.randrange(400, 1400) / 10
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {"coding": [{"system": f"{_TYPES}/observation-category", "code": "laboratory"}]}
            ],
            "code": {
                "coding": [
                    {
                        "system": "http://loinc.org",
                        "code": self._random.choice(("2339-0", "2345-7", "38483-4", "6299-2")),
                        "display": "A laboratory value",
                    }
                ]
            },
            "subject": {"reference": patient},
            "encounter": {"reference": others["Encounter"]},
            "effectiveDateTime": self._moment(),
            "issued": "2026-03-04T05:06:07.890+00:00",
            "valueQuantity": {
                "value": value,
                "unit": "mg/dL",
                "system": "http://unitsofmeasure.org",
                "code": "mg/dL",
            },
            "note": [{"text": "A note of the laboratory about the sample. " * 4}],
            "referenceRange": [{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 110}}],
        }

    def _moment(self) -> str:
        pick = self._random.randrange
        return f"20{pick(10, 26)}-{pick(1, 13):02}-{pick(1, 29):02}T{pick(24):02}:{pick(60):02}:00Z"

    def _location(self, others: dict[str, str]) -> Json:
        number = self._random.randrange(10**6)
        return {
            "resourceType": "Location",
            "identifier": [{"system": "urn:example:location", "value": f"L{number}"}],
            "status": "active",
            "name": f"Ward {number}",
            "description": "A ward of the sample clinic, third floor. " * 6,
            "telecom": [{"system": "phone", "value": "555-0100"}],
            "address": {"line": ["1 Sample Street"], "city": "Sample", "country": "US"},
            "managingOrganization": {"reference": others["Organization"]},
        }

    def _organization(self) -> Json:
        number = self._random.randrange(10**6)
        return {
            "resourceType": "Organization",
            "identifier": [{"system": "urn:example:organization", "value": f"O{number}"}],
            "active": True,
            "type": [
                {
                    "coding": [{"system": f"{_TYPES}/organization-type", "code": "prov"}],
                    "text": "Healthcare provider",
                }
            ],
            "name": f"Sample clinic {number}",
            "telecom": [{"system": "phone", "value": "555-0101"}],
            "address": [{"line": ["2 Sample Street"], "city": "Sample", "postalCode": "01000"}],
        }

    def _practitioner(self) -> Json:
        number = self._random.randrange(10**6)
        return {
            "resourceType": "Practitioner",
            "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": f"{number:010}"}],
            "active": True,
            "name": [{"family": f"Doctor{number}", "given": ["Sam"], "prefix": ["Dr."]}],
            "telecom": [{"system": "email", "value": f"d{number}@example.org", "use": "work"}],
            "address": [{"line": ["3 Sample Street"], "city": "Sample", "country": "US"}],
            "gender": "male",
            "qualification": [{"code": {"text": "Doctor of medicine, sample university"}}],
        }

    def _encounter(self, patient: str, others: dict[str, str]) -> Json:
        start = self._moment()
        return {
            "resourceType": "Encounter",
            "identifier": [{"system": "urn:example:visit", "value": start}],
            "status": "finished",
            "class": {"system": f"{_TYPES}/v3-ActCode", "code": "AMB"},
            "type": [
                {
                    "coding": [
                        {
                            "system": "http://snomed.info/sct",
                            "code": "185345009",
                            "display": "Visit",
                        }
                    ],
                    "text": "Encounter for symptom",
                }
            ],
            "subject": {"reference": patient, "display": "A made up patient"},
            "participant": [
                {
                    "type": [
                        {"coding": [{"system": f"{_TYPES}/v3-ParticipationType", "code": "PPRF"}]}
                    ],
                    "period": {"start": start, "end": start},
                    "individual": {"reference": others["Practitioner"], "display": "Dr. Sam"},
                }
            ],
            "period": {"start": start, "end": start},
            "reasonCode": [{"text": "A sample reason with some words. " * 14}],
            "location": [{"location": {"reference": others["Location"]}}],
            "serviceProvider": {"reference": others["Organization"], "display": "Sample clinic"},
        }

    def _medication_request(self, patient: str, others: dict[str, str]) -> Json:
        return {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {
                "coding": [
                    {
                        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                        "code": self._random.choice(("860975", "314076", "197361", "308136")),
                        "display": "A made up medication, oral tablet",
                    }
                ],
                "text": "A made up medication, oral tablet",
            },
            "subject": {"reference": patient},
            "encounter": {"reference": others["Encounter"]},
            "authoredOn": self._moment(),
            "requester": {"reference": others["Practitioner"], "display": "Dr. Sam"},
            "dosageInstruction": [
                {
                    "sequence": 1,
                    "text": "One tablet by mouth each morning with water. " * 7,
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 1.0, "unit": "tablet"}}],
                }
            ],
        }

    def _claim(self, patient: str, others: dict[str, str]) -> Json:
        return {
            "resourceType": "Claim",
            "status": "active",
            "type": {"coding": [{"system": f"{_TYPES}/claim-type", "code": "institutional"}]},
            "use": "claim",
            "patient": {"reference": patient},
            "billablePeriod": {"start": self._moment(), "end": self._moment()},
            "created": self._moment(),
            "provider": {"reference": others["Organization"], "display": "Sample clinic"},
            "priority": {"coding": [{"system": f"{_TYPES}/processpriority", "code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Sample cover"}}],
            "item": [
                {
                    "sequence": 1,
                    "productOrService": {"text": "Encounter for symptom. " * 10},
                    "encounter": [{"reference": others["Encounter"]}],
                }
            ],
            "total": {"value": self._random.randrange(1000, 90000) / 100, "currency": "USD"},
        }

    def _explanation(self, patient: str, others: dict[str, str]) -> Json:
        amount = {"value": self._random.randrange(1000, 90000) / 100, "currency": "USD"}
        submitted = {"coding": [{"system": f"{_TYPES}/adjudication", "code": "submitted"}]}
        return {
            "resourceType": "ExplanationOfBenefit",
            "identifier": [
                {"system": "urn:example:claim", "value": str(self._random.randrange(10**9))},
                {"system": "urn:example:group", "value": "99999999999"},
            ],
            "status": "active",
            "type": {"coding": [{"system": f"{_TYPES}/claim-type", "code": "professional"}]},
            "use": "claim",
            "patient": {"reference": patient},
            "billablePeriod": {"start": self._moment(), "end": self._moment()},
            "created": self._moment(),
            "insurer": {"display": "Sample insurer"},
            "provider": {"reference": others["Practitioner"]},
            "outcome": "complete",
            "careTeam": [
                {
                    "sequence": 1,
                    "provider": {"reference": others["Practitioner"]},
                    "role": {
                        "coding": [{"system": f"{_TYPES}/claimcareteamrole", "code": "primary"}]
                    },
                }
            ],
            "insurance": [{"focal": True, "coverage": {"display": "Sample cover"}}],
            "item": [
                {
                    "sequence": sequence,
                    "productOrService": {"text": "Encounter for symptom"},
                    "servicedPeriod": {"start": self._moment(), "end": self._moment()},
                    "encounter": [{"reference": others["Encounter"]}],
                    "adjudication": _adjudication(amount),
                }
                for sequence in (1, 2, 3)
            ],
            "total": [{"category": submitted, "amount": amount}],
            "payment": {"amount": amount},
        }


def _identifiers(number: int) -> list[Json]:
    return [
        {
            "type": {"coding": [{"system": f"{_TYPES}/v2-0203", "code": code}]},
            "system": f"urn:example:{code.lower()}",
            "value": f"{code}-{number}",
        }
        for code in ("MR", "SS", "DL", "PPN")
    ]


def _adjudication(amount: Json) -> list[Json]:
    steps = "https://example.org/codes/adjudication"
    return [
        {
            "category": {
                "coding": [
                    {
                        "system": steps,
                        "code": f"line-{step}",
                        "display": "A step of the adjudication",
                    }
                ]
            },
            "amount": amount,
        }
        for step in range(6)
    ]


def changed(resource: Json) -> Json:
    """Return the resource with one value changed, one that searches find it by where it has one."""
    change = _CHANGES[resource["resourceType"]]
    return {**resource, **change}


_MARRIED: Final[Json] = {
    "maritalStatus": {
        "coding": [{"system": f"{_TYPES}/v3-MaritalStatus", "code": "M"}],
        "text": "Married",
    },
    "multipleBirthBoolean": False,
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US"}]}}],
}
_CHANGES: Final[dict[str, Json]] = {
    "Patient": {
        "telecom": [{"system": "email", "value": "changed@example.org"}],
        "maritalStatus": {"coding": [{"system": f"{_TYPES}/v3-MaritalStatus", "code": "D"}]},
    },
    "Location": {"name": "Ward with another name"},
    "Organization": {"name": "Sample clinic under another name"},
    "Practitioner": {"telecom": [{"system": "email", "value": "changed@example.org"}]},
    "Encounter": {"status": "cancelled"},
    "Observation": {"status": "amended", "valueQuantity": {"value": 99.5, "unit": "mg/dL"}},
    "MedicationRequest": {"status": "completed"},
    "Claim": {"status": "cancelled"},
    "ExplanationOfBenefit": {"status": "cancelled"},
}
