"""Searches in every form in which somebody might ask for what is not theirs."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from polyclinic.kernel.search.parameters import COMPARTMENTS
from polyclinic.testing.isolation.calls import FORM, Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.conditions import Pair, condition, filtered, whatever, words
from polyclinic.testing.isolation.defined import codes, known
from polyclinic.testing.isolation.population import ABSENT, ASKER, MINE, THEIRS, moments
from polyclinic.testing.isolation.walks import along, chain, has

Pairs = list[Pair]
"""Names and values of a query, not encoded yet."""

LINK: Final = "{link:%s}"
"""Stands for a page link that somebody else was given in that world."""
_COUNTS: Final = ("1", "1", "2", "3", "0", "19", "1000")
_MOMENTS: Final = tuple(one.isoformat().replace("+00:00", "Z") for one in moments())
_CONTROLS: Final[tuple[tuple[str, Sequence[str]], ...]] = (
    ("_total", ("estimate", "none", "some")),
    ("_count", ("-1", "many")),
    ("_summary", ("count", "true", "data", "text", "false")),
    ("_elements", ("id", "identifier,status")),
    ("_pretty", ("true",)),
    ("_format", ("json", "xml")),
    ("_contained", ("both", "true")),
    ("_containedType", ("container", "contained")),
    ("_explain", ("true",)),
    ("_asOf", _MOMENTS),
    ("_score", ("true",)),
    ("_query", ("everything",)),
    ("_type", ("Observation,Patient",)),
)
_ORDERED: Final = frozenset({"date", "string", "number", "quantity"})


def search(chance: Chance, resource_type: str, code: str | None = None) -> Call:
    """Return a search of a type, by a parameter or by whatever the chance gives."""
    return _sent(chance, f"/fhir/{resource_type}", _asked(chance, resource_type, code))


def rarer(chance: Chance, resource_type: str) -> Call:
    """Return a search by a chain, a reverse chain, words, a list or an expression."""
    query = [_rarer(chance, resource_type), *controls(chance, resource_type)]
    return _sent(chance, f"/fhir/{resource_type}", query)


def linked(chance: Chance, resource_type: str) -> Call:
    """Return a search that goes on where somebody else's page ended."""
    query = [("_count", "1"), ("_after", LINK % resource_type)]
    return _sent(chance, f"/fhir/{resource_type}", query)


def then(chance: Chance, resource_type: str) -> Call:
    """Return a search at a moment: of a type or several, of a compartment, along references."""
    bases = [f"/fhir/{resource_type}", f"/fhir/{_owner(chance)}/{resource_type}"]
    if not chance.avoids:
        # Whoever sees others' of some types is not asked for all that there is.
        bases += [f"/fhir?_type={resource_type}", f"/fhir/{_owner(chance)}/*"]
    path, _, types = chance.choice((bases[0], *bases)).partition("?_type=")
    query: Pairs = [("_asOf", chance.choice(_MOMENTS))]
    if types:
        query.append(("_type", f"{types},Patient"))
    if path == f"/fhir/{resource_type}" and chance.happens(0.6):
        make = chance.choice((chain, has, whatever))
        query.append(make(chance, resource_type))
    if chance.happens(0.5):
        query.append(("_total", "accurate"))
    if chance.happens(0.3):
        query.append(("_count", chance.choice(("0", "1", "1000"))))
    return _sent(chance, path, query)


def of_system(chance: Chance, resource_type: str) -> Call:
    """Return a search of several types, or of all."""
    types = chance.choice(("", resource_type, f"{resource_type},Patient", "Patient,Observation"))
    query = _asked(chance, resource_type, _common(chance)) + ([("_type", types)] if types else [])
    return _sent(chance, "/fhir", query)


def of_compartment(chance: Chance, resource_type: str) -> Call:
    """Return a search of a type within a compartment of somebody's."""
    query = _asked(chance, resource_type, None)
    return _sent(chance, f"/fhir/{_owner(chance)}/{resource_type}", query)


def of_whole_compartment(chance: Chance, resource_type: str) -> Call:
    """Return a search of all that is in a compartment of somebody's."""
    query = _asked(chance, resource_type, _common(chance))
    if chance.happens(0.3):
        query.append(("_type", f"{resource_type},Observation"))
    return _sent(chance, f"/fhir/{_owner(chance)}/*", query)


def _owner(chance: Chance) -> str:
    kind = chance.choice(("Patient", "Patient", "Patient", *COMPARTMENTS))
    mine = ASKER if kind == "Patient" else MINE[0]
    return f"{kind}/{chance.choice((*THEIRS, mine, mine, ABSENT))}"


def _common(chance: Chance) -> str:
    return chance.choice(("_id", "_lastUpdated", "_tag", "_security", "_profile", "_source"))


def _asked(chance: Chance, resource_type: str, code: str | None) -> Pairs:
    """Return conditions, one of them on a parameter where one is given, and controls."""
    query: Pairs = []
    if code is not None:
        query.append(condition(chance, resource_type, code))
    while chance.happens(0.15):
        query.append(whatever(chance, resource_type))
    if chance.happens(0.15):
        query.append(_rarer(chance, resource_type))
    query += controls(chance, resource_type)
    chance.shuffle(query)
    return query


def _rarer(chance: Chance, resource_type: str) -> Pair:
    """Return a condition that goes beyond one parameter of one resource."""
    make = chance.choice(("chain", "chain", "has", "has", "filter", "words", "list"))
    match make:
        case "chain":
            return chain(chance, resource_type)
        case "has":
            return has(chance, resource_type)
        case "filter":
            return filtered(chance, resource_type)
        case "words":
            return words(chance)
        case _:
            return "_list", chance.choice((*THEIRS, *MINE, ABSENT, "s-1"))


def controls(chance: Chance, resource_type: str) -> Pairs:
    """Return what shapes the answer: totals, order, size, what comes along."""
    query: Pairs = []
    if chance.happens(0.4):
        query.append(("_total", "accurate"))
    if chance.happens(0.35):
        query.append(("_count", chance.choice(_COUNTS)))
    if chance.happens(0.1):
        name, options = chance.choice(_CONTROLS)
        # Whoever may know how a search was run learns what was looked at, and how long it took.
        if name != "_explain" or not chance.avoids:
            query.append((name, chance.choice(options)))
    if chance.happens(0.25):
        keys = [_order(chance, resource_type) for _ in range(chance.choice((1, 1, 2, 3)))]
        query.append(("_sort", ",".join(keys)))
    if chance.happens(0.12):
        query += along(chance, resource_type)
    return query


def _order(chance: Chance, resource_type: str) -> str:
    params, asked = known(resource_type), codes(chance, resource_type)
    ordered = [one for one in asked if params[one].type in _ORDERED and params[one].paths]
    keys = asked if chance.happens(0.1) else [*ordered, "_lastUpdated", "_id"]
    return chance.choice(("", "-")) + chance.choice(keys)


def _sent(chance: Chance, base: str, query: Pairs) -> Call:
    """Return a query as GET, as HEAD or as POST, its values more or less percent-encoded."""
    encode = chance.choice((_encoded, _encoded, _all_encoded))
    headers = (("prefer", "handling=strict"),) if chance.happens(0.1) else ()
    if chance.happens(0.25):
        cut = chance.randint(0, len(query))
        body = encode(query[cut:]).encode()
        address = f"{base}/_search" + (f"?{encode(query[:cut])}" if cut else "")
        return Call("POST", address, (("content-type", FORM), *headers), body)
    method = "HEAD" if chance.happens(0.05) else "GET"
    return Call(method, f"{base}?{encode(query)}" if query else base, headers)


def _encoded(query: Pairs) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query)


def _quoted(text: str) -> str:
    # A page link of the world is put in later, encoded already.
    return text if text.startswith("{link:") else quote(text, safe=":/|,")


def _all_encoded(query: Pairs) -> str:
    """Percent-encode every character, letters too: an address means the same then."""
    return "&".join(
        f"{name}={value}"
        if value.startswith("{link:")
        else f"{quote(name, safe=':')}={''.join(f'%{byte:02X}' for byte in value.encode())}"
        for name, value in query
    )
