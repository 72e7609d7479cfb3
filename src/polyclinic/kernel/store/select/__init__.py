"""A query as SQL. The only place where SQL is put together; every value is an argument.

A search reads ``keys`` for what is hashed, the narrow tables for what has an order, and joins
``resource``, which has the last word on what is deleted and who may see it. A page in the order of
a value walks that value's index in order and stops at its end; what has no such value follows, as
a second statement.
"""

from polyclinic.kernel.store.select.dear import dear, is_selective
from polyclinic.kernel.store.select.differences import Between, differences
from polyclinic.kernel.store.select.few import FEW, Once, few
from polyclinic.kernel.store.select.includes import MOST_INCLUDED, Match, includable, included
from polyclinic.kernel.store.select.many import many
from polyclinic.kernel.store.select.order import has_rest, in_memory
from polyclinic.kernel.store.select.pages import MOST_SORTED, page, total, unsorted
from polyclinic.kernel.store.select.snapshots import answering, referred, referring
from polyclinic.kernel.store.select.statement import (
    Among,
    Asked,
    Phase,
    Place,
    Scope,
    Seen,
    Statement,
)
from polyclinic.kernel.store.select.walked import walked

__all__ = [
    "FEW",
    "MOST_INCLUDED",
    "MOST_SORTED",
    "Among",
    "Asked",
    "Between",
    "Match",
    "Once",
    "Phase",
    "Place",
    "Scope",
    "Seen",
    "Statement",
    "answering",
    "dear",
    "differences",
    "few",
    "has_rest",
    "in_memory",
    "includable",
    "included",
    "is_selective",
    "many",
    "page",
    "referred",
    "referring",
    "total",
    "unsorted",
    "walked",
]
