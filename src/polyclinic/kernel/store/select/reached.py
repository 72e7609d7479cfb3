"""What a principal may reach, as a condition."""

from polyclinic.kernel.store.reach import ROLE_OF, Part, Reach
from polyclinic.kernel.store.select.statement import Statement, joined


def reached(reach: Reach, statement: Statement) -> str:
    """Return the same as ``Reach.allows``, with the compartments' keys for the index."""
    parts = joined(" or ", (_part(part, reach, statement) for part in reach.parts)) or "false"
    if not reach.withheld:
        return parts
    withheld = statement.argument(sorted(reach.withheld), "bigint[]")
    return f"{parts} and not r.labels && {withheld}"


def _part(part: Part, reach: Reach, statement: Statement) -> str:
    conditions = []
    if part.patients is not None:
        compartments = statement.argument(list(part.compartments), "bigint[]")
        conditions.append(f"k.keys && {compartments}")
        conditions.append(f"r.patients && {statement.argument(sorted(part.patients), 'bigint[]')}")
    if part.nobody:
        conditions.append("r.patients = '{}'")
    if part.care:
        conditions.append(_cared(reach, statement))
    wanted = (statement.argument(sorted(keys), "bigint[]") for keys in part.keys)
    conditions.extend(f"k.keys && {keys}" for keys in wanted)
    return joined(" and ", conditions) or "true"


def _cared(reach: Reach, statement: Statement) -> str:
    practitioner = statement.argument(reach.practitioner, "bigint")
    now = statement.argument(reach.now, "bigint")
    role = statement.argument(ROLE_OF, "int")
    return (
        "exists (select from care_relation c where c.tenant = $1 and c.patient = any(r.patients)"  # noqa: S608
        f" and c.low <= {now} and c.high > {now} and c.practitioner = any({practitioner} || array("
        f"select e.src from edge e where e.dst = {practitioner} and e.param = {role})))"
    )
