"""What a principal may reach, as a condition: the same as ``Reach.allows``."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from polyclinic.kernel.store.reach import ROLE_OF, Part, Reach
from polyclinic.kernel.store.select.statement import Statement
from polyclinic.kernel.types import type_number


def reached(statement: Statement) -> str:
    """Return what holds for what may be reached of the types; empty where that is everything."""
    reaches = [statement.scope.reaches[name] for name in statement.types]
    if all(reach.whole for reach in reaches):
        return ""
    found = " or ".join(_group(group, statement) for group in _grouped(statement.types, reaches))
    condition = f"({found})" if found else "false"
    withheld = frozenset(chain.from_iterable(reach.withheld for reach in reaches))
    if withheld:
        condition += f" and not r.labels && {statement.argument(sorted(withheld), 'bigint[]')}"
    return condition


class _Group(NamedTuple):
    """Parts that limit several types in the same way."""

    types: list[str]
    parts: list[Part]
    reach: Reach


_Way = tuple[frozenset[int] | None, bool, bool, str]


def _grouped(types: Sequence[str], reaches: Sequence[Reach]) -> list[_Group]:
    groups: dict[_Way, _Group] = {}
    for number, (name, reach) in enumerate(zip(types, reaches, strict=True)):
        for order, part in enumerate(reach.parts):
            # Keys that are asked for are the type's own, and one extent asks for them together.
            own = f"{number}.{order}" if part.keys else ""
            way = (part.patients, part.nobody, part.care, own)
            group = groups.setdefault(way, _Group([], [], reach))
            group.types.append(name)
            group.parts.append(part)
    return list(groups.values())


def _group(group: _Group, statement: Statement) -> str:
    conditions = []
    if len(set(group.types)) != len(statement.types):
        numbers = sorted({type_number(name) for name in group.types})
        conditions.append(f"k.type = any({statement.argument(numbers, 'smallint[]')})")
    part = group.parts[0]
    if part.patients is not None:
        keys = [key for one in group.parts for key in one.compartments]
        conditions.append(f"k.keys && {statement.argument(keys, 'bigint[]')}")
        conditions.append(f"r.patients && {statement.argument(sorted(part.patients), 'bigint[]')}")
    if part.nobody:
        conditions.append("r.patients = '{}'")
    if part.care:
        conditions.append(_cared(group.reach, statement))
    wanted = (statement.argument(sorted(keys), "bigint[]") for keys in part.keys)
    conditions.extend(f"k.keys && {keys}" for keys in wanted)
    return " and ".join(conditions) or "true"


def _cared(reach: Reach, statement: Statement) -> str:
    practitioner = statement.argument(reach.practitioner, "bigint")
    now = statement.argument(reach.now, "bigint")
    role = statement.argument(ROLE_OF, "int")
    return (
        "exists (select from care_relation c where c.tenant = $1 and c.patient = any(r.patients)"  # noqa: S608
        f" and c.low <= {now} and c.high > {now} and c.practitioner = any({practitioner} || array("
        f"select e.src from edge e where e.dst = {practitioner} and e.param = {role})))"
    )
