"""Strings, https://hl7.org/fhir/R4/search.html#string."""

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import StringIs
from polyclinic.kernel.search.query.limits import refuse
from polyclinic.kernel.search.query.searched import Searched


def string(_: Searched, param: SearchParameter, modifier: str, text: str) -> StringIs:
    """Return what one value of a string asks: it begins so, is so, or has it somewhere."""
    if modifier == "exact":
        plain = values.unescape(text)
        if not plain:
            refuse(f"{param.code}:exact takes the whole text, as it was written.")
        return StringIs(param, "exact", plain)
    folded = values.parse_string(param.code, text)
    return StringIs(param, "contains" if modifier == "contains" else "starts", folded)
