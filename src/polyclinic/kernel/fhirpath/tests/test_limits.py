"""What costs too much is ended, with one clear error."""

import pytest

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, EvaluationError, LimitExceeded, Limits

NUMBERS = "(" + "|".join(map(str, range(60))) + ")"


@pytest.mark.parametrize(
    "expression",
    [
        "'" + "x" * 20_000 + "'",
        "(" * 200 + "1" + ")" * 200,
        "-" * 500 + "true",
        "1" + "+1" * 500,
        "name" + ".first()" * 500,
        "not(" * 120 + "true" + ")" * 120,
        "iif(true, " * 90 + "1" + ")" * 90 + " + 1" * 90,
    ],
    ids=["length", "parentheses", "signs", "operators", "calls", "arguments", "both"],
)
def test_an_expression_beyond_the_limits_is_refused(expression):
    with pytest.raises((LimitExceeded, fhirpath.SemanticError)) as refusal:
        fhirpath.compile(expression)

    assert refusal.value.http_status in {400, 422}


@pytest.mark.parametrize(
    ("expression", "limits", "which"),
    [
        (f"{NUMBERS}.select({NUMBERS}.select({NUMBERS}))", Limits(steps=50_000), "steps"),
        (
            f"{NUMBERS}.where(({NUMBERS} | $this).all(({NUMBERS} | $this).exists()))",
            Limits(steps=50_000),
            "steps",
        ),
        (f"{NUMBERS}.select({NUMBERS}).count()", Limits(items=1_000), "elements"),
        ("('a' | 'b').repeat($this & 'x')", Limits(steps=9_000, characters=200), "characters"),
        ("'aaaaaaaa'.replace('', 'bbbbbbbb').replace('', 'cccccccc')", Limits(characters=99), "99"),
        ("'abc'.replaceMatches('b*', 'dddddddddd')", Limits(characters=30), "characters"),
        (f"{NUMBERS}.select('0123456789').join('0123456789')", Limits(characters=999), "999"),
        ("'abcdef'.toChars()", Limits(items=5), "elements"),
        ("'a,b,c,d,e'.split(',')", Limits(items=4), "elements"),
        (f"{NUMBERS}.select({NUMBERS}.select({NUMBERS}))", Limits(seconds=0), "takes longer"),
    ],
)
def test_an_evaluation_beyond_the_limits_is_ended(ask, expression, limits, which):
    with pytest.raises(LimitExceeded, match=which) as refusal:
        ask(expression, environment=Environment(limits=limits))

    assert refusal.value.http_status == 422
    assert refusal.value.issues[0].code == "too-costly"


def test_an_expression_that_would_backtrack_ends_at_once(ask):
    assert ask("'" + "a" * 5_000 + "!'.matches('^(a+)+$')") == [False]


@pytest.mark.parametrize("regex", ["(", "(?=a)", "(a)\\\\1", "a{1000}{1000}", "x" * 5_000])
def test_a_regular_expression_that_cannot_be_used_is_refused(ask, regex):
    with pytest.raises(EvaluationError, match="regular expression"):
        ask(f"'text'.matches('{regex}')")


def test_the_budget_of_one_evaluation_is_not_that_of_the_next(ask):
    expression = f"{NUMBERS}.select({NUMBERS}).count()"
    limits = Environment(limits=Limits(steps=15_000))

    assert ask(expression, environment=limits) == ask(expression, environment=limits) == [3600]
