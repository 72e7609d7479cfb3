"""What is the same for every element is found once, and gives what it would give each time."""

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, LimitExceeded, Limits
from polyclinic.kernel.fhirpath.keeping import kept
from polyclinic.kernel.fhirpath.parser import parse
from polyclinic.kernel.fhirpath.syntax import Expression, Kept, inner
from polyclinic.kernel.types import from_json

DOM_3 = (
    "contained.where((('#'+id in (%resource.descendants().reference"
    " | %resource.descendants().as(canonical) | %resource.descendants().as(uri)"
    " | %resource.descendants().as(url))) or descendants().where(reference = '#').exists()"
    " or descendants().where(as(canonical) = '#').exists()).not()).empty()"
)
"""An invariant of R4, https://hl7.org/fhir/R4/domainresource.html#invs."""


def parts(expression: str) -> list[Expression]:
    """Return what is kept of an expression."""
    found, waiting = [], [kept(parse(expression))]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, Kept):
            found.append(tree.operand)
        waiting.extend(inner(tree))
    return found


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("name.where(given in %resource.contact.name.given)", 1),
        ("name.where(family = %context.id and use = %resource.id)", 2),
        ("name.where(%resource.name.where($this.use = 'usual').given contains family)", 1),
        ("name.where(given.exists())", 0),
        ("name.where(given = 'a')", 0),
        ("name.where(%resource.name[$index].use = 'usual')", 1),
        ("name.where(%resource.name.skip($this.given.count()).exists())", 1),
        ("name.select(%resource.id.trace('x'))", 1),
        ("name.select(defineVariable('a', 1).select(%resource.id & %a))", 1),
        ("name.select(%a.b)", 0),
        ("%resource.name.given", 0),
    ],
)
def test_only_what_cannot_change_is_kept(expression, count):
    found = parts(expression)

    assert len(found) == count
    assert not any(part in found for part in map(parse, ("$this", "$index", "%a")))


@pytest.mark.parametrize(
    "expression",
    [
        "name.select(%resource.name.given.count()).count()",
        "name.where('Ada' in %resource.name.given).count()",
        "name.given.where($this in %resource.name.given.where($this != 'Bo'))",
        "name.select(%resource.contact.name.family | family)",
        "name.given.select($this & iif(%resource.active, %resource.id, 'no'))",
        "name.select(%resource.name.select(given.first()))",
    ],
)
def test_what_is_kept_gives_what_it_would_give_each_time(ask, patient, expression):
    once = expression.replace("%resource", "%resource.where(true)")
    each = expression.replace("%resource", "($this | %resource).ofType(Patient)")

    assert ask(expression, patient) == ask(once, patient) == ask(each, patient)


def listed(size: int):
    patients = [{"resourceType": "Patient", "id": f"p{at}", "active": True} for at in range(size)]
    return from_json(
        {
            "resourceType": "List",
            "id": "l",
            "status": "current",
            "mode": "working",
            "contained": patients,
            "entry": [{"item": {"reference": f"#p{at}"}} for at in range(size)],
        }
    )


def test_an_invariant_over_all_that_is_contained_costs_as_much_as_there_is():
    compiled = fhirpath.compile(DOM_3, "List", as_filters=True)
    environment = Environment(limits=Limits(steps=60_000))

    assert compiled.evaluate(listed(400), environment)[0].value is True
    with pytest.raises(LimitExceeded):
        compiled.evaluate(listed(2_000), environment)


def test_one_evaluation_knows_nothing_of_another():
    compiled = fhirpath.compile(
        "entry.where(item.reference in %resource.contained.select('#' + id))"
    )

    assert len(compiled.evaluate(listed(3))) == 3
    assert len(compiled.evaluate(listed(5))) == 5
