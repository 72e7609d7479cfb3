"""FHIR create interaction.

https://hl7.org/fhir/R4/http.html#create
"""

from polyclinic.kernel.rest.interactions import conditional, written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_content_type
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import parse


async def create(store: Store, request: Request) -> Answer:
    """Store a resource under a new id; an id that it brings is not used.

    With ``If-None-Exist``, only where its condition matches nothing.
    """
    check_content_type(request)
    exists = request.header(b"if-none-exist")
    if exists is not None:
        return await conditional.create(store, request, exists)
    (resource_type,) = request.path
    resource = parse(await request.body(), resource_type=resource_type, resource_id=store.new_id())
    done = await store.create(request.principal, resource, written.keeper(request))
    return written.answer(request, done)
