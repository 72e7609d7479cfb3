"""FHIR update interaction, also of what does not exist yet.

https://hl7.org/fhir/R4/http.html#update
"""

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_content_type, if_match
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import parse


async def update(store: Store, request: Request) -> Answer:
    """Store a version of the resource whose id stands in the address and in the body."""
    check_content_type(request)
    if request.header(b"if-none-match") is not None:
        # Left out, it would let an update replace what it was to leave alone.
        message = "If-None-Match is not supported with an update yet; send If-Match, or create."
        raise BadRequest(message)
    resource_type, resource_id = request.path
    resource = parse(await request.body(), resource_type=resource_type, require_id=resource_id)
    kept = written.keeper(request)
    done = await store.update(request.principal, resource, if_match(request), kept)
    return written.answer(request, done)
