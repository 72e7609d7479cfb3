"""One evaluation: what the expression stands on, what it may ask, what it may still cost.

http://hl7.org/fhirpath/N1/#environment-variables, https://hl7.org/fhir/R4/fhirpath.html#vars
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from polyclinic.base.clock import Clock, SystemClock
from polyclinic.kernel.fhirpath.errors import EvaluationError, LimitExceeded
from polyclinic.kernel.fhirpath.limits import SLICE, Limits
from polyclinic.kernel.fhirpath.model import is_fhir_type
from polyclinic.kernel.fhirpath.node import EMPTY, Collection, Node, string

_PROFILE: Final = "http://hl7.org/fhir/StructureDefinition/"
_CONSTANTS: Final = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
_CHARACTERS_OF_A_STEP: Final = 100
"""With the limit on steps it bounds what all strings of an evaluation take together."""
RESERVED: Final = frozenset({"context", "resource", "rootResource", *_CONSTANTS})
"""The variables that every evaluation has."""
_PREFIXES: Final = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": _PROFILE}


class Profiles(Protocol):
    """What knows whether a resource conforms to a profile."""

    def conforms(self, node: Node, url: str) -> bool | None:
        """Return whether it does, or None for a profile that is not known."""


class Terminology(Protocol):
    """What knows the members of value sets."""

    def member_of(self, node: Node, value_set: str) -> bool | None:
        """Return whether a code, Coding or CodeableConcept is one; None when it is not known."""


class BaseProfiles:
    """The profiles that R4's own resource types are."""

    def conforms(self, node: Node, url: str) -> bool | None:
        """Return whether the node is of the type that the URL names."""
        name = url.removeprefix(_PROFILE)
        if name == url or not is_fhir_type(name):
            return None
        return any(one.name == name for one in node.type.ancestors)


class NoTerminology:
    """No value set is known."""

    def member_of(self, node: Node, value_set: str) -> bool | None:  # noqa: ARG002 - it is the protocol's
        """Return that it is not known."""
        return None


Resolve = Callable[[str], Any]
"""Returns the resource that a literal reference or canonical names, as a Struct, a dict or a Node.

None when there is none.
"""


def resolve_nothing(reference: str) -> Any:  # noqa: ARG001 - it is the protocol's
    """Find no resource beyond the one at hand."""
    return None


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may ask of its surroundings."""

    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    resolve: Resolve = resolve_nothing
    """Asked for what is neither contained nor in the same Bundle."""
    profiles: Profiles = field(default_factory=BaseProfiles)
    terminology: Terminology = field(default_factory=NoTerminology)
    trace: Callable[[str, Collection], None] | None = None
    """Told what ``trace()`` is told."""


class Run(msgspec.Struct):
    """The state of one evaluation."""

    this: Collection
    """``$this``, and what a path begins with."""
    root: Collection
    """The resource that the evaluation is about."""
    environment: Environment
    limits: Limits
    context: Collection
    """What the evaluation began with: ``%context``."""
    index: int | None = None
    total: Collection = EMPTY
    variables: dict[str, Collection] | None = None
    """What was defined by name."""
    budget: int = SLICE
    """Steps until the limits are looked at; whoever takes steps subtracts them."""
    spent: int = 0
    """Steps that were granted before."""
    deadline: float = 0.0
    moment: datetime | None = None
    kept: dict["Evaluator", Collection] = {}
    """What parts of the expression gave that always give the same."""
    keys: dict[int, set[Hashable] | None] = {}
    """By the identity of what is kept, the keys of its elements once somebody asked."""

    def keep(self, part: "Evaluator", found: Collection) -> Collection:
        """Keep what a part gave, unless that is too much."""
        if sum(map(len, self.kept.values())) + len(found) <= self.limits.items:
            self.kept[part] = found
            self.keys[id(found)] = None
        return found

    def renew(self) -> None:
        """Grant the next steps when the budget is used up.

        Raise LimitExceeded when no steps or no time are left.
        """
        now = time.monotonic()
        if not self.deadline:  # short evaluations never ask for the time
            self.deadline = now + self.limits.seconds
        if now > self.deadline:
            message = f"The expression takes longer than {self.limits.seconds} s; make it simpler."
            raise LimitExceeded(message)
        self.spent += SLICE - self.budget
        self.budget = SLICE
        if self.spent > self.limits.steps:
            message = f"The expression takes more than {self.limits.steps} steps; make it simpler."
            raise LimitExceeded(message)

    def spend(self, steps: int) -> None:
        """Take some steps; raise LimitExceeded when too few are left."""
        self.budget -= steps
        if self.budget < 0:
            self.renew()

    def bounded(self, items: Collection) -> Collection:
        """Return the collection; raise LimitExceeded when it is too large."""
        self.budget -= len(items)
        if self.budget < 0:
            self.renew()
        if len(items) > self.limits.items:
            message = f"A collection exceeds {self.limits.items} elements; choose fewer."
            raise LimitExceeded(message)
        return items

    def check_length(self, characters: int) -> None:
        """Raise LimitExceeded when a string of so many characters is too long."""
        if characters > self.limits.characters:
            message = f"A string exceeds {self.limits.characters} characters; make it shorter."
            raise LimitExceeded(message)
        self.spend(1 + characters // _CHARACTERS_OF_A_STEP)

    @property
    def now(self) -> datetime:
        """Return the moment of this evaluation, the same wherever it is asked for."""
        if self.moment is None:
            self.moment = self.environment.clock.now()
        return self.moment

    def variable(self, name: str) -> Collection:
        """Return the value of ``%name``; raise EvaluationError for a name that nothing has."""
        if self.variables is not None and name in self.variables:
            return self.variables[name]
        if name == "context":
            return self.context
        if name in {"resource", "rootResource"}:
            return self.root
        for prefix, base in _PREFIXES.items():
            if name.startswith(prefix):
                return string(base + name.removeprefix(prefix))
        if name in _CONSTANTS:
            return string(_CONSTANTS[name])
        message = f"There is no variable %{name}; define it."
        raise EvaluationError(message)


Evaluator: TypeAlias = Callable[[Run], Collection]
"""An expression that has been compiled."""
