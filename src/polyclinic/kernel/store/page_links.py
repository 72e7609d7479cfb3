"""Links to further pages: sealed, for one principal and one search."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, TypeVar

import msgspec

from polyclinic.base.crypto import CannotOpen
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.predicate import Query
from polyclinic.kernel.store.tenancy import Tenant

Sealed = TypeVar("Sealed", bound=msgspec.Struct)

_SIZE: Final = 192
"""Bytes of the smallest place; a longer one takes twice that, and so on.

How long a place is would tell how much others write: row numbers grow with it, and a snapshot names
the transactions that were under way.
"""
_END: Final = b"\x80"
"""Stands between a place and the zeros that fill it up (ISO/IEC 7816-4)."""


def seal(tenant: Tenant, context: bytes, place: msgspec.Struct) -> str:
    """Write a place so that only the same principal and the same query can use it."""
    data = msgspec.msgpack.encode(place) + _END
    size = _SIZE
    while size < len(data):
        size *= 2
    sealed = tenant.sealer.seal(data.ljust(size, b"\0"), context)
    # Without padding it stands in an address as it is.
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(tenant: Tenant, context: bytes, text: str, kind: type[Sealed]) -> Sealed:
    """Read a place. Raise ``BadRequest`` when it belongs to another principal or query."""
    try:
        sealed = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        data = tenant.sealer.open(sealed, context)
        return msgspec.msgpack.decode(data.rstrip(b"\0").removesuffix(_END), type=kind)
    except (CannotOpen, ValueError, msgspec.MsgspecError):
        message = "This page link belongs to another search or another user; search again."
        raise BadRequest(message) from None


def context(principal: Principal, query: Query) -> bytes:
    """Return what a page link of a search is bound to."""
    asked = query.types, query.conditions, query.understood
    shape = (principal.tenant, principal.account, *asked)
    return b"search page" + msgspec.msgpack.encode(shape)
