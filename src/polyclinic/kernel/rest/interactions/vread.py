"""FHIR vread interaction.

https://hl7.org/fhir/R4/http.html#vread
"""

from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.rest.interactions.read import answer
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.store import Store


async def vread(store: Store, request: Request) -> Answer:
    """Answer with one version of a resource."""
    resource_type, resource_id, _, version = request.path
    if not (version.isascii() and version.isdigit() and version[0] != "0"):
        message = "There is no such version."
        raise NotFound(message)
    # A version number of ten digits or more was never given.
    number = int(version[:10])
    return answer(request, await store.vread(request.principal, resource_type, resource_id, number))
