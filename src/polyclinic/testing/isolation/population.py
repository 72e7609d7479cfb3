"""The people of the two worlds: one whose token asks, and others who differ between the worlds.

What is the asker's, and what is nobody's and everybody's to see, is the same in both. Of others
there are, in each type: a resource with other values, one that only the left world has, one that
only the right one has, one that is deleted on the left, one with more versions on the right, and
one that is only referred to, on the left. They are stored before, between and after the asker's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.search.parameters import compartment_parameters
from polyclinic.kernel.store import Change, Store
from polyclinic.kernel.types import RESOURCE_TYPES, from_json
from polyclinic.testing.clock import MORNING, FixedClock
from polyclinic.testing.isolation.defined import DEFINITIONS
from polyclinic.testing.isolation.samples import Json, Refer, sample

Side = Literal["left", "right"]
SIDES: Final[tuple[Side, Side]] = ("left", "right")

ASKER: Final = "a"
"""The id of the Patient whose token asks."""
MINE: Final = ("a-1", "a-link", "a-moved", "a-gone")
"""Ids of the asker's resources, in each type: two versions, references to others' resources,
first somebody else's, deleted."""
THEIRS: Final = ("b-both", "b-left", "b-right", "b-gone", "b-often", "b-named")
"""Ids of other people, and of their resources in each type."""
DOCTOR: Final = "dr-1"
"""The id of the Practitioner who cares for the asker and for nobody else."""
NOBODYS: Final = "s-1"
"""The id of what belongs to no patient, in each type."""
ABSENT: Final = "n-1"
"""An id that neither world has."""
WORDS: Final[dict[Side, str]] = {"left": "birch", "right": "cedar"}
"""The words of others' values."""
MY_WORD: Final = "alder"
NOBODYS_WORD: Final = "larch"
"""One by which definitions have the URL that canonicals of others on the left name."""
STORED: Final = tuple(name for name in RESOURCE_TYPES if name != "AuditEvent")
"""Types of which there is something: nobody writes an AuditEvent."""
_CROWD: Final = {"left": 3, "right": 26}
_CROWDED: Final = ("Observation", "Encounter", "Patient")
"""Types of which others have more on one side, more than a page."""
_LISTED: Final = ("Observation", "Encounter", "Provenance")
"""Types of which others' Lists have one of the asker's."""
_STEP: Final = timedelta(minutes=7)


@dataclass(frozen=True, slots=True)
class Stage:
    """What is written at one moment."""

    stored: Sequence[Json] = ()
    deleted: Sequence[tuple[str, str]] = ()


def stages(side: Side, shared: frozenset[str]) -> Iterator[Stage]:
    """Yield what a world is made of, in order.

    ``shared`` are the types of which the asker sees what belongs to no patient.
    """
    word = WORDS[side]
    theirs = [name for name in STORED if _is_theirs(name, shared)]
    yield Stage([*DEFINITIONS, _named_first()])
    yield Stage([sample(name, NOBODYS, NOBODYS_WORD, _nobodys) for name in STORED])
    first = [_their(name, one, word) for name in theirs for one in ("b-both", "b-gone", "b-often")]
    moved = [sample(name, "a-moved", word, of("b-both")) for name in theirs if name != "Patient"]
    yield Stage(first + moved)
    yield Stage(list(_mine(MY_WORD)))
    crowd = [
        sample(name, f"b-more-{number}", word, of("b-both"))
        for name in _CROWDED
        for number in range(_CROWD[side])
    ]
    yield Stage([_their(name, f"b-{side}", word) for name in theirs] + crowd)
    again = [one | {"language": "en"} for one in _mine(MY_WORD) if one["id"] != "a-link"]
    gone = [(name, "a-gone") for name in STORED if name != "Patient"]
    yield Stage([one for one in again if one["id"] != "a-gone"], gone)
    if side == "left":
        yield Stage(deleted=[(name, "b-gone") for name in theirs])
    else:
        yield Stage([_their(name, "b-often", "elder") for name in theirs])
        yield Stage([_their(name, "b-often", "fir") for name in theirs])


async def load(
    store: Store, principal: Principal, clock: FixedClock, made_of: Iterator[Stage]
) -> None:
    """Write a world into an empty store, one transaction a stage."""
    for number, stage in enumerate(made_of):
        clock.set(MORNING + number * _STEP)
        resources = [from_json(one) for one in stage.stored]
        changes = [Change(one.type, one.id, one) for one in resources]
        changes += [Change(name, identity, None) for name, identity in stage.deleted]
        await store.write_all(principal, changes)
    clock.set(MORNING + timedelta(days=1))


def moments() -> list[datetime]:
    """Return when something was written in either world."""
    return [MORNING + number * _STEP for number in range(9)]


def of(patient: str, others: str = "") -> Refer:
    """Return what makes references of a patient's resources.

    ``others`` is the id of whatever else they refer to; they refer to the patient's own by default.
    """
    other = others or ("a-1" if patient == ASKER else patient)

    def refer(targets: Sequence[str], is_own: bool) -> Json:  # noqa: FBT001 - the sampler's protocol
        if "Patient" in targets or not targets:
            return {"reference": f"Patient/{patient}"} if is_own else _to(targets, other)
        return _to(targets, other)

    return refer


def _to(targets: Sequence[str], identity: str) -> Json:
    kinds = [name for name in targets if name != "Patient"] or ["Organization"]
    return {"reference": f"{kinds[0]}/{identity}"}


def _nobodys(targets: Sequence[str], is_own: bool) -> Json:  # noqa: FBT001 - the sampler's protocol
    return {"display": "somebody"} if is_own or targets == ("Patient",) else _to(targets, NOBODYS)


def _named_first() -> Json:
    """Return what refers to all that the asker will have, before it is stored.

    What others refer to first, and in what order, would show in the order of what was stored in the
    same millisecond.
    """
    places = [f"{name}/{one}" for name in STORED for one in (ASKER, *MINE)]
    items = [{"item": {"reference": place}} for place in places]
    return {
        "resourceType": "List",
        "id": "s-all",
        "status": "current",
        "mode": "working",
        "entry": items,
    }


def _is_theirs(name: str, shared: frozenset[str]) -> bool:
    """Say whether others may have resources of a type that the asker must not see."""
    return name not in shared or bool(compartment_parameters(name))


def _mine(word: str) -> Iterator[Json]:
    asker = sample("Patient", ASKER, word, of(ASKER))
    yield asker | {"generalPractitioner": [{"reference": f"Practitioner/{DOCTOR}"}]}
    linked: dict[str, Callable[[], Refer]] = {"a-link": lambda: of(ASKER, "b-left")}
    for name in STORED:
        if name != "Patient":
            for identity in MINE:
                yield sample(name, identity, word, linked.get(identity, lambda: of(ASKER))())


def _their(name: str, identity: str, word: str) -> Json:
    """Return somebody else's resource; what is found on the left only names others that are not."""
    owner = identity if identity in ("b-left", "b-right") else "b-both"
    refer = of(owner, "b-named" if identity == "b-left" else "a-1" if identity == "b-gone" else "")
    resource = sample(name, identity, word, refer)
    if name == "List":
        resource["entry"] += [{"item": {"reference": f"{one}/a-1"}} for one in _LISTED]
    return resource
