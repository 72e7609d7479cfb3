"""What a tenant's definitions become when its SearchParameter resources change."""

from collections.abc import Iterable

import msgspec

from polyclinic.kernel.search.custom.definition import Definition
from polyclinic.kernel.search.custom.parameters import Progress, Stored
from polyclinic.kernel.search.custom.refusal import definition_of
from polyclinic.kernel.types import Resource


def redefined(stored: Stored, changed: Iterable[tuple[str, Resource | None]]) -> Stored:
    """Return what is kept after some resources were stored or deleted (None).

    A type whose parameters change gets the next number, by which its resources are filed anew.
    Raise ``InvalidResource`` for one that cannot be used.
    """
    changes = dict(changed)
    before = {one.id: one for one in stored.definitions}
    after = {id_: one for id_, one in before.items() if id_ not in changes}
    for id_, resource in changes.items():
        found = None if resource is None else definition_of(resource, after)
        if found is not None:
            after[id_] = found
    moved = [id_ for id_ in changes if _filed_by(before.get(id_)) != _filed_by(after.get(id_))]
    touched = {
        name
        for id_ in moved
        for one in (before.get(id_), after.get(id_))
        if one is not None
        for name in one.base
    }
    types = dict(stored.types)
    for name in sorted(touched):
        known = types.get(name, Progress(0))
        types[name] = Progress(known.wanted + 1, known.complete)
    since = {id_: one for id_, one in stored.since.items() if id_ in after and id_ not in moved}
    since |= {
        id_: {name: types[name].wanted for name in after[id_].base} for id_ in moved if id_ in after
    }
    faults = {
        id_: count for id_, count in stored.faults.items() if id_ in before and id_ not in moved
    }
    return Stored(tuple(after.values()), types, since, faults)


def _filed_by(definition: Definition | None) -> Definition | None:
    """Return what of a definition decides how resources are filed."""
    return None if definition is None else msgspec.structs.replace(definition, url="", targets=())
