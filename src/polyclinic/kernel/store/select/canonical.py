"""References by canonical URL as conditions: two edges that meet at one canonical.

One leads from what refers, the other from the definition that answers. Of several definitions that
answer to one canonical the one that was stored last is meant, among those that may be searched.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from polyclinic.kernel.search.predicate import AllOf, CanonicalIs, Predicate
from polyclinic.kernel.store.numbers import answer_numbers, edge_number
from polyclinic.kernel.store.select.statement import Among, Statement

Matching: TypeAlias = Callable[[Predicate, Statement], str]
"""Makes the condition of what matches within reach, of ``k`` and ``r``."""


def refers(leaf: CanonicalIs, statement: Statement) -> str:
    """Return what holds for what refers by one of some canonicals."""
    edges = sorted({edge_number(name, leaf.param.code) for name in statement.types})
    names = statement.argument(statement.keys.canonicals(leaf.names), "bigint[]")
    return Among.of(
        f"select e.src from edge e where e.dst = any({names})"  # noqa: S608 - numbers
        f" and e.param = any({statement.argument(edges, 'int[]')})"
    )


def naming(edges: Sequence[int], where: Predicate, far: Statement, matching: Matching) -> str:
    """Return the rids of what refers to a definition that matches."""
    numbers = far.argument(list(edges), "int[]")
    return (
        f"select e.src from ({answering(where, far, matching)}) t join edge e on e.dst = t.dst"  # noqa: S608
        f" and e.param = any({numbers})"
    )


def answering(where: Predicate, far: Statement, matching: Matching) -> str:
    """Return the canonicals (``dst``) that name a definition that matches."""
    return (
        "select t.dst from (select a.param, a.dst, r.rid, r.last_updated from edge a"  # noqa: S608
        " join keys k on k.rid = a.src join resource r on r.rid = k.rid"
        f" where a.param = any({_answers(far)}) and {matching(where, far)}) t"
        f" where {latest('t', far, matching)}"
    )


def named(
    edge: int, where: Predicate, ends: tuple[Statement, Statement], matching: Matching
) -> str:
    """Return the rids of definitions that something that matches refers to.

    ``ends`` are about the definitions' types, and about what refers to them.
    """
    near, far = ends
    number = far.argument(edge, "int")
    return (
        "select t.rid from (select a.param, a.dst, d.rid, d.last_updated from edge e"  # noqa: S608
        " join keys k on k.rid = e.src join resource r on r.rid = k.rid"
        f" join edge a on a.dst = e.dst and a.param = any({_answers(near)})"
        " join resource d on d.rid = a.src"
        f" where e.param = {number} and {matching(where, far)}) t"
        f" where {latest('t', near, matching)}"
    )


def latest(alias: str, about: Statement, matching: Matching) -> str:
    """Return what holds where nothing that was stored later answers to the same canonical.

    ``alias`` has ``param`` and ``dst`` of a definition's edge, its ``rid`` and ``last_updated``.
    """
    return (
        "not exists (select from edge a join keys k on k.rid = a.src"
        f" join resource r on r.rid = k.rid where a.param = {alias}.param and a.dst = {alias}.dst"
        f" and (r.last_updated, r.rid) > ({alias}.last_updated, {alias}.rid)"
        f" and {matching(AllOf(()), about)})"
    )


def _answers(about: Statement) -> str:
    numbers = sorted({number for name in about.types for number in answer_numbers(name)})
    return about.argument(numbers, "int[]")
