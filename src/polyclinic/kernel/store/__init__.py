"""The one store of resources, on PostgreSQL. docs/explanation/store.md tells how it works."""

from polyclinic.kernel.store.conditional import Condition, Match, Matches
from polyclinic.kernel.store.differences import Difference, DifferencePage, Span
from polyclinic.kernel.store.directory import Listed, NotListed
from polyclinic.kernel.store.histories import HistoryQuery
from polyclinic.kernel.store.idempotency import Claim, StillRunning
from polyclinic.kernel.store.opening import open_store
from polyclinic.kernel.store.prepared import Change, Keeper
from polyclinic.kernel.store.rates import Rates, TooManyRequests
from polyclinic.kernel.store.simulation import Case, Simulation
from polyclinic.kernel.store.store import Store
from polyclinic.kernel.store.stored import Page, Stored, Written, instant
from polyclinic.kernel.store.tenancy import DEFAULT, KeyLost, Tenant
from polyclinic.kernel.store.undoing import Undone

__all__ = [
    "DEFAULT",
    "Case",
    "Change",
    "Claim",
    "Condition",
    "Difference",
    "DifferencePage",
    "HistoryQuery",
    "Keeper",
    "KeyLost",
    "Listed",
    "Match",
    "Matches",
    "NotListed",
    "Page",
    "Rates",
    "Simulation",
    "Span",
    "StillRunning",
    "Store",
    "Stored",
    "Tenant",
    "TooManyRequests",
    "Undone",
    "Written",
    "instant",
    "open_store",
]
