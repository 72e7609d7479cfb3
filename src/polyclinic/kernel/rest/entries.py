"""The entries of a Bundle that is sent in, and the references between them.

https://hl7.org/fhir/R4/http.html#trules
"""

from typing import Final

import msgspec

from polyclinic.kernel.errors import BadRequest

MOST_ENTRIES: Final = 10_000


class EntryRequest(msgspec.Struct):
    """What is asked for an entry."""

    method: str
    url: str
    if_match: str | None = msgspec.field(default=None, name="ifMatch")
    if_none_match: str | None = msgspec.field(default=None, name="ifNoneMatch")
    if_none_exist: str | None = msgspec.field(default=None, name="ifNoneExist")
    if_modified_since: str | None = msgspec.field(default=None, name="ifModifiedSince")


class Entry(msgspec.Struct):
    """One entry; its resource is not decoded yet, and empty when there is none."""

    full_url: str | None = msgspec.field(default=None, name="fullUrl")
    resource: msgspec.Raw = msgspec.Raw()
    request: EntryRequest | None = None


class IncomingBundle(msgspec.Struct):
    """A Bundle whose resources are not decoded yet."""

    resource_type: str = msgspec.field(name="resourceType")
    type: str
    entry: list[Entry] = msgspec.field(default_factory=list)


class Head(msgspec.Struct):
    """The type and the id of a resource."""

    resource_type: str = msgspec.field(default="", name="resourceType")
    id: str | None = None


def read_bundle(data: bytes) -> IncomingBundle:
    """Return the Bundle in a body. Raise ``BadRequest`` when it is none."""
    try:
        bundle = msgspec.json.decode(data, type=IncomingBundle)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        bundle = None
    if bundle is None or bundle.resource_type != "Bundle":
        message = "The body is not a Bundle in JSON, or an entry in it has the wrong form."
        raise BadRequest(message)
    if len(bundle.entry) > MOST_ENTRIES:
        message = f"The Bundle has over {MOST_ENTRIES} entries; send it in parts."
        raise BadRequest(message)
    return bundle


def head(resource: msgspec.Raw | bytes) -> Head:
    """Return the type and id of a resource, empty where they cannot be read."""
    try:
        return msgspec.json.decode(resource, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Head()
