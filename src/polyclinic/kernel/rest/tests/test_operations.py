"""Operations find their row in the table, and what has none is not there.

https://hl7.org/fhir/R4/operations.html
"""

import pytest

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import NotAllowed, NotFound
from polyclinic.kernel.rest.interactions.table import INTERACTIONS, Interaction, Table
from polyclinic.kernel.rest.message import Request


async def never(store, request):
    """Stand for an operation that is found and not run."""


async def nothing():
    """Stand for a body that nobody reads."""
    raise AssertionError


SHAPES = [("$count",), ("type", "$count"), ("type", "id", "$count")]
TABLE = Table(
    [
        *INTERACTIONS,
        *(Interaction("operation", "GET", shape, never) for shape in SHAPES),
        Interaction("operation", "POST", ("$tidy",), never),
    ]
)


def asked(path, method="GET"):
    return Request(
        method=method,
        path=path,
        query="",
        headers={},
        receive=nothing,
        base="",
        principal=Principal("nobody", tenant=0, account=0),
        largest=0,
    )


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        (("$count",), ("$count",)),
        (("Patient", "$count"), ("type", "$count")),
        (("Patient", "p", "$count"), ("type", "id", "$count")),
        (("Patient", "p"), ("type", "id")),
        (("Patient", "p", "_history", "1"), ("type", "id", "_history", "vid")),
    ],
)
def test_an_operation_is_found_at_each_of_its_levels(path, shape):
    assert TABLE.find(asked(path)).shape == shape


@pytest.mark.parametrize(
    "path",
    [
        ("$other",),
        ("Patient", "$other"),
        ("Patient", "p", "$other"),
        ("Patient", "$tidy"),
        ("Patient", "p", "_history", "$count"),
        ("$tidy", "$count"),
    ],
)
def test_an_operation_that_has_no_row_is_named_in_the_refusal(path):
    with pytest.raises(NotFound, match=rf"^The operation \{path[-1]} is not supported here\.$"):
        TABLE.find(asked(path))


@pytest.mark.parametrize("path", [("Patient", "no id!", "$count"), ("Patient", "$other", "x")])
def test_an_operation_needs_a_valid_id_before_it(path):
    with pytest.raises(NotFound):
        TABLE.find(asked(path))


def test_an_operation_answers_its_own_methods_only():
    with pytest.raises(NotAllowed, match="Only POST"):
        TABLE.find(asked(("$tidy",)))
