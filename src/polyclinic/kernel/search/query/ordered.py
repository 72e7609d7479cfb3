"""Dates, numbers and quantities: values with an order, and the prefixes that use it.

https://hl7.org/fhir/R4/search.html#prefix
"""

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import Comparison, DateIs, NumberIs
from polyclinic.kernel.search.query.limits import refuse
from polyclinic.kernel.search.query.searched import Searched
from polyclinic.kernel.search.values import NumberText


def date(_: Searched, param: SearchParameter, __: str, text: str) -> DateIs:
    """Return what one value of a date asks."""
    prefix, low, high = values.parse_date(text)
    return DateIs(None if param.code == "_lastUpdated" else param, Comparison(prefix), low, high)


def number(_: Searched, param: SearchParameter, __: str, text: str) -> NumberIs:
    """Return what one value of a number asks."""
    return _number(param, values.parse_number(text))


def quantity(_: Searched, param: SearchParameter, __: str, text: str) -> NumberIs:
    """Return what one value of a quantity asks; a code without a system is a unit of any."""
    found = values.parse_quantity(text)
    if found.system and not found.code:
        refuse(f"{param.code} has a unit's system and no unit: 5.4|{found.system}|mg.")
    return _number(param, found)


def _number(param: SearchParameter, found: NumberText) -> NumberIs:
    comparison = Comparison(found.prefix)
    return NumberIs(param, comparison, found.low, found.high, found.exact, found.system, found.code)
