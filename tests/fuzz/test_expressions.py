"""Whatever is asked in FHIRPath gives elements or one of its own errors, within its limits.

``make fuzz`` tries 50,000 expressions; every run tries a fiftieth of them.
"""

import time

from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, FhirPathError, Limits, Node
from polyclinic.kernel.types import from_json
from polyclinic.testing.broken_expressions import nearly_expression
from polyclinic.testing.clock import FixedClock
from polyclinic.testing.isolation.chance import Chance

SHARE = 10
"""Expressions of one example, of which ``make fuzz`` makes 5,000."""
STEPS = 20_000
LONGEST = 1.0
"""Seconds of this process that one of so many steps may take, on a machine that is busy."""
ENVIRONMENT = Environment(
    limits=Limits(steps=STEPS, items=2_000, characters=20_000, seconds=0.5), clock=FixedClock()
)


def answer(expression, resource):
    """Return what is given, or the kind of the refusal."""
    try:
        return fhirpath.compile(expression).evaluate(resource, ENVIRONMENT)
    except FhirPathError as error:
        return type(error)


@given(seed=st.integers(0, 2**64 - 1))
def test_no_expression_fails_or_goes_beyond_its_limits(seed):
    chance = Chance(seed)

    for tried in [nearly_expression(chance) for _ in range(SHARE)]:
        for resource in (from_json(tried.resource), tried.resource):
            start = time.process_time()
            found = answer(tried.expression, resource)
            took = time.process_time() - start

            assert isinstance(found, type) or all(isinstance(one, Node) for one in found)
            assert took < LONGEST, f"{took:.2f} s: {tried.expression}"


def test_the_generator_makes_right_and_wrong_expressions():
    made = [nearly_expression(Chance(seed)) for seed in range(1_000)]

    kinds = [answer(one.expression, one.resource) for one in made]
    errors = {kind.__name__ for kind in kinds if isinstance(kind, type)}
    assert errors >= {"ExpressionSyntaxError", "EvaluationError", "LimitExceeded"}
    assert len([kind for kind in kinds if isinstance(kind, list)]) > 80
    assert len([kind for kind in kinds if isinstance(kind, list) and kind]) > 30
