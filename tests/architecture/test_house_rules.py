"""House rules that no linter has: a name, the way out, a good and a bad sample each."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENT_DATA = {"resource", "patient", "body", "bundle", "name", "payload", "stored", "record"}
STORE_CALLS = {"read", "vread", "create", "update", "delete", "write_all", "search", "history"}
SQL_CLOCK = re.compile(
    r"\b(now\(\)|clock_timestamp\(|current_timestamp|localtimestamp)", re.IGNORECASE
)
LOOKS_LIKE_SQL = re.compile(r"^\s*(select|insert|update|delete|with|create|alter)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    name: str
    message: str
    good: str
    bad: str
    find: Callable[[ast.AST], Iterator[int]]


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, ast.unparse(node.func.value), node.func.attr


def patient_data_in_a_log(tree):
    for call, target, method in calls(tree):
        if target == "log" and method in {"event", "failure"}:
            values = [keyword.value for keyword in call.keywords] + call.args[1:]
            for value in values:
                is_data = isinstance(value, ast.Name) and value.id in PATIENT_DATA
                if is_data or isinstance(value, ast.Dict | ast.List | ast.JoinedStr):
                    yield call.lineno


def store_call_without_principal(tree):
    for call, target, method in calls(tree):
        if target.rpartition(".")[2] in {"store", "_store"} and method in STORE_CALLS:
            first = [*call.args, *(word.value for word in call.keywords if word.arg == "principal")]
            if not first or "principal" not in ast.unparse(first[0]).lower():
                yield call.lineno


def clock_of_the_database(tree):
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and LOOKS_LIKE_SQL.match(text) and SQL_CLOCK.search(text):
            yield node.lineno


RULES = [
    Rule(
        "no-patient-data-in-a-log",
        "Log its id, a count or a code.",
        "log.event('read', id=stored.id, count=3)",
        "log.event('read', patient=patient)",
        patient_data_in_a_log,
    ),
    Rule(
        "no-store-without-principal",
        "Every call of the store begins with who asks; a job has a principal of its own.",
        "await store.read(principal, 'Patient', 'p1')",
        "await self._store.read('Patient', 'p1')",
        store_call_without_principal,
    ),
    Rule(
        "no-clock-in-sql",
        "A moment that is stored comes from the Clock; pass it as a parameter.",
        "db.execute('insert into bed (at) values ($1)', clock.now())",
        "db.execute('insert into bed (at) values (now())')",
        clock_of_the_database,
    ),
]
# The doctor compares the two clocks, so it has to read the database's.
EXCEPTIONS = {("no-clock-in-sql", "src/polyclinic/base/db/connect.py")}


def python_files():
    for path in sorted((ROOT / "src").rglob("*.py")):
        if "tests" not in path.parts:
            yield path.relative_to(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_tells_its_samples_apart(rule):
    assert list(rule.find(ast.parse(rule.good))) == []
    assert list(rule.find(ast.parse(rule.bad))) == [1]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_code_keeps_the_rule(rule):
    broken = [
        f"{path}:{line} {rule.message}"
        for path in python_files()
        if (rule.name, str(path)) not in EXCEPTIONS
        for line in rule.find(ast.parse((ROOT / path).read_text()))
    ]

    assert broken == []
