"""The reader of the FHIRPath subset in which R4 writes its search parameters."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[5] / "tools" / "search_expressions.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("search_expressions", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["search_expressions"] = module
    spec.loader.exec_module(module)
    return module


def test_a_union_has_a_branch_for_each_member(tool: ModuleType):
    branches = tool.parse("Organization.name | Organization.alias")

    assert [[step.name for step in branch.steps] for branch in branches] == [
        ["Organization", "name"],
        ["Organization", "alias"],
    ]


@pytest.mark.parametrize("text", ["(A.value as Age)", "A.value.as(Age)", "A.value.ofType(Age)"])
def test_the_three_casts_are_the_same(tool: ModuleType, text: str):
    (branch,) = tool.parse(text)

    assert branch.steps == (tool.Step("A"), tool.Step("value", cast="Age"))


def test_where_chooses_by_a_string_or_by_the_type_of_what_is_referred_to(tool: ModuleType):
    chosen, resolved = tool.parse(
        "A.telecom.where(system='phone') | A.b.where(resolve() is Patient)"
    )

    assert chosen.steps[-1].where == ("system", "phone")
    assert resolved.steps[-1].resolves == "Patient"


def test_the_one_condition_of_r4_is_known(tool: ModuleType):
    (branch,) = tool.parse("Patient.deceased.exists() and Patient.deceased != false")

    assert branch.exists


@pytest.mark.parametrize(
    "text",
    [
        "Patient.name.first()",
        "Patient.name.where(use > 'a')",
        "Patient.deceased.exists()",
        "Patient.a.exists() and Patient.b != false",
        "Patient.name |",
        "Patient.name[1]",
        "Patient name",
        "Patient.where(a=b)",
        "",
    ],
)
def test_what_is_not_understood_is_refused(tool: ModuleType, text: str):
    with pytest.raises(tool.ExpressionError):
        tool.parse(text)
