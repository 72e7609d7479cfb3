"""The order of a page."""

from functools import cache
from typing import Final

from polyclinic.kernel.search.parameters import compartment_parameters, parameters
from polyclinic.kernel.search.predicate import Query, RefersTo, Sort
from polyclinic.kernel.store.select.statement import Statement
from polyclinic.kernel.types import type_number


def direction(sort: Sort) -> tuple[str, str]:
    """Return the word for a direction and how what follows compares."""
    return ("desc", "<") if sort.descending else ("asc", ">")


SORTED: Final = {
    "date": ("date_value", "low", "bigint"),
    "string": ("string_value", "value", "text"),
    "number": ("number_value", "low", "float8"),
    "quantity": ("number_value", "low", "float8"),
}
SORTABLE: Final = frozenset(SORTED)
"""The types of search parameters that a page can be sorted by."""


def subject(query: Query, statement: Statement) -> str | None:
    """Return the rid of the one patient that a query is limited to, as a subselect.

    Only where all that refers to the patient so is in its compartment, and so has dates under it.
    """
    compartment = _compartment_keys(query.resource_type)
    for part in query.where.parts:
        if (
            isinstance(part, RefersTo)
            and part.target == "Patient"
            and part.param.keyed_as in compartment
        ):
            patient = statement.argument(type_number("Patient"), "smallint")
            identity = statement.argument(part.id, "text")
            return (
                "array(select p.rid from resource p where p.tenant = $1"  # noqa: S608
                f" and p.type = {patient} and p.id = {identity})"
            )
    return None


@cache
def _compartment_keys(resource_type: str) -> frozenset[str]:
    known = parameters(resource_type)
    return frozenset(known[code].keyed_as for code in compartment_parameters(resource_type))
