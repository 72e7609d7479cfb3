"""FHIR create interaction.

https://hl7.org/fhir/R4/http.html#create
"""

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_content_type
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import parse


async def create(store: Store, request: Request) -> Answer:
    """Store a resource under a new id; an id that it brings is not used."""
    check_content_type(request)
    if request.header(b"if-none-exist") is not None:
        message = "If-None-Exist is not supported yet; search first, or update by id."
        raise BadRequest(message)
    (resource_type,) = request.path
    resource = parse(await request.body(), resource_type=resource_type, resource_id=store.new_id())
    done = await store.create(request.principal, resource, written.keeper(request))
    return written.answer(request, done)
