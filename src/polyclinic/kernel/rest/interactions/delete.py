"""FHIR delete interaction.

https://hl7.org/fhir/R4/http.html#delete
"""

from polyclinic.kernel.errors import Gone
from polyclinic.kernel.rest import idempotency
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import if_match
from polyclinic.kernel.store import Store, Written


async def delete(store: Store, request: Request) -> Answer:
    """Delete a resource; deleting it again is no error."""
    resource_type, resource_id = request.path
    try:
        kept = idempotency.keeper(request, lambda done: written.deleted(done[0]))
        stored = await store.delete(
            request.principal, resource_type, resource_id, if_match(request), kept
        )
    except Gone:
        return written.deleted(None)
    return written.deleted(Written(stored, created=False))
