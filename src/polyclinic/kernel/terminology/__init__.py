"""Code systems and value sets as a search uses them, https://hl7.org/fhir/R4/terminologies.html."""

from polyclinic.kernel.terminology.definitions import Definitions, StoredDefinitions
from polyclinic.kernel.terminology.searches import asks_for_codes, with_codes

__all__ = ["Definitions", "StoredDefinitions", "asks_for_codes", "with_codes"]
