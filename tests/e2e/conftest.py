"""A running Polyclinic with a small population, and a browser that may not be surprised.

Every page is watched: an error in the console, a refusal by the content security policy or a
request to anywhere else fails the test that caused it.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from polyclinic.testing.installation import Installation

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENTS = 8
PATIENCE_MS = 20_000

# A patient whose record is hard to show: long names, doubts, errors, and ten thousand values.
PATIENT = "browser-edge"
FAMILY = "Wolfeschlegelsteinhausenbergerdorff-Oyelaran"
MEASUREMENTS = 10_000
_LATEST = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_SUBJECT = {"reference": f"Patient/{PATIENT}"}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(180))


@dataclass(frozen=True)
class House:
    """The server that the browser visits."""

    address: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    if not (ROOT / "src/polyclinic/web/static/index.html").exists():
        pytest.skip("the user interface is not built: npm run build")
    # Not pytest's own folder: PostgreSQL runs as another account, which must be able to enter.
    directory = Path(tempfile.mkdtemp(prefix="polyclinic-e2e-"))
    directory.chmod(0o755)
    installation = Installation(directory)
    installation.make_accounts(PATIENTS)
    record = directory / "edge.ndjson"
    record.write_text("\n".join(lines()))
    loaded = installation.run("load", record)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    accounts = json.loads((installation.data / "demo-accounts.json").read_text())
    server = installation.serve()
    yield House(f"http://127.0.0.1:{server.port}", accounts)
    server.stop()
    installation.end()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One person's window, and what went wrong in it."""

    def __init__(self, context: BrowserContext, house: House) -> None:
        self.context = context
        self.house = house
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def sign_in(self, user: str = "doctor") -> "Visit":
        """Sign in without the form."""
        answer = self.context.request.post(
            "/auth/sign-in",
            data={"user": user, "password": self.house.passwords[user]},
            headers={"X-Polyclinic-Request": "1"},
        )
        assert answer.ok, answer.text()
        return self

    def open(self, path: str) -> Page:
        """Go to an address and wait until nothing is loading any more."""
        self.page.goto(path)
        self.page.get_by_role("main").wait_for()
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until no part of the page is loading and nothing moves."""
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)
        finished = "Promise.allSettled(document.getAnimations().map(({ finished }) => finished))"
        self.page.evaluate(finished)

    def expect_failures(self, *parts: str) -> None:
        """Let failed requests to these addresses pass: the test brings them about."""
        self.expected = parts

    def _heard(self, message) -> None:
        if message.type not in {"error", "warning"}:
            return
        # The browser notes every 401; that nobody is signed in yet is no fault.
        address = message.location.get("url", "")
        if not any(part in address for part in ("/auth/session", *self.expected)):
            self.problems.append(f"{message.type}: {message.text} ({address})")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.house.address, "data:", "blob:")):
            self.problems.append(f"a request left the house: {request.url}")


@pytest.fixture
def visit(browser, house):
    """Return how to open a window; at the end nothing may have gone wrong in any."""
    visits = []

    def begin(width=1440, scheme="light", locale="en", **options) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 400 else 640},
            color_scheme=scheme,
            base_url=house.address,
            **options,
        )
        context.add_init_script(f"localStorage.setItem('polyclinic.locale', '{locale}')")
        visits.append(Visit(context, house))
        return visits[-1]

    yield begin
    problems = [problem for visit in visits for problem in visit.problems]
    for opened in visits:
        opened.context.close()
    assert problems == []


def lines():
    """Yield the record as NDJSON; one decimal is written by hand to keep its digits."""
    for resource in (*_story(), *_heart_rates(), *_laboratory()):
        yield json.dumps(resource, ensure_ascii=False)
    potassium = _observation("digits", "laboratory", "2823-3", "Potassium", 0)
    text = json.dumps(potassium | {"valueQuantity": {"value": "DIGITS", "unit": "mmol/L"}})
    yield text.replace('"DIGITS"', "4.00")


def _coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def _story():
    yield {
        "resourceType": "Patient",
        "id": PATIENT,
        "gender": "female",
        "birthDate": "1987-02",
        "identifier": [{"type": {"text": "Record number"}, "value": "MRN-00991"}],
        "name": [
            {
                "use": "official",
                "family": FAMILY,
                "given": ["María", "Fernanda"],
                "prefix": ["Dr."],
            },
            {"use": "usual", "text": "Mafe"},
        ],
    }
    yield _condition("active", "Type 2 diabetes mellitus", "confirmed", "active")
    yield _condition("doubt", "Possible lupus", "provisional", "active")
    yield _condition("refuted", "Pulmonary embolism", "refuted", None)
    yield _condition("error", "Somebody else's asthma", "entered-in-error", None)
    yield {
        "resourceType": "AllergyIntolerance",
        "id": f"{PATIENT}-penicillin",
        "patient": _SUBJECT,
        "criticality": "high",
        "clinicalStatus": _coded(_ALLERGY_CLINICAL, "active"),
        "code": {"text": "Penicillin"},
    }
    yield {
        "resourceType": "MedicationRequest",
        "id": f"{PATIENT}-metformin",
        "status": "active",
        "intent": "order",
        "subject": _SUBJECT,
        "medicationCodeableConcept": {"text": "Metformin 500 mg tablet"},
        "dosageInstruction": [{"text": "1 tablet twice daily"}],
    }


def _condition(key, text, verification, clinical):
    status = {"clinicalStatus": _coded(_CLINICAL, clinical)} if clinical else {}
    return {
        "resourceType": "Condition",
        "id": f"{PATIENT}-{key}",
        "subject": _SUBJECT,
        "code": {"text": text},
        "verificationStatus": _coded(_VERIFICATION, verification),
        **status,
    }


def _observation(key, category, code, text, days):
    return {
        "resourceType": "Observation",
        "id": f"{PATIENT}-{key}",
        "status": "final",
        "category": [_coded(_CATEGORY, category)],
        "code": {"text": text, "coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": _SUBJECT,
        "effectiveDateTime": (_LATEST - timedelta(days=days)).isoformat(),
    }


def _heart_rates():
    for number in range(MEASUREMENTS):
        base = _observation(f"hr-{number}", "vital-signs", "8867-4", "Heart rate", number / 8)
        yield base | {"valueQuantity": {"value": 66 + number * 7 % 13, "unit": "/min"}}
    weight = _observation("weight", "vital-signs", "29463-7", "Body weight", 900)
    yield weight | {"valueQuantity": {"value": 80.5, "unit": "kg"}}


def _laboratory():
    bounds = {"low": {"value": 4.0, "unit": "%"}, "high": {"value": 5.6, "unit": "%"}}
    for number in range(40):
        base = _observation(f"hba1c-{number}", "laboratory", "4548-4", "HbA1c", number * 90 + 1)
        value = {"value": (72 + number * 7 % 9) / 10, "unit": "%"}
        yield base | {"valueQuantity": value, "referenceRange": [bounds]}
