"""The tree of a query as the condition of a statement."""

from collections.abc import Iterable, Iterator
from typing import Literal

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.canonicals import by_id, by_url, led_to
from polyclinic.kernel.search.parameters import parameters
from polyclinic.kernel.search.predicate import (
    AllOf,
    AnyOf,
    DateIs,
    Has,
    IdIs,
    InCompartment,
    InList,
    Linked,
    Missing,
    Not,
    Predicate,
)
from polyclinic.kernel.store.numbers import edge_number
from polyclinic.kernel.store.select import leaves
from polyclinic.kernel.store.select.canonical import named, naming
from polyclinic.kernel.store.select.reached import reached
from polyclinic.kernel.store.select.statement import Among, Statement
from polyclinic.kernel.types import type_number


def matches(where: Predicate, statement: Statement, told: Literal["k", "r"] = "k") -> str:
    """Return what holds for each match: of the types, there, within reach, and what is asked.

    ``told`` is the row of which tenant and type are asked.
    """
    base = [f"{told}.tenant = $1 and {statement.of_types(told)} and not r.deleted"]
    if told == "r":
        base.append("r.version > 0")
    base += [reached(statement), all_of([where], statement)]
    return " and ".join(condition for condition in base if condition)


def all_of(parts: Iterable[Predicate], statement: Statement) -> str:
    """Put what is one key each into one array: the index intersects them."""
    hashed: list[int] = []
    conditions = []
    for part in flat(parts, AllOf):
        keys = keys_of(part, statement)
        if keys is not None and len(keys) == 1:
            hashed += keys
        else:
            conditions.append(condition_of(part, statement))
    if hashed:
        conditions.append(f"k.keys @> {statement.argument(hashed, 'bigint[]')}")
    return " and ".join(conditions)


def keys_of(part: Predicate, statement: Statement) -> list[int] | None:
    """Return the keys of which a match has one or more; None for what is not only hashed."""
    match part:
        case InCompartment(owner) if owner != "Patient" and owner in statement.types:
            return None
        case AnyOf(parts):
            each = [keys_of(one, statement) for one in parts]
            found = [keys for keys in each if keys is not None]
            return [key for keys in found for key in keys] if len(found) == len(each) else None
        case _:
            return statement.keys.of(part)


def flat(parts: Iterable[Predicate], of: type[AllOf] | type[AnyOf]) -> Iterator[Predicate]:
    """Yield parts, with those of nested lists of the same kind among them."""
    for part in parts:
        if isinstance(part, of) and isinstance(part, AllOf | AnyOf):
            yield from flat(part.parts, of)
        else:
            yield part


def condition_of(part: Predicate, statement: Statement) -> str:
    """Return what holds for a match of a part."""
    match part:
        case AllOf():
            return f"({all_of([part], statement) or 'true'})"
        case AnyOf(parts):
            return _any(parts, statement)
        case Not(part):
            return f"not {_bracketed(part, statement)}"
        case Linked() | Has() | InList():
            return elsewhere(part, statement)
        case InCompartment():
            return _compartment(part, statement)
        case _:
            return leaves.condition(part, statement)


def _bracketed(part: Predicate, statement: Statement) -> str:
    return f"({condition_of(part, statement)})"


def _compartment(part: InCompartment, statement: Statement) -> str:
    """Return what holds in a compartment, to which its owner belongs too.

    A Patient has the key of its own; the others are named.
    """
    keys = statement.argument(statement.keys.of(part), "bigint[]")
    owner = statement.argument(type_number(part.owner), "smallint")
    identity = statement.argument(part.id, "text")
    return Among.of(
        f"select k.rid from keys k where k.keys && {keys} union all select r.rid from resource r"  # noqa: S608
        f" where r.tenant = $1 and r.type = {owner} and r.id = {identity}"
    )


def _any(parts: Iterable[Predicate], statement: Statement) -> str:
    """Join an OR list so that indexes find what matches any of it.

    What is hashed is one array; where something else is among it that an index finds, all become
    one subselect of rids.
    """
    hashed: list[int] = []
    others: list[Predicate] = []
    for part in flat(parts, AnyOf):
        keys = keys_of(part, statement)
        if keys is None:
            others.append(part)
        else:
            hashed += keys
    found = f"k.keys && {statement.argument(hashed, 'bigint[]')}" if hashed else ""
    if not others:
        return found or "false"
    if not found and len(others) == 1:
        return condition_of(others[0], statement)
    if all(_is_found(part, statement) for part in others):
        arms = [f"select k.rid from keys k where {found}"] if found else []  # noqa: S608
        return Among.of(" union all ".join(arms + [_rids(part, statement) for part in others]))
    conditions = [found] if found else []
    conditions += [_bracketed(part, statement) for part in others]
    return f"({' or '.join(conditions)})"


def _is_found(part: Predicate, statement: Statement) -> bool:
    """Say whether an index finds what matches, so that not everything has to be looked at."""
    match part:
        case AllOf(parts):
            return any(_is_found(one, statement) for one in parts)
        case AnyOf(parts):
            return all(_is_found(one, statement) for one in parts)
        case Not() | DateIs(None) | Missing(_, missing=True):
            return False
        case _:
            return True


def _rids(part: Predicate, statement: Statement) -> str:
    condition = condition_of(part, statement)
    if isinstance(condition, Among):
        return condition.rids
    return (
        "select k.rid from keys k join resource r on r.rid = k.rid"  # noqa: S608
        f" where k.tenant = $1 and {statement.of_types('k')} and {condition}"
    )


def elsewhere(part: Linked | Has | InList, statement: Statement) -> str:
    """Return what holds for what refers to, or is referred to by, something that matches."""
    match part:
        case Linked():
            return _linked(part, statement)
        case Has():
            return _referred(part, statement)
        case InList(identity):
            if identity.startswith("$"):
                message = f"_list: the functional list {identity[:64]} is not kept here."
                raise BadRequest(message)
            item = parameters("List")["item"]
            return elsewhere(Has("List", item, IdIs((identity,))), statement)


def _linked(part: Linked, statement: Statement) -> str:
    """Return what holds for what refers to something that matches, by id or by canonical."""
    code, far = part.param.code, statement.about(part.target)
    # Of several types, one may refer by id and another by canonical under the same code.
    params = {
        edge_number(one, code): parameters(one).get(code, part.param) for one in statement.types
    }
    plain = sorted(number for number, param in params.items() if by_id(param) or not by_url(param))
    canonical = sorted(number for number, param in params.items() if by_url(param))
    arms = [_joined(("src", "dst"), plain, part.where, far)] if plain else []
    if canonical:
        arms.append(naming(canonical, part.where, far, matches))
    return Among.of(" union all ".join(arms))


def _referred(part: Has, statement: Statement) -> str:
    """Return what holds for what something that matches refers to, by id or by canonical."""
    param, edge = part.param, edge_number(part.source, part.param.code)
    far, arms = statement.about(part.source), list[str]()
    if by_id(param) or not by_url(param):
        arms.append(_joined(("dst", "src"), [edge], part.where, far))
    if by_url(param):
        meant = [name for name in statement.types if name in led_to(param)]
        arms.append(named(edge, part.where, (statement.about(*meant), far), matches))
    return Among.of(" union all ".join(arms))


def _joined(ends: tuple[str, str], edges: list[int], where: Predicate, far: Statement) -> str:
    """Return the rids of what is at one end of a reference where what is at the other matches.

    That counts only where the principal may search it, as if it had looked for it first.
    """
    near, other = ends
    numbers = far.argument(edges, "int[]")
    return (
        f"select e.{near} from edge e join keys k on k.rid = e.{other}"  # noqa: S608 - columns
        f" join resource r on r.rid = k.rid where e.param = any({numbers})"
        f" and {matches(where, far)}"
    )
