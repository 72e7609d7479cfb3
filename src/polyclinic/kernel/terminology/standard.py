"""The value sets that R4 itself requires, known without being stored.

https://hl7.org/fhir/R4/terminologies.html#required; their codes come with the R4 definitions.
"""

from typing import Final

from polyclinic.kernel.terminology.codes import Codes
from polyclinic.kernel.types.definitions import codings

R4_VERSION: Final = "4.0.1"
"""The version of all that R4 defines."""


def standard_codes(url: str) -> Codes | None:
    """Return the codes of a value set by its canonical; None where R4 requires no such one."""
    plain, bar, version = url.partition("|")
    if bar and version != R4_VERSION:
        return None
    try:
        return Codes(codings(plain))
    except KeyError:
        return None
