"""Whatever is sent, the answer is a query or a refusal that says why."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search import values
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import Query, StringIs, TokenIs, UriIs
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.search.query.filter_syntax import (
    Compared,
    Filter,
    Joined,
    Negated,
    Segment,
    parse_filter,
)
from polyclinic.kernel.search.query.results import CONTROLS

BASE = "https://clinic.example/fhir"
TYPES = ["Patient", "Observation", "Location", "ValueSet", "AuditEvent", "Provenance"]
PIECES = [
    *["_has", "_filter", "_list", "_text", "_id", "Patient", "Observation", "patient", "subject"],
    *["name", "code", "missing", "exact", "not", "in", "above", "of-type", "identifier", "iterate"],
    *[":", ".", "[", "]", "(", ")", '"', "\\", ",", "$", "|", " ", "-", "/", "*"],
    *["and", "or", "eq", "ge", "2020", "5.4", "true", "http://a/b", "near", "date", "organization"],
    *sorted(CONTROLS),
]
text = st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
names = st.one_of(
    text,
    st.sampled_from(sorted({*parameters("Observation"), *parameters("Patient"), *CONTROLS})),
)
KNOWN = [
    ("status", "final"),
    ("code", "a,b"),
    ("date", "ge2020"),
    ("subject.name", "x"),
    ("_id:not", "1"),
    ("_sort", "date"),
    ("_include", "*"),
    ("_count", "7"),
    ("_elements", "status"),
    ("nothing", "1"),
]


def understood(*pairs: tuple[str, str], types: Any = "Observation") -> Query:
    return parse_query(types, pairs, BASE)[0]


def asked(pair: tuple[str, str], types: Any = "Observation") -> Any:
    return understood(pair, types=types).where.parts[0]


@given(
    types=st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3) | text,
    pairs=st.lists(st.tuples(names, text), max_size=4),
    strict=st.booleans(),
)
@example(types="Patient", pairs=[("_filter", "not")], strict=False)
@example(types="Patient", pairs=[("_filter", 'given eq "\\ud800"')], strict=False)
@example(types="Patient", pairs=[("name", "\ud800")], strict=False)
@example(types="Location", pairs=[("near", "9" * 400 + "|1")], strict=False)
def test_the_answer_is_a_query_or_a_refusal(types, pairs, strict):
    with suppress(BadRequest):
        query, ignored = parse_query(types, pairs, BASE, strict=strict)
        assert isinstance(query, Query)
        assert len(query.where.parts) == len(query.conditions)
        assert not (strict and ignored)


@given(st.permutations(KNOWN))
def test_the_order_of_parameters_does_not_matter(pairs):
    query = understood(*pairs)
    same = understood(*KNOWN)

    assert set(query.where.parts) == set(same.where.parts)
    assert (query.sort, query.includes, query.view) == (same.sort, same.includes, same.view)
    assert dict(zip(query.conditions, query.where.parts, strict=True)) == dict(
        zip(same.conditions, same.where.parts, strict=True)
    )


@given(st.lists(st.sampled_from(KNOWN), max_size=4), st.lists(st.sampled_from(KNOWN), max_size=4))
def test_more_parameters_are_more_conditions(some, others):
    both = understood(*some, *others).where.parts

    assert both == understood(*some).where.parts + understood(*others).where.parts


def escaped(value: str) -> str:
    for sign in "\\,|$":
        value = value.replace(sign, f"\\{sign}")
    return value


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_what_was_written_is_what_is_looked_for(system: str, code: str):
    token = asked(("code", f"{escaped(system)}|{escaped(code)}"))
    exact = asked(("family:exact", escaped(code)), types="Patient")
    uri = asked(("url", escaped(code)), types="ValueSet")

    assert token == TokenIs(parameters("Observation")["code"], system, code)
    assert exact == StringIs(parameters("Patient")["family"], "exact", code)
    assert uri == UriIs(parameters("ValueSet")["url"], code)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=6))
def test_alternatives_are_what_was_between_the_commas(codes):
    found = asked(("code", ",".join(escaped(code) for code in codes)))

    assert [leaf.code for leaf in found.parts] == codes


filter_names = st.sampled_from(["given", "a-b", "_id", "subject:Patient", "not", "and"])
tokens = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters='])"'), min_size=1
)
leaf = st.builds(
    Compared,
    st.tuples(filter_names.map(Segment)),
    st.sampled_from(["eq", "in", "re", "ap"]),
    tokens | st.text(),
)
filters = st.recursive(
    leaf,
    lambda inner: (
        st.builds(Negated, inner)
        | st.builds(
            Joined,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
        | st.builds(
            lambda where, end: Compared((Segment("x", where), *end.path), end.operator, end.value),
            inner,
            leaf,
        )
    ),
    max_leaves=6,
)


def written(found: Filter) -> str:
    """Write a filter with parentheses round everything that is joined."""
    match found:
        case Negated(part):
            return f"not ({written(part)})"
        case Joined(word, parts):
            return "(" + f" {word} ".join(written(part) for part in parts) + ")"
        case Compared(path, operator, value):
            names_ = ".".join(
                segment.name + (f"[{written(segment.where)}]" if segment.where else "")
                for segment in path
            )
            return f"{names_} {operator} {quoted(value)}"


def quoted(value: str) -> str:
    return json.dumps(value)


@given(filters)
def test_a_filter_is_read_as_it_was_written(found: Filter):
    assert shape(parse_filter(written(found))) == shape(found)


def shape(found: Filter) -> Any:
    """Return a tree in which what the same word joins stands side by side."""
    match found:
        case Negated(part):
            return ("not", shape(part))
        case Joined(word, parts):
            first = parts[0]
            if isinstance(first, Joined) and first.word == word:
                return shape(Joined(word, (*first.parts, *parts[1:])))
            return (word, *(shape(part) for part in parts))
        case Compared(path, operator, value):
            return (
                [(one.name, shape(one.where) if one.where else None) for one in path],
                operator,
                value,
            )


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_the_values_of_a_parameter_keep_their_number(parts):
    assert len(values.split_or(",".join(escaped(part) for part in parts))) == len(parts)
