"""From the parameters of a search request to a query, https://hl7.org/fhir/R4/search.html.

A parameter that is not known is reported, or refused under ``Prefer: handling=strict``; it is never
taken for one that is. What is known and wrongly used is refused: an answer to another question than
the one that was asked is worse than none.
"""

from polyclinic.kernel.search.query.moments import moment
from polyclinic.kernel.search.query.own import incomplete, unevaluated
from polyclinic.kernel.search.query.request import parse_query
from polyclinic.kernel.search.query.results import DEFAULT_COUNT, MOST, page_size
from polyclinic.kernel.search.query.searched import Endpoint, supported_parameters
from polyclinic.kernel.search.query.support import UNSUPPORTED, Support, support

__all__ = [
    "DEFAULT_COUNT",
    "MOST",
    "UNSUPPORTED",
    "Endpoint",
    "Support",
    "incomplete",
    "moment",
    "page_size",
    "parse_query",
    "support",
    "supported_parameters",
    "unevaluated",
]
