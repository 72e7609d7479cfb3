"""A resource that is valid R4, as bytes and as content.

https://hl7.org/fhir/R4/resource.html
"""

import re
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET

from polyclinic.kernel.errors import InvalidResource, Issue
from polyclinic.kernel.types.depth import too_deep
from polyclinic.kernel.types.primitives import is_id
from polyclinic.kernel.types.structs import decoder, resource_type_of
from polyclinic.kernel.types.walker import examine

_encode = msgspec.json.Encoder().encode
_encode_python = msgspec.json.Encoder(decimal_format="number").encode
_replace = msgspec.structs.force_setattr

_null = re.compile(rb"[\[,]null[,\]]").search
_only_id = re.compile(rb'\{"id":"(?:[^"\\]|\\.)*+"\}').search
_control = re.compile(rb"\\[bfu]").search

_HEAD = len('{"resourceType":"","id":""')
_META = b',"meta":'
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

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # typing.override is of 3.12
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
        if too_deep(data):
            _refuse(data)
        type_ = resource_type_of(data)
        content: Any = decoder(type_)(data)
    except _UNREADABLE:
        _refuse(data)
    if resource_type is not None and type_ != resource_type:
        message = f"The resource is not of the type {resource_type}; send one that is."
        raise _refusal(message, "resourceType", code="structure")
    id_ = _id(content, type_, resource_id, require_id)
    return _resource(data, content, type_, id_)


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


def _id(content: Any, type_: str, resource_id: str | None, require_id: str | None) -> str:
    """Return the id that the resource is to have."""
    sent = content.id
    if require_id is not None and sent != require_id:
        message = "The id in the resource is not the one in the URL; send the same."
        raise _refusal(message, f"{type_}.id")
    if resource_id is None:
        if sent is UNSET:
            issue = Issue("required", "The resource has no id; add it.", f"{type_}.id")
            raise InvalidResource((issue,))
        return str(sent)
    if resource_id != sent and not is_id(resource_id):
        message = "An id is 1 to 64 letters, digits, '-' and '.'; choose such a one."
        raise _refusal(message, f"{type_}.id")
    return resource_id


def _resource(data: bytes, content: Any, type_: str, id_: str) -> Resource:
    """Return the resource with its canonical bytes, after the checks that only these allow."""
    quotes = data.count(b'"')
    if content.id != id_:
        if content.id is UNSET:
            quotes += 4
        _replace(content, "id", id_)
    body = _encode(content)
    # A repeated name is lost in decoding, and its quotes with it.
    if body.count(b'"') != quotes or _doubtful(data, body):
        found = examine(data)
        if found:
            _refuse(data)
    meta = content.meta
    if meta is not UNSET:
        kept = _own_meta(meta)
        if kept is not meta:
            body = _without(body, type_, id_, meta, kept)
            _replace(content, "meta", kept)
    return Resource(type_, id_, body, content)


def _doubtful(data: bytes, body: bytes) -> bool:
    """Return whether something stands in the text that may break a rule: the walker decides.

    Empty objects, nulls in lists, elements with nothing but an id, control characters, and escaped
    quotes that could make up for those of a repeated name.
    """
    if b"{}" in body or (b"null" in body and _null(body)):
        return True
    if b'{"id":"' in body and _only_id(body):
        return True
    if b"\\" not in body and b"\\" not in data:
        return False
    return _control(body) is not None or b"\\u0022" in data


def _own_meta(meta: Any) -> Any:
    """Return meta without what the server alone sets, UNSET when nothing remains."""
    unset = (meta.versionId, meta.versionId__ext, meta.lastUpdated, meta.lastUpdated__ext)
    if unset == (UNSET, UNSET, UNSET, UNSET):
        return meta
    kept = msgspec.structs.replace(
        meta, versionId=UNSET, versionId__ext=UNSET, lastUpdated=UNSET, lastUpdated__ext=UNSET
    )
    fields = msgspec.structs.astuple(kept)
    return UNSET if fields.count(UNSET) == len(fields) else kept


def _without(body: bytes, type_: str, id_: str, meta: Any, kept: Any) -> bytes:
    """Return the body with ``kept`` in place of ``meta``, which stands right after the id."""
    start = _HEAD + len(type_) + len(id_)
    end = start + len(_META) + len(_encode(meta))
    new = b"" if kept is UNSET else _META + _encode(kept)
    return body[:start] + new + body[end:]


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
