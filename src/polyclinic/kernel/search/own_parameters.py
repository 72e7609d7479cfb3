"""The parameters that a tenant defined for one type, as its index rows need them."""

from collections.abc import Mapping
from dataclasses import dataclass

from polyclinic.kernel.search.composites import Tie, custom_tie, ties
from polyclinic.kernel.search.hashed_forms import Field, field_of, fields
from polyclinic.kernel.search.parameters import SearchParameter


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """One type's parameters that a tenant defined, with those of R4 where both are needed."""

    number: int
    """Raised whenever they change; what index rows were made by tells it."""
    parameters: Mapping[str, SearchParameter]
    """The tenant's alone, by code."""
    fields: Mapping[str, Field]
    """Of all parameters of the type."""
    ties: Mapping[str, tuple[Tie, ...]]
    """Of all composites of the type."""


def own_of(resource_type: str, number: int, parameters: Mapping[str, SearchParameter]) -> Own:
    """Return the parameters that a tenant defined for a type."""
    composites = {
        code: (custom_tie(param),)
        for code, param in parameters.items()
        if param.type == "composite"
    }
    return Own(
        number,
        parameters,
        {
            **fields(resource_type),
            **{code: field_of(resource_type, one) for code, one in parameters.items()},
        },
        {**ties(resource_type), **composites},
    )
