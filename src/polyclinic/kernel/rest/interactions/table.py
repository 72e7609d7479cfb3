"""Which interactions there are, as data: dispatch, capabilities and isolation tests read it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from polyclinic.kernel.errors import NotAllowed, NotFound
from polyclinic.kernel.rest.interactions import changes, conditional
from polyclinic.kernel.rest.interactions.create import create
from polyclinic.kernel.rest.interactions.delete import delete
from polyclinic.kernel.rest.interactions.diff import DEFINITION as DIFF
from polyclinic.kernel.rest.interactions.diff import diff
from polyclinic.kernel.rest.interactions.history import history
from polyclinic.kernel.rest.interactions.patch import patch
from polyclinic.kernel.rest.interactions.read import read
from polyclinic.kernel.rest.interactions.search import search
from polyclinic.kernel.rest.interactions.simulate import DEFINITION as SIMULATE
from polyclinic.kernel.rest.interactions.simulate import simulate
from polyclinic.kernel.rest.interactions.transaction import Router, transaction
from polyclinic.kernel.rest.interactions.undo import DEFINITION as UNDO
from polyclinic.kernel.rest.interactions.undo import undo
from polyclinic.kernel.rest.interactions.update import update
from polyclinic.kernel.rest.interactions.vread import vread
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_accept
from polyclinic.kernel.rest.rehearse import is_preferred, rehearse
from polyclinic.kernel.search.parameters import COMPARTMENTS
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import RESOURCE_TYPES, is_id

Level = Literal["instance", "type", "system", "compartment"]
Shape = tuple[str, ...]
"""A path: ``compartment``, ``type``, ``id`` and ``vid`` stand for a value, others for themselves.

An operation's name ends its path: ``("$x",)``, ``("type", "$x")`` or ``("type", "id", "$x")``.
"""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction."""

    code: str
    """A code of http://hl7.org/fhir/restful-interaction."""
    method: str
    shape: Shape
    run: Callable[[Store, Request], Awaitable[Answer]]
    definition: str | None = None
    """The canonical URL of the OperationDefinition, of an operation."""
    check_accept: Callable[[Request], None] = check_accept
    """Raises ``NotAcceptable`` when the client takes nothing of what it answers with."""

    @property
    def level(self) -> Level:
        """Return what it acts on."""
        if self.shape[:1] == ("compartment",):
            return "compartment"
        if "id" in self.shape:
            return "instance"
        return "type" if "type" in self.shape else "system"

    @property
    def writes(self) -> bool:
        """Say whether it may change anything."""
        return self.method != "GET" and not self.code.startswith("search")


class Table:
    """Interactions, found by path and method."""

    def __init__(self, interactions: Sequence[Interaction]) -> None:
        self._by_shape: dict[Shape, dict[str, Interaction]] = {}
        for one in interactions:
            self._by_shape.setdefault(one.shape, {})[one.method] = one
        operations = (word for one in interactions for word in one.shape if word[0] == "$")
        self._words = _WORDS.union(operations)

    def matching(self, path: Shape) -> dict[str, Interaction] | None:
        """Return the interactions of a path by method, or None where there is nothing."""
        if path and path[-1][:1] == "$" and path[-1] not in self._words:
            return None
        if path[2:] and path[0] in COMPARTMENTS and (path[2] in _TYPES or path[2] == "*"):
            kind = "*" if path[2] == "*" else "type"
            return self._by_shape.get(("compartment", "id", kind, *path[3:]))
        if path and path[0] in _TYPES:
            words = tuple(
                word if word in self._words else _VALUES[at] for at, word in enumerate(path[1:4], 1)
            )
            return self._by_shape.get(("type", *words, *path[4:]))
        return self._by_shape.get(path)

    def find(self, request: Request) -> Interaction:
        """Return the interaction that a request asks for.

        Raise ``NotFound`` where there is nothing and ``NotAllowed`` for a method that does not fit.
        """
        path = request.path
        interactions = self.matching(path)
        if interactions is None:
            raise NotFound(_no_such(path))
        if len(path) > 1 and path[1] not in self._words and not is_id(path[1]):
            raise NotFound
        interaction = interactions.get(request.method)
        if interaction is None:
            raise NotAllowed(tuple(sorted(interactions)))
        return interaction


async def dispatch(store: Store, request: Request) -> Answer:
    """Run the interaction that a request asks for. Raise what ``Table.find`` raises."""
    interaction = _TABLE.find(request)
    interaction.check_accept(request)
    if (
        b"prefer" in request.headers
        and interaction.writes
        and not store.is_rehearsal
        and is_preferred(request)
    ):
        return await rehearse(store, request, interaction.code, interaction.run)
    return await interaction.run(store, request)


async def _transaction(store: Store, request: Request) -> Answer:
    router = Router(lambda asked: _TABLE.find(asked).code, dispatch)
    return await transaction(store, request, router)


INTERACTIONS: Final = (
    Interaction("read", "GET", ("type", "id"), read),
    Interaction("vread", "GET", ("type", "id", "_history", "vid"), vread),
    Interaction("update", "PUT", ("type", "id"), update),
    Interaction("patch", "PATCH", ("type", "id"), patch),
    Interaction("delete", "DELETE", ("type", "id"), delete),
    Interaction("history-instance", "GET", ("type", "id", "_history"), history),
    Interaction("history-type", "GET", ("type", "_history"), history),
    Interaction("create", "POST", ("type",), create),
    Interaction("update", "PUT", ("type",), conditional.update),
    Interaction("patch", "PATCH", ("type",), conditional.patch),
    Interaction("delete", "DELETE", ("type",), conditional.delete),
    Interaction("search-type", "GET", ("type",), search),
    Interaction("search-type", "POST", ("type", "_search"), search),
    Interaction("search-type", "GET", ("compartment", "id", "type"), search),
    Interaction("search-type", "POST", ("compartment", "id", "type", "_search"), search),
    Interaction("search-system", "GET", ("compartment", "id", "*"), search),
    Interaction("search-system", "POST", ("compartment", "id", "*", "_search"), search),
    Interaction("search-system", "GET", (), search),
    Interaction("search-system", "POST", ("_search",), search),
    Interaction("history-system", "GET", ("_history",), history),
    Interaction("transaction", "POST", (), _transaction),
    Interaction("operation", "GET", ("$simulate",), simulate, SIMULATE),
    Interaction("operation", "GET", ("$diff",), diff, DIFF),
    Interaction("operation", "GET", ("type", "$diff"), diff, DIFF),
    Interaction("operation", "GET", ("type", "id", "$diff"), diff, DIFF),
    Interaction("operation", "POST", ("$undo",), undo, UNDO),
    Interaction(
        "operation",
        "GET",
        ("$changes",),
        changes.changes,
        changes.DEFINITION,
        changes.check_accept,
    ),
)

_WORDS: Final = frozenset({"_history", "_search"})
_VALUES: Final = ("type", "id", "", "vid")
_TYPES: Final = frozenset(RESOURCE_TYPES)
_TABLE: Final = Table(INTERACTIONS)


def _no_such(path: Shape) -> str:
    if path and path[-1].startswith("$"):
        return f"The operation {path[-1][:64]} is not supported here."
    if path and path[0] not in _TYPES:
        return f"{path[0][:64]} is not a resource type of R4."
    return "There is nothing at this address."
