"""References, https://hl7.org/fhir/R4/search.html#reference."""

from polyclinic.kernel.search import values
from polyclinic.kernel.search.canonicals import by_id
from polyclinic.kernel.search.parameters import SearchParameter
from polyclinic.kernel.search.predicate import AnyOf, IdentifierIs, Predicate, RefersTo, UriIs
from polyclinic.kernel.search.query.limits import refuse, shown
from polyclinic.kernel.search.query.searched import Searched


def reference(searched: Searched, param: SearchParameter, modifier: str, text: str) -> Predicate:
    """Return what one value of a reference asks; the modifier may be a type."""
    if modifier == "identifier":
        return IdentifierIs(param, *values.parse_token(text))
    if not by_id(param):
        return _canonical(searched, param, modifier, text)
    found = values.parse_reference(text, searched.base)
    if found.uri is not None:
        return UriIs(param, found.uri)
    if modifier and found.target not in (None, modifier):
        refuse(f"{param.code}:{modifier} is asked for {shown(text)}, which is of another type.")
    kind = found.target or modifier
    targets = (kind,) if kind else param.targets
    searched.budget.take(len(targets) - 1)
    if len(targets) == 1:
        return RefersTo(param, targets[0], found.id)
    return AnyOf(tuple(RefersTo(param, each, found.id) for each in targets))


def _canonical(searched: Searched, param: SearchParameter, modifier: str, text: str) -> Predicate:
    """Return what a canonical asks: the URL, with its version or without.

    ``Type/id`` may be written so, or as the URL here.
    """
    plain = values.unescape(text)
    if not plain or any(char.isspace() for char in plain):
        refuse(
            f"{param.code} takes a canonical URL, with a version or without: "
            "http://example.org/fhir/Questionnaire/q1|1.0."
        )
    if ":" in plain or not (modifier or "/" in plain):
        return UriIs(param, plain)
    local = plain if "/" in plain else f"{modifier}/{plain}"
    return AnyOf((UriIs(param, local), UriIs(param, searched.base + local)))
