"""A transaction made ready: its conditions, and what is to be written given what they match.

https://hl7.org/fhir/R4/http.html#trules. The order is that of the specification: deletions,
creations, updates and patches, then conditional references. All conditions on what is written are
searched in the state before it, of which what the transaction deletes is taken away.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from polyclinic.kernel.errors import BadRequest, FhirError, InvalidResource, Issue
from polyclinic.kernel.rest import idempotency, patches, settling
from polyclinic.kernel.rest.conditions import condition
from polyclinic.kernel.rest.links import (
    Links,
    Target,
    conditional_references,
    place_of,
    server_of,
)
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.steps import Step
from polyclinic.kernel.search.query import Endpoint
from polyclinic.kernel.store import Change, Condition, Matches, Store, Written
from polyclinic.kernel.store.pacing import paced
from polyclinic.kernel.types import Resource, parse, type_number

_FAILURES: Final = 500
_MOST_TOLD: Final = 10
"""References of one resource whose places are told, of those that cannot be resolved."""
Text = TypeVar("Text", str, bytes)


class Plan:
    """The writes of one transaction."""

    def __init__(
        self, store: Store, request: Request, steps: Sequence[Step], endpoint: Endpoint
    ) -> None:
        self.render: Callable[[], Answer] | None = None
        """Makes the answer, where it is to be kept with what is written."""
        self.steps = [step for step in steps if not step.is_read]
        self._store = store
        self._request = request
        self._endpoint = endpoint
        self._new_ids = {id(step): store.new_id() for step in self.steps if not step.id}
        for step in self.steps:
            step.data = _plain(step)
        self._written = self._written_conditions()
        self._references = self._conditional_references()

    @property
    def conditions(self) -> list[Condition]:
        """Return the conditions: those on what is written, then those of references."""
        return [*self._written.values(), *self._references.values()]

    async def make(self, found: Sequence[Matches]) -> list[Change]:
        """Return what is to be written. Raise ``InvalidResource`` with every fault."""
        matches = dict(zip(self._written, found[: len(self._written)], strict=True))
        await settling.settle(self._store, self._request.principal, self._writing(matches))
        settling.check_overlaps(self.steps)
        targets = await self._targets()
        resolved = dict(zip(self._references, found[len(self._written) :], strict=True))
        if self._meets_itself():
            resolved = await self._foreseen(targets, resolved)
        references = self._resolved(resolved)
        changes = await self._changes(Links(targets, references))
        if changes and (kept := idempotency.keeper(self._request, self._answer)):
            changes[0] = replace(changes[0], keeper=kept)
        return changes

    async def run(self) -> None:
        """Write all or nothing, and let every step know what came of it."""
        writes = self._store.writes
        done = await writes.write_where(self._request.principal, self.conditions, self.make)
        self._finish(done.written)

    def _answer(self, written: Sequence[Written]) -> Answer:
        assert self.render is not None
        self._finish(written)
        return self.render()

    def _finish(self, written: Sequence[Written]) -> None:
        rest = iter(written)
        for step in self.steps:
            if step.change is not None:
                step.written = next(rest)
        for step in self.steps:
            if step.same_as is not None and step.same_as.written is not None:
                step.written = replace(step.same_as.written, created=False, is_matched=True)

    def _written_conditions(self) -> dict[int, Condition]:
        """Return the condition of each step that has one, by the step's place in the plan."""
        deleted = sum(step.method == "DELETE" for step in self.steps)
        return {
            at: replace(step.condition, most=2 + deleted)
            for at, step in enumerate(self.steps)
            if step.condition is not None
        }

    def _conditional_references(self) -> dict[bytes, Condition]:
        """Return each conditional reference once. Raise ``BadRequest`` for one that is none."""
        found: dict[bytes, Condition] = {}
        for step in self.steps:
            for text in conditional_references(step.data) if step.place else ():
                if text in found:
                    continue
                kind, _, query = text.decode(errors="replace").partition("?")
                try:
                    found[text] = condition(kind, query, self._endpoint, None)
                except BadRequest as error:
                    message = error.issues[0].diagnostics
                    raise BadRequest(message, expression=_place(step, text)) from None
        return found

    def _writing(self, matches: dict[int, Matches]) -> list[tuple[Step, Matches | None, str]]:
        return [
            (step, matches.get(at), self._new_ids.get(id(step), ""))
            for at, step in enumerate(self.steps)
        ]

    async def _targets(self) -> dict[bytes, Target]:
        """Return where each full URL is stored, with the version where anything refers to one."""
        named = [step for step in self.steps if step.full_url and step.id]
        versions: dict[tuple[int, str], int] = {}
        if any(b"/_history/" in step.data for step in self.steps):
            places = [(type_number(step.type), step.id) for step in named]
            versions = await self._store.writes.versions(self._request.principal, places)
        targets: dict[bytes, Target] = {}
        for step in named:
            version = versions.get((type_number(step.type), step.id))
            if version is not None and step.change is not None:
                version += 1
                if step.method in ("PUT", "PATCH"):
                    step.change = settling.versioned(step.change, version - 1)
            targets[step.full_url] = Target(f"{step.type}/{step.id}".encode(), version)
        return targets

    def _meets_itself(self) -> bool:
        """Say whether the transaction may write what its own conditions are searched for."""
        written = {step.type for step in self.steps if step.change is not None}
        asked = {one.query.resource_type for one in self._references.values()}
        made = {step.type for step in self.steps if step.change and step.change.must_be_new}
        late = {
            self.steps[at].type for at in self._written if self.steps[at].method in ("PUT", "PATCH")
        }
        return bool(written & asked or made & late)

    async def _foreseen(
        self, targets: dict[bytes, Target], before: dict[bytes, Matches]
    ) -> dict[bytes, Matches]:
        """Return what conditional references match once the rest is written."""
        changes = await self._changes(Links(targets, {text: text for text in before}))
        late = [at for at in self._written if self.steps[at].method in ("PUT", "PATCH")]
        asked = [*(self._written[at] for at in late), *self._references.values()]
        found = await self._store.rehearsal().writes.foresee(
            self._request.principal, changes, asked
        )
        made = {
            (step.type, step.id): step
            for step in self.steps
            if step.change is not None and step.change.must_be_new
        }
        for at, matches in zip(late, found, strict=False):
            settling.check_made(self.steps[at], matches, made)
        return dict(zip(self._references, found[len(late) :], strict=True))

    def _resolved(self, found: dict[bytes, Matches]) -> dict[bytes, bytes]:
        """Return the reference that each conditional one stands for.

        Raise ``InvalidResource``: 400 when one matches nothing, 412 when one matches several.
        """
        wrong = {text: len(matches) for text, matches in found.items() if len(matches) != 1}
        if not wrong:
            return {
                text: f"{self._references[text].query.resource_type}/{matches[0].id}".encode()
                for text, matches in found.items()
            }
        issues = [
            _unresolved(_place(step, text), wrong[text])
            for step in self.steps
            for text in _first(one for one in conditional_references(step.data) if one in wrong)
        ]
        status = 412 if any(count > 1 for count in wrong.values()) else 400
        raise InvalidResource(tuple(issues), http_status=status)

    async def _changes(self, links: Links) -> list[Change]:
        """Return what is to be written, its links rewritten."""
        changes: list[Change] = []
        faults: list[tuple[int, Issue]] = []
        async for step in paced(self.steps):
            if step.change is None:
                continue
            try:
                changes.append(self._change(step, step.change, links))
            except FhirError as error:
                if error.http_status >= _FAILURES:
                    raise
                faults += [
                    (error.http_status, settling.placed(issue, step)) for issue in error.issues
                ]
        if faults:
            status = max(status for status, _ in faults)
            raise InvalidResource(tuple(issue for _, issue in faults), http_status=status)
        return changes

    def _change(self, step: Step, change: Change, links: Links) -> Change:
        if step.method == "DELETE":
            return change
        data, lost = step.data, list[str]()
        if step.place:
            # A patch is no resource of the type; a Parameters resource has its own links.
            kind = "Parameters" if step.method == "PATCH" else step.type
            data, lost = links.rewritten(step.data, kind, server_of(step.full_url, step.type))
        if lost:
            raise InvalidResource(
                tuple(_dangling(step, text) for text in _first(lost)), http_status=400
            )
        if step.method == "PATCH":
            data = patches.apply(step.current, data, step.media)
        return replace(change, resource=self._parsed(step, data))

    @staticmethod
    def _parsed(step: Step, data: bytes) -> Resource:
        decode = partial(parse, data, resource_type=step.type)
        named = step.method == "PATCH" or (step.method == "PUT" and step.condition is None)
        return decode(require_id=step.id) if named else decode(resource_id=step.id)


def _first(texts: Iterable[Text]) -> list[Text]:
    """Return the first few of some texts, once each: each place is looked for by itself."""
    return list(islice(dict.fromkeys(texts), _MOST_TOLD))


def _plain(step: Step) -> bytes:
    """Return a resource without needless escapes, so that its links can be read as bytes."""
    data = step.data
    if step.method == "PATCH" or (rb"\/" not in data and rb"\u" not in data):
        return data
    try:
        return parse(data, resource_type=step.type).body
    except BadRequest:
        pass
    try:
        return parse(data, resource_type=step.type, resource_id="x").body
    except BadRequest:
        return data  # what is wrong with it is told later, with its place


def _place(step: Step, reference: bytes) -> str:
    return f"{step.place}.resource{place_of(step.data, reference.decode(errors='replace'))}"


def _unresolved(place: str, count: int) -> Issue:
    if count:
        message = "The conditional reference matches more than one resource; make it narrower."
        return Issue("multiple-matches", message, place)
    message = "The conditional reference matches nothing that you may see."
    return Issue("not-found", message, place)


def _dangling(step: Step, text: str) -> Issue:
    message = "The reference is to an entry that the transaction does not have."
    return Issue("not-found", message, _place(step, text.encode()))
