"""What this module adds: the panels in ``ui``, which the shell finds by itself."""

from polyclinic.kernel.module import Module

MODULE = Module(
    name="chart",
    summary="Shows a patient's record: problems, medications, allergies, vitals, labs, encounters.",
)
