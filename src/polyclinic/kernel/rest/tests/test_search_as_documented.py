"""What the reference page says that a parameter takes is answered over HTTP."""

from collections.abc import Iterator

import pytest

from polyclinic.kernel.search.canonicals import led_to
from polyclinic.kernel.search.parameters import SearchParameter, parameters
from polyclinic.kernel.search.query import support
from polyclinic.kernel.search.query.support import TYPE_MODIFIER

VALUES = {
    "token": "true",
    "reference": "a",
    "string": "a",
    "date": "2020",
    "number": "5",
    "quantity": "5",
    "uri": "http://a/b",
    "special": "1|1",
}
AS_MODIFIER = {"missing": "true", "of-type": "a|b|c"}
TERMINOLOGY = {"in", "not-in", "above", "below", "ss", "sb", "ni"}
"""What asks for a value set or code system, of which none is stored here."""


def sample(param: SearchParameter) -> str:
    if param.type == "composite":
        return "$".join(VALUES[kind] for _, kind in param.components)
    return VALUES[param.type]


def uses(resource_type: str) -> Iterator[tuple[str, str]]:
    """Yield each documented use of each parameter of a type."""
    for code, param in parameters(resource_type).items():
        able, value = support(param), sample(param)
        known = set() if param.type == "uri" else TERMINOLOGY
        yield code, value
        yield from ((code, prefix + value) for prefix in able.prefixes)
        for modifier in able.modifiers:
            name = param.targets[0] if modifier == TYPE_MODIFIER else modifier
            if modifier not in known:
                yield f"{code}:{name}", AS_MODIFIER.get(modifier, value)
        for operator in set(able.operators) - TERMINOLOGY:
            yield "_filter", f"{code} {operator} {'true' if operator == 'pr' else value}"
        if able.sortable:
            yield "_sort", f"-{code},_id"
        if able.chainable:
            yield f"{code}:{led_to(param)[0]}._lastUpdated", "ge2020"
            yield "_include", f"{resource_type}:{code}"
            yield "_include:iterate", f"{resource_type}:{code}"


@pytest.mark.parametrize(
    "resource_type", ["Patient", "Location", "ConceptMap", "DocumentReference"]
)
async def test_a_documented_use_of_a_parameter_is_answered(clinic, resource_type: str):
    async with clinic.client(clinic.principal("clinician")) as client:
        answers = {
            use: (await client.get(resource_type, params=dict([use]))).status_code
            for use in uses(resource_type)
        }

    assert len(answers) > 50
    assert {use: status for use, status in answers.items() if status != 200} == {}
