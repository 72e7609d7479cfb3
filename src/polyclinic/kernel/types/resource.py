"""A resource that is valid R4, as bytes and as content.

https://hl7.org/fhir/R4/resource.html
"""

import copy
import re
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET
from typing_extensions import override

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.types.depth import surely_shallow, too_deep
from polyclinic.kernel.types.primitives import is_id
from polyclinic.kernel.types.structs import common_decoder, complete_decoder, resource_type_of
from polyclinic.kernel.types.walker import examine

_encode = msgspec.json.Encoder().encode
_encode_python = msgspec.json.Encoder(decimal_format="number").encode
_replace = msgspec.structs.force_setattr

_null = re.compile(rb"[\[,]null[,\]]").search
_only_id = re.compile(rb'\{"id":"(?:[^"\\]|\\.)*+"\}').search
_control = re.compile(rb"\\[bfu]").search

_HEAD = len('{"resourceType":"","id":""')
_ID = ',"id":""'
_META = b',"meta":'
_SERVER_META = ("versionId", "versionId__ext", "lastUpdated", "lastUpdated__ext")
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)


class Resource(msgspec.Struct, frozen=True):
    """A resource that holds to R4: its canonical JSON and its content."""

    type: str
    """The resource type, ``Patient``."""
    id: str
    body: bytes
    """Compact JSON in the order of the definition, without meta.versionId and meta.lastUpdated.

    It begins ``{"resourceType":"T","id":"ID"``; what remains of meta follows directly. Decimals
    keep their digits.
    """
    content: msgspec.Struct
    """The same as a Struct (``polyclinic.kernel.types.structs``)."""

    @override
    def __repr__(self) -> str:
        """Return the type and id alone: nothing about a patient comes into a log."""
        return f"Resource({self.type}/{self.id})"


def parse(
    data: bytes,
    *,
    resource_type: str | None = None,
    resource_id: str | None = None,
    require_id: str | None = None,
) -> Resource:
    """Return the resource in JSON bytes that nobody has checked yet.

    ``resource_type`` refuses any other type. ``resource_id`` replaces whatever id stands in the
    data; ``require_id`` refuses data whose id is missing or another one.

    Raise InvalidResource with one issue for every fault: status 400 for what is not the JSON of
    such a resource, 422 for a broken rule of R4.
    """
    try:
        type_ = resource_type_of(data)
        try:
            content: Any = common_decoder(type_)(data)
            rare = False
        except _UNREADABLE:
            content = complete_decoder(type_)(data)
            rare = True
    except _UNREADABLE:
        _refuse(data)
    if resource_type is not None and type_ != resource_type:
        message = f"The resource is not of the type {resource_type}; send one that is."
        raise _refusal(message, "resourceType", code="structure")
    sent = content.id
    length = len(data)
    if resource_id is not None or require_id is not None or sent is UNSET or not is_id(sent):
        length += _set_id(content, type_, resource_id, require_id)
    body = _encode(content)
    # Nothing grows in encoding: of the same length, no member was lost that stood there twice.
    if (
        (len(body) != length and _repeats(data, body, sent))
        or (rare and _leaves_gaps(body))
        or ((rare or not surely_shallow(content, body)) and too_deep(body))
        or (body.find(b"\\") >= 0 and _control(body))
    ) and examine(data):
        _refuse(data)
    if content.meta is not UNSET:
        body = _without_version(body, content)
    return Resource(type_, content.id, body, content)


def from_json(
    value: dict[str, Any],
    *,
    resource_type: str | None = None,
    resource_id: str | None = None,
) -> Resource:
    """Return the resource in a JSON value of Python code, checked in the same way as bytes.

    A ``decimal.Decimal`` keeps its digits.
    """
    data = _encode_python(value)
    return parse(data, resource_type=resource_type, resource_id=resource_id)


def faults(data: bytes) -> tuple[Issue, ...]:
    """Return every fault of a resource as JSON bytes, with its FHIRPath expression."""
    return tuple(fault.issue for fault in examine(data))


def splice(
    body: bytes, resource_type: str, resource_id: str, version: int, last_updated: str
) -> bytes:
    """Return a resource's body with meta.versionId and meta.lastUpdated in it.

    ``last_updated`` is a FHIR instant. Nothing is parsed: ``body`` is as Resource.body describes.
    """
    end = _HEAD + len(resource_type) + len(resource_id)
    added = f'"versionId":"{version}","lastUpdated":"{last_updated}"'.encode("ascii")
    if body.startswith(_META + b"{", end):
        end += len(_META) + 1
        return b"".join((body[:end], added, b",", body[end:]))
    return b"".join((body[:end], b',"meta":{', added, b"}", body[end:]))


def _set_id(content: Any, type_: str, resource_id: str | None, require_id: str | None) -> int:
    """Set the id of the content, or refuse it; return by how much its JSON grows in length."""
    sent, where = content.id, f"{type_}.id"
    if sent is not UNSET and not is_id(sent):
        message = "An id is 1 to 64 letters, digits, '-' and '.'; correct it."
        raise InvalidResource((Issue("value", message, where),))
    if require_id is not None and sent != require_id:
        message = "The id in the resource is not the one in the URL; send the same."
        raise _refusal(message, where)
    if resource_id is None:
        if sent is UNSET:
            issue = Issue("required", "The resource has no id; add it.", where)
            raise InvalidResource((issue,))
        return 0
    if not is_id(resource_id):
        message = "An id is 1 to 64 letters, digits, '-' and '.'; choose such a one."
        raise _refusal(message, where)
    _replace(content, "id", resource_id)
    return len(resource_id) + (len(_ID) if sent is UNSET else -len(sent))


def _repeats(data: bytes, body: bytes, sent: Any) -> bool:
    """Return whether a name may be repeated: decoding keeps the last, so that quotes are lost."""
    quotes = data.count(b'"') + (4 if sent is UNSET else 0)
    return body.count(b'"') != quotes or b"\\u0022" in data


def _leaves_gaps(body: bytes) -> bool:
    """Return whether there may be empty objects, or nulls in lists, that stand for nothing.

    The common shape refuses both while it decodes.
    """
    return b"{}" in body or _null(body) is not None or _only_id(body) is not None


def _without_version(body: bytes, content: Any) -> bytes:
    """Return the body, and leave the content, without what the server alone sets in meta."""
    meta = content.meta
    if (
        meta.versionId is meta.lastUpdated is UNSET
        and meta.versionId__ext is meta.lastUpdated__ext is UNSET
    ):
        return body
    start = _HEAD + len(content.fhir_type) + len(content.id)
    end = start + len(_META) + len(_encode(meta))
    kept = copy.copy(meta)
    for name in _SERVER_META:
        if getattr(kept, name) is not UNSET:
            _replace(kept, name, UNSET)
    fields = msgspec.structs.astuple(kept)
    if fields.count(UNSET) == len(fields) - (kept.id is not UNSET):
        kept = UNSET  # an id alone is no content
    _replace(content, "meta", kept)
    return body[:start] + (b"" if kept is UNSET else _META + _encode(kept)) + body[end:]


def _refusal(message: str, expression: str, *, code: str = "value") -> InvalidResource:
    return InvalidResource((Issue(code, message, expression),), http_status=400)


def _refuse(data: bytes) -> NoReturn:
    """Raise InvalidResource with every fault that the walker finds."""
    found = examine(data)
    status = min((fault.status for fault in found), default=422)
    issues = tuple(fault.issue for fault in found)
    if not issues:
        issues = (Issue("invalid", "The resource breaks a rule of R4; check it."),)
    raise InvalidResource(issues, http_status=status)
