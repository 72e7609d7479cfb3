"""Which resource each write of a transaction is about, given what its condition matches.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cpatch, #3.1.0.7.1
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import (
    BadRequest,
    FhirError,
    Issue,
    MultipleMatches,
    NotFound,
    VersionConflict,
)
from polyclinic.kernel.rest.entries import head
from polyclinic.kernel.rest.steps import Step
from polyclinic.kernel.store import Change, Match, Matches, Store, Written

_AT_ONCE: Final = 64
Settling = tuple[Step, Matches | None, str]
"""A step, what its condition matches (None without one), and the id for what it may create."""


async def settle(store: Store, principal: Principal, settling: Sequence[Settling]) -> None:
    """Give every step its id and its change, and read what is needed for that.

    Raise ``MultipleMatches``, ``NotFound``, ``VersionConflict`` or ``BadRequest`` with its place.
    """
    deleted: set[tuple[str, str]] = set()
    for step, matches, _ in settling:
        step.change = step.written = step.same_as = None
        step.needs_current = False
        if step.method == "DELETE":
            _delete(step, matches)
            deleted.add((step.type, step.id))
    first: dict[object, Step] = {}
    for step, matches, new_id in settling:
        left = matches
        if matches is not None:
            left = tuple(one for one in matches if (step.type, one.id) not in deleted)
        match step.method:
            case "POST":
                _create(step, left, new_id, first)
            case "PUT":
                _update(step, left, new_id)
            case "PATCH":
                _patch(step, left)
            case _:
                pass  # deletions went first
    await _read(store, principal, [step for step, _, _ in settling if step.needs_current])


def check_overlaps(steps: Iterable[Step]) -> None:
    """Raise ``BadRequest`` when two entries would change the same resource."""
    seen: dict[tuple[str, str], Step] = {}
    for step in steps:
        if step.change is None:
            continue
        other = seen.setdefault((step.type, step.id), step)
        if other is not step:
            message = f"Entry {other.at} changes the same resource."
            raise BadRequest(message, expression=step.within("request"))


def check_made(step: Step, matches: Matches, made: Mapping[tuple[str, str], Step]) -> None:
    """Raise ``BadRequest`` when a condition matches what the same transaction creates."""
    for match in matches:
        other = made.get((step.type, match.id))
        if other is not None and other is not step:
            message = f"The condition matches what entry {other.at} creates."
            raise BadRequest(message, expression=step.within("request.url"))


def versioned(change: Change, version: int) -> Change:
    """Return a change that makes the version after this one for certain, or conflicts."""
    if change.must_be_new:
        return change
    if version == 0:
        return replace(change, must_be_absent=True, even_same=True)
    pinned = change.is_pinned or change.if_match is None
    expected = version if change.if_match is None else change.if_match
    return replace(change, if_match=expected, is_pinned=pinned, even_same=True)


def placed(issue: Issue, step: Step) -> Issue:
    """Return the issue of a resource as one of the Bundle that it came in."""
    if not step.place or (issue.expression or "").startswith("Bundle."):
        return issue
    place = step.within("resource")
    inner = (issue.expression or "").partition(".")[2]
    return Issue(issue.code, issue.diagnostics, f"{place}.{inner}" if inner else place)


def _delete(step: Step, matches: Matches | None) -> None:
    if matches is None:
        step.change = Change(step.type, step.id, None, step.if_match)
        return
    match = _only(step, matches, "request.url")
    step.id = match.id if match else ""
    if match is not None:
        step.change = _against(step, match)


def _create(step: Step, matches: Matches | None, new_id: str, first: dict[object, Step]) -> None:
    if matches is not None and step.condition is not None:
        match = _only(step, matches, "request.ifNoneExist")
        if match is not None:
            step.id, step.needs_current = match.id, True
            return
        query = step.condition.query
        twin = first.setdefault((step.type, tuple(sorted(set(query.understood)))), step)
        if twin is not step:
            step.id, step.same_as = twin.id, twin
            return
    step.id = new_id
    step.change = Change(step.type, step.id, None, step.if_match, must_be_new=True)


def _update(step: Step, matches: Matches | None, new_id: str) -> None:
    if matches is None:
        step.change = Change(step.type, step.id, None, step.if_match)
        return
    match, sent = _only(step, matches, "request.url"), head(step.data).id
    if match is not None:
        if sent is not None and sent != match.id:
            message = "The id in the resource is not that of the one that the condition matches."
            raise BadRequest(message, expression=step.within("resource.id"))
        step.id, step.change = match.id, _against(step, match)
        return
    if step.if_match is not None:
        raise VersionConflict(expression=step.within("request.ifMatch"))
    step.id = sent or new_id
    is_new = sent is None
    step.change = Change(step.type, step.id, None, must_be_new=is_new, must_be_absent=not is_new)


def _patch(step: Step, matches: Matches | None) -> None:
    if matches is not None:
        match = _only(step, matches, "request.url")
        if match is None:
            message = "The condition matches nothing that you may see."
            raise NotFound(message, expression=step.within("request.url"))
        step.id = match.id
    step.needs_current = True


def _only(step: Step, matches: Matches, where: str) -> Match | None:
    if len(matches) > 1:
        raise MultipleMatches(expression=step.within(where))
    return matches[0] if matches else None


def _against(step: Step, match: Match) -> Change:
    """Return a change of what was matched, as it was when it was."""
    if step.if_match is not None and step.if_match != match.version:
        raise VersionConflict(expression=step.within("request.ifMatch"))
    pinned = step.if_match is None
    return Change(step.type, match.id, None, match.version, is_pinned=pinned)


async def _read(store: Store, principal: Principal, steps: Sequence[Step]) -> None:
    """Read what is to be patched, and what a conditional create has found."""
    for start in range(0, len(steps), _AT_ONCE):
        part = steps[start : start + _AT_ONCE]
        reads = (store.read(principal, step.type, step.id) for step in part)
        for step, found in zip(
            part, await asyncio.gather(*reads, return_exceptions=True), strict=True
        ):
            if isinstance(found, FhirError):
                found.issues = tuple(
                    Issue(one.code, one.diagnostics, step.within("request.url"))
                    for one in found.issues
                )
            if isinstance(found, BaseException):
                raise found
            if step.method == "POST":
                step.written = Written(found, created=False, is_matched=True)
                continue
            match = Match(0, step.id, found.version, ())
            step.change, step.current = _against(step, match), found.json()
