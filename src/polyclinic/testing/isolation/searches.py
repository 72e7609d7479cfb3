"""Searches in every form in which somebody might ask for what is not theirs."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from polyclinic.kernel.search.parameters import COMPARTMENTS, SearchParameter, parameters
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.calls import FORM, HOST, Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.population import ABSENT, ASKER, MINE, THEIRS
from polyclinic.testing.isolation.values import values

Pairs = list[tuple[str, str]]
"""Names and values of a query, not encoded yet."""

LINK: Final = "{link:%s}"
"""Stands for a page link that somebody else was given in that world."""
_PREFIXES: Final = ("", "", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_COUNTS: Final = ("1", "1", "2", "3", "0", "19", "1000")
_CONTROLS: Final[tuple[tuple[str, Sequence[str]], ...]] = (
    ("_total", ("estimate", "none", "some")),
    ("_count", ("-1", "many")),
    ("_summary", ("count", "true", "data", "text", "false")),
    ("_elements", ("id", "identifier,status")),
    ("_pretty", ("true",)),
    ("_format", ("json", "xml")),
    ("_contained", ("both",)),
    ("_score", ("true",)),
    ("_list", ("b-left", "a-1")),
    ("_filter", ('_id eq "b-left"', '_lastUpdated gt "2026-01-01" or _id eq "b-both"')),
    ("_text", ("birch", "cedar or alder")),
    ("_content", ("birch", "cedar")),
    ("_query", ("everything",)),
    ("_type", ("Observation,Patient",)),
)
_ORDERED: Final = frozenset({"date", "string", "number", "quantity"})
_KIND: Final = "Patient"


def search(chance: Chance, resource_type: str, code: str | None = None) -> Call:
    """Return a search of a type, by a parameter or by whatever the chance gives."""
    return _sent(chance, f"/fhir/{resource_type}", _asked(chance, resource_type, code))


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
        query.append(condition(chance, resource_type, chance.choice(_codes(resource_type))))
    query += controls(chance, resource_type)
    chance.shuffle(query)
    return query


def condition(chance: Chance, resource_type: str, code: str) -> tuple[str, str]:
    """Return the name and value of one condition on a parameter."""
    param = parameters(resource_type)[code]
    known = values(resource_type).get(code, ["b-left"])
    if chance.happens(0.08):
        return f"{code}:missing", chance.choice(("true", "false"))
    texts = [_written(chance, param, chance.choice(known)) for _ in range(chance.choice((1, 1, 3)))]
    return code + _modifier(chance, param), ",".join(texts)


def controls(chance: Chance, resource_type: str) -> Pairs:
    """Return what shapes the answer: totals, order, size, includes, page links."""
    if chance.happens(0.03):
        # Nothing else may stand beside a page link that belongs to another search.
        return [("_count", "1"), ("_after", LINK % resource_type)]
    query: Pairs = []
    if chance.happens(0.4):
        query.append(("_total", "accurate"))
    if chance.happens(0.35):
        query.append(("_count", chance.choice(_COUNTS)))
    if chance.happens(0.1):
        name, options = chance.choice(_CONTROLS)
        query.append((name, chance.choice(options)))
    if chance.happens(0.25):
        query.append(("_sort", chance.choice(("", "-")) + _order(chance, resource_type)))
    if chance.happens(0.08):
        query.append(_beyond(chance, resource_type))
    return query


def _order(chance: Chance, resource_type: str) -> str:
    known = parameters(resource_type)
    if chance.happens(0.1):
        return chance.choice(list(known))
    ordered = [code for code, param in known.items() if param.type in _ORDERED and param.paths]
    return chance.choice([*ordered, "_lastUpdated"])


def _codes(resource_type: str) -> list[str]:
    return list(parameters(resource_type))


def _written(chance: Chance, param: SearchParameter, text: str) -> str:
    """Return a value in one of the forms of its type."""
    forms = _FORMS.get(param.type)
    return chance.choice(forms)(chance, text) if forms else text


def _modifier(chance: Chance, param: SearchParameter) -> str:
    if chance.happens(0.85):
        return ""
    return chance.choice(_MODIFIERS.get(param.type, ("",)))


def _beyond(chance: Chance, resource_type: str) -> tuple[str, str]:
    """Return a condition on, or a request for, what is connected with the resource."""
    codes = [code for code, one in parameters(resource_type).items() if one.type == "reference"]
    code = chance.choice(codes) if codes else "subject"
    other = chance.choice(("Observation", "Encounter", "Provenance", chance.choice(RESOURCE_TYPES)))
    family = chance.choice(("Birch", "Cedar", "Alder"))
    return chance.choice(
        (
            (f"{code}:{_KIND}.family", family),
            (f"{code}.identifier", f"number-{family.lower()}"),
            (f"_has:{other}:patient:code", f"code-{family.lower()}"),
            (f"_has:{other}:subject:_has:Provenance:target:agent", "b-left"),
            ("_include", f"{resource_type}:{code}"),
            ("_include:iterate", "*"),
            ("_revinclude", f"{other}:patient"),
            ("_revinclude", "Provenance:target"),
        )
    )


def _swapped(_: Chance, text: str) -> str:
    return text.swapcase()


def _plain(_: Chance, text: str) -> str:
    return text


def _prefixed(chance: Chance, text: str) -> str:
    return chance.choice(_PREFIXES) + text


def _begun(chance: Chance, text: str) -> str:
    return text[: chance.randint(1, len(text))]


def _code_only(_: Chance, text: str) -> str:
    return text.rpartition("|")[2]


def _system_only(_: Chance, text: str) -> str:
    return f"{text.partition('|')[0]}|"


def _somebody(chance: Chance, _: str) -> str:
    return f"{_KIND}/{chance.choice((*THEIRS, ASKER, ABSENT))}"


def _id_only(_: Chance, text: str) -> str:
    return text.rpartition("/")[2]


def _absolute(chance: Chance, text: str) -> str:
    base = chance.choice((f"http://{HOST}/fhir/", f"http://{HOST.upper()}/fhir/", "http://x.test/"))
    return base + (text if "/" in text else f"{_KIND}/{text}")


def _versioned(chance: Chance, text: str) -> str:
    return f"{text}/_history/{chance.choice((1, 2, 9))}"


_FORMS: Final[dict[str, Sequence[Callable[[Chance, str], str]]]] = {
    "token": (_plain, _plain, _plain, _code_only, _system_only, _swapped),
    "reference": (
        _plain,
        _plain,
        _somebody,
        _somebody,
        _id_only,
        _absolute,
        _versioned,
        _swapped,
        lambda chance, text: _versioned(chance, _absolute(chance, text)),
    ),
    "string": (_plain, _begun, _swapped),
    "date": (_prefixed, lambda chance, text: _prefixed(chance, text[:4])),
    "number": (_prefixed,),
    "quantity": (_prefixed, lambda chance, text: _prefixed(chance, text.partition("|")[0])),
    "uri": (_plain, _begun),
}
_MODIFIERS: Final[dict[str, Sequence[str]]] = {
    "token": (":not", ":text", ":in", ":not-in", ":below", ":above", ":of-type"),
    "reference": (":Patient", ":Patient", ":identifier", ":Encounter", ":not", ":below", ":text"),
    "string": (":exact", ":contains", ":text"),
    "uri": (":below", ":above"),
    "date": (":missing", ":not"),
}


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
