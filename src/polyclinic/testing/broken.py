"""Searches that are nearly right: a valid one in which something was changed.

What a reader of queries may meet: names and values that are cut, doubled, mixed up, too long, or
made of characters that mean something to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.searches import (
    of_compartment,
    of_system,
    of_whole_compartment,
    search,
)

_MEANINGFUL: Final = "|,$\\:.*/()[]'\"%&=+-_;#?@ \t"
_ODD: Final = (
    *("%00", "%FF", "%C3%28", "%ED%A0%80", "%F0%9F%98%80", "%E2%80%AE", "%0A", "%", "%2", "%zz"),
    *("e308", "1e-400", "-0", "NaN", "9" * 30, "0." + "0" * 40 + "1", "0000-13-45", "2026-02-30"),
    *("9999-12-31T23:59:60Z", "2026-01-01T00:00:00+99:00", "true", "null", "{}", "İ", "ß", "ﬁ"),
    *("\\", "\\\\", "\\,", "$$", "||", "|||", "::", "..", "((", "))", "''", "'; --", "_has:", "*"),
)
_NAMES: Final = (
    *("_id", "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude"),
    *("_include:iterate", "_contained", "_containedType", "_explain", "_asOf", "_after", "_type"),
    *("_list", "_text", "_content", "_filter", "_query", "_format", "_pretty", "_source"),
    *("near", "_has", "_has:", "_has:Observation", "_has:Observation:patient", ":missing", "."),
)
_DEEP: Final = 40


def nearly(chance: Chance) -> Call:
    """Return a search, right as often as broken in up to three ways."""
    resource_type = chance.choice(RESOURCE_TYPES)
    call = chance.choice(_MAKERS)(chance, resource_type)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        if call.body:
            call = replace(call, body=_changed(chance, call.body.decode("latin-1")).encode())
        else:
            path, _, query = call.target.partition("?")
            call = call.to(f"{path}?{_changed(chance, query)}")
    return call


def _of_type(chance: Chance, resource_type: str) -> Call:
    return search(chance, resource_type, chance.choice(list(parameters(resource_type))))


_MAKERS: Final[Sequence[Callable[[Chance, str], Call]]] = (
    *(_of_type, _of_type, _of_type, of_system, of_compartment, of_whole_compartment),
)


def _changed(chance: Chance, text: str) -> str:
    # An address is bytes; whatever is no ASCII comes as it would from a careless client.
    change: Callable[[Chance, str], str] = chance.choice(_CHANGES)
    changed = change(chance, text)
    return changed.encode().decode("latin-1")


def _cut(chance: Chance, text: str) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + text[at + chance.randint(1, 5) :]


def _put(chance: Chance, text: str) -> str:
    at = chance.randint(0, len(text))
    piece: str = chance.choice((*_MEANINGFUL, *_ODD))
    return text[:at] + piece + text[at:]


def _doubled(chance: Chance, text: str) -> str:
    start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
    return text[:end] + text[start:end] * chance.choice((1, 1, 2, 30)) + text[end:]


def _mixed(chance: Chance, text: str) -> str:
    pairs = [part.partition("=") for part in text.split("&")]
    values = [value for _, _, value in pairs]
    chance.shuffle(values)
    return "&".join(f"{name}={value}" for (name, _, _), value in zip(pairs, values, strict=True))


def _named(chance: Chance, text: str) -> str:
    """Add a parameter whose name or value is put together of parts of names."""
    known = list(parameters(chance.choice(RESOURCE_TYPES)))
    parts = [chance.choice((*known, *_NAMES, *RESOURCE_TYPES)) for _ in range(chance.randint(1, 4))]
    name = chance.choice((".", ":", "", "$")).join(parts)
    return f"{text}&{name}={chance.choice((*_ODD, *known, *RESOURCE_TYPES))}"


def _deep(chance: Chance, text: str) -> str:
    """Add something that is nested further than anybody needs."""
    depth = chance.randint(1, _DEEP)
    return text + chance.choice(
        (
            f"&_has:Observation:patient:{'_has:Provenance:target:' * depth}agent=a",
            f"&{'subject:Patient.link:Patient.' * depth}name=a",
            f"&_filter={'(' * depth}_id%20eq%20a{')' * depth}",
            f"&_text={'(' * depth}a{' OR b)' * depth}",
            f"&_id={',a' * depth * 20}",
            f"&_include:iterate=*{'&_revinclude:iterate=*' * depth}",
            f"&_sort={',-_id' * depth}",
        )
    )


_CHANGES: Final[Sequence[Callable[[Chance, str], str]]] = (
    *(_cut, _cut, _put, _put, _put, _doubled, _mixed, _named, _named, _deep),
)
