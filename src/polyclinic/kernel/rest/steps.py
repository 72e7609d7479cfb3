"""The entries of a transaction as what each is to do.

https://hl7.org/fhir/R4/http.html#trules
"""

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Final

import msgspec

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import BadRequest, InvalidResource, Issue
from polyclinic.kernel.rest.conditions import condition
from polyclinic.kernel.rest.entries import Entry, EntryRequest, head
from polyclinic.kernel.rest.message import split_path
from polyclinic.kernel.rest.patches import FHIR_JSON, JSON_PATCH
from polyclinic.kernel.rest.preferences import etag_version
from polyclinic.kernel.search.query import Endpoint
from polyclinic.kernel.store import Change, Condition, Written
from polyclinic.kernel.types import RESOURCE_TYPES, is_id

READS: Final = frozenset({"GET", "HEAD"})
_ACTIONS: Final = {
    "POST": Action.CREATE,
    "PUT": Action.UPDATE,
    "PATCH": Action.UPDATE,
    "DELETE": Action.DELETE,
}
_TYPES: Final = frozenset(RESOURCE_TYPES)


@dataclass(slots=True)
class Step:
    """What one entry is to do, and what came of it."""

    at: int
    """Its number in the Bundle, from 0; -1 for a request that stands alone."""
    method: str
    url: str
    full_url: bytes = b""
    type: str = ""
    id: str = ""
    """Empty where a condition decides, and for what is read."""
    data: bytes = b""
    """The resource, or the patch."""
    media: str = JSON_PATCH
    """Of a patch."""
    condition: Condition | None = None
    if_match: int | None = None
    change: Change | None = None
    """What is to be written, still without its resource; None where nothing is."""
    current: bytes = b""
    """What is to be patched."""
    same_as: "Step | None" = None
    """The step that creates the same by the same condition."""
    needs_current: bool = False
    """Whether what is stored has to be read."""
    written: Written | None = None
    """What was found or written; None where there was nothing to do."""

    @property
    def place(self) -> str:
        """Return where it stands, as FHIRPath; empty for a request that stands alone."""
        return "" if self.at < 0 else f"Bundle.entry[{self.at}]"

    def within(self, part: str) -> str | None:
        """Return where a part of it stands, as FHIRPath."""
        return f"{self.place}.{part}" if self.place else None

    @property
    def is_read(self) -> bool:
        """Say whether it changes nothing."""
        return self.method in READS


class _Binary(msgspec.Struct):
    content_type: str = msgspec.field(default="", name="contentType")
    data: str = ""


def read_steps(entries: list[Entry], endpoint: Endpoint) -> list[Step]:
    """Return what the entries are to do. Raise ``InvalidResource`` with every fault."""
    steps: list[Step] = []
    faults: list[Issue] = []
    for at, entry in enumerate(entries):
        try:
            steps.append(_step(at, entry, endpoint))
        except BadRequest as error:
            faults += [_within(issue, f"Bundle.entry[{at}].request") for issue in error.issues]
    if faults:
        raise InvalidResource(tuple(faults), http_status=400)
    _check_full_urls(steps)
    return steps


def patch_of(resource: bytes) -> tuple[bytes, str]:
    """Return the patch in an entry, and its media type: a JSON Patch in a Binary, or Parameters.

    Raise ``BadRequest`` for any other resource, and for a Binary with something else in it.
    """
    kind = head(resource).resource_type
    if kind == "Parameters":
        return resource, FHIR_JSON
    try:
        binary = msgspec.json.decode(resource, type=_Binary)
        if kind == "Binary" and binary.content_type == JSON_PATCH:
            return b64decode(binary.data, validate=True), JSON_PATCH
    except (msgspec.MsgspecError, UnicodeDecodeError, NotBase64, ValueError):
        pass
    message = (
        f"A patch is a Binary with the contentType {JSON_PATCH} and the patch as its data, or a"
        " Parameters resource with a FHIRPath Patch."
    )
    raise BadRequest(message)


def _step(at: int, entry: Entry, endpoint: Endpoint) -> Step:
    asked = entry.request
    if asked is None:
        message = "The entry has no request."
        raise BadRequest(message)
    if asked.method in READS:
        return Step(at, asked.method, asked.url)
    if asked.method not in _ACTIONS:
        message = "A transaction takes GET, HEAD, POST, PUT, PATCH and DELETE."
        raise BadRequest(message)
    full_url = (entry.full_url or "").encode(errors="replace")
    step = Step(at, asked.method, asked.url, full_url)
    _address(step, asked, endpoint)
    _content(step, bytes(entry.resource))
    if asked.if_match:
        step.if_match = etag_version(asked.if_match)
    if asked.if_none_match:
        message = "ifNoneMatch stands with what is read; with what is written, use ifMatch."
        raise BadRequest(message)
    return step


def _address(step: Step, asked: EntryRequest, endpoint: Endpoint) -> None:
    """Read type, id and condition from the address."""
    address, mark, query = asked.url.partition("?")
    path = split_path(address.removeprefix(f"{endpoint.base}/"))
    step.type = path[0] if path else ""
    if step.type not in _TYPES:
        message = "The address names no resource type of R4."
        raise BadRequest(message)
    if asked.if_none_exist is not None and step.method != "POST":
        message = "ifNoneExist stands with POST only."
        raise BadRequest(message)
    match step.method, path[1:], bool(mark):
        case "POST", (), False:
            query = asked.if_none_exist or ""
        case "PUT" | "PATCH" | "DELETE", (identity,), False if is_id(identity):
            step.id = identity
            return
        case "PUT" | "PATCH" | "DELETE", (), True:
            pass
        case _:
            message = (
                "A transaction takes POST Type, and PUT, PATCH and DELETE of Type/id or Type?query."
            )
            raise BadRequest(message)
    if mark or asked.if_none_exist is not None:
        step.condition = condition(step.type, query, endpoint, _ACTIONS[step.method])


def _content(step: Step, resource: bytes) -> None:
    if step.method == "DELETE":
        return
    if not resource:
        message = "The entry has no resource."
        raise BadRequest(message)
    step.data = resource
    if step.method == "PATCH":
        step.data, step.media = patch_of(resource)


def _check_full_urls(steps: list[Step]) -> None:
    """Raise ``BadRequest`` for a full URL that two entries have: which would be meant."""
    seen: set[bytes] = set()
    for step in steps:
        if step.full_url and step.full_url in seen:
            message = "Another entry has the same fullUrl."
            raise BadRequest(message, expression=f"{step.place}.fullUrl")
        seen.add(step.full_url)


def _within(issue: Issue, place: str) -> Issue:
    return Issue(issue.code, issue.diagnostics, issue.expression or place)
