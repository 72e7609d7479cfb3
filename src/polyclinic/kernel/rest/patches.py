"""The two forms of a patch, https://hl7.org/fhir/R4/http.html#patch."""

from typing import Final

from polyclinic.kernel.rest import fhirpath_patch, json_patch

JSON_PATCH: Final = "application/json-patch+json"
FHIR_JSON: Final = "application/fhir+json"
"""Of a FHIRPath Patch, which is a Parameters resource."""
MEDIA: Final = frozenset({JSON_PATCH, FHIR_JSON, "application/json"})


def apply(resource: bytes, patch: bytes, media: str) -> bytes:
    """Return the resource with every operation of the patch applied, or with none.

    Raise ``BadRequest`` naming the operation that cannot be applied.
    """
    run = json_patch.apply if media == JSON_PATCH else fhirpath_patch.apply
    return run(resource, patch)
