"""FHIR patch interaction, with JSON Patch or FHIRPath Patch.

https://hl7.org/fhir/R4/http.html#patch
"""

from typing import Final

from polyclinic.kernel.errors import Conflict, VersionConflict
from polyclinic.kernel.rest import patches
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.preferences import check_content_type, if_match
from polyclinic.kernel.store import Store
from polyclinic.kernel.types import parse

_TRIES: Final = 5


async def patch(store: Store, request: Request) -> Answer:
    """Change parts of a resource, against the version that it is when the patch is applied."""
    media = check_content_type(request, patches.MEDIA)
    resource_type, resource_id = request.path
    operations, expected = await request.body(), if_match(request)
    for _ in range(_TRIES):
        stored = await store.read(request.principal, resource_type, resource_id)
        if expected is not None and expected != stored.version:
            raise VersionConflict
        patched = patches.apply(stored.json(), operations, media)
        resource = parse(patched, resource_type=resource_type, require_id=resource_id)
        try:
            kept = written.keeper(request)
            done = await store.update(request.principal, resource, stored.version, kept)
        except VersionConflict:
            continue
        return written.answer(request, done)
    message = "Others keep changing this resource; repeat the patch."
    raise Conflict(message)
