"""URIs, https://hl7.org/fhir/R4/search.html#uri."""

import re
from typing import Final

from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import AnyOf, Predicate, UriBelow, UriIs
from polyclinic.kernel.search.query.limits import refuse, shown
from polyclinic.kernel.search.query.searched import Searched

_URL: Final = re.compile(r"([a-z][a-z0-9+.\-]*://[^/?#|\s]+)((?:/[^/?#|\s]*)*)", re.IGNORECASE)


def uri(searched: Searched, param: SearchParameter, modifier: str, text: str) -> Predicate:
    """Return what one value of a uri asks: it is this one, or lies above or below it."""
    plain = values.unescape(text)
    if not plain:
        refuse(f"{param.code} takes a URI, such as http://example.org/fhir/ValueSet/v1.")
    if not modifier:
        return UriIs(param, plain)
    match = _URL.fullmatch(plain)
    if match is None:
        refuse(
            f"{param.code}:{modifier} takes a URL without version, query or fragment, since "
            f"others have no paths: http://example.org/fhir, not {shown(plain)}."
        )
    if modifier == "below":
        return UriBelow(param, plain.rstrip("/"))
    parts = above(match[1], match[2])
    searched.budget.take(len(parts))
    return AnyOf(tuple(UriIs(param, one) for one in parts))


def above(server: str, path: str) -> list[str]:
    """Return the URLs that lie above a path or are it, from the server's own.

    A folder is written with a slash at its end or without.
    """
    found = [server, f"{server}/"]
    at = server
    for name in path.rstrip("/").split("/")[1:]:
        at += f"/{name}"
        found += (at, f"{at}/")
    return found
