"""Each role against representative types: the table that the clinic's privacy rests on."""

import pytest

from polyclinic.kernel.access.decide import ROLES, Action, decide, readable_types
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.types import RESOURCE_TYPES

TYPES = (
    "Patient",
    "Observation",
    "MedicationRequest",
    "Appointment",
    "Organization",
    "Slot",
    "Questionnaire",
    "AuditEvent",
)
TABLE = {
    #                 Pat   Obs   MedR  App   Org   Slot  Ques  Audit
    "patient": ("r", "r", "r", "r", "r", "r", "r", ""),
    "clinician": ("rw", "rw", "rw", "rw", "rw", "rw", "r", ""),
    "nurse": ("rw", "rw", "r", "rw", "rw", "rw", "r", ""),
    "frontdesk": ("rw", "", "", "rw", "r", "rw", "", ""),
    "administrator": ("", "", "", "", "rw", "rw", "rw", ""),
    "job": ("rw", "rw", "rw", "rw", "rw", "rw", "rw", "r"),
    "nobody we know": ("", "", "", "", "", "", "", ""),
}
ROWS = [
    (role, kind, rights)
    for role, row in TABLE.items()
    for kind, rights in zip(TYPES, row, strict=True)
]
READING = (Action.READ, Action.SEARCH)
WRITING = (Action.CREATE, Action.UPDATE, Action.DELETE)


def principal(*roles, patient=None):
    return Principal("someone", tenant=1, account=1, roles=frozenset(roles), patient=patient)


def allowed(who, action, kind):
    try:
        decide(who, action, kind)
    except Forbidden:
        return False
    return True


def test_the_table_has_every_role_that_ships():
    assert set(ROLES) == set(TABLE) - {"nobody we know"}


@pytest.mark.parametrize(("role", "kind", "rights"), ROWS)
def test_a_role_may_do_what_the_table_says(role, kind, rights):
    who = principal(role, patient="p")

    assert {allowed(who, action, kind) for action in READING} == {"r" in rights}
    assert {allowed(who, action, kind) for action in WRITING} == {"w" in rights}


def test_without_roles_nothing_is_allowed():
    assert readable_types(principal()) == []


def test_a_patient_is_limited_to_the_own_record():
    assert decide(principal("patient", patient="p"), Action.READ, "Observation").own_patient == "p"


def test_a_patient_sees_what_belongs_to_nobody_only_of_shared_types():
    own = principal("patient", patient="p")

    shared = [kind for kind in readable_types(own) if decide(own, Action.READ, kind).shared]

    assert {"Organization", "Practitioner", "Questionnaire", "Medication"} <= set(shared)
    assert {"Patient", "Observation", "Device", "Provenance"}.isdisjoint(shared)


def test_an_account_without_a_record_reads_nothing():
    assert readable_types(principal("patient")) == []


@pytest.mark.parametrize("role", ["clinician", "nurse", "frontdesk", "administrator", "job"])
def test_staff_are_not_limited_to_a_patient(role):
    who = principal(role)

    limits = {decide(who, Action.READ, kind).own_patient for kind in readable_types(who)}

    assert limits == {None}


def test_a_second_role_adds_rights_and_takes_none():
    both = principal("patient", "clinician", patient="p")

    assert decide(both, Action.READ, "Observation").own_patient is None
    assert allowed(both, Action.CREATE, "Observation")


def test_a_role_that_does_not_reach_a_type_does_not_widen_the_limit_there():
    both = principal("patient", "administrator", patient="p")

    assert decide(both, Action.READ, "Observation").own_patient == "p"


def test_nobody_writes_an_audit_event():
    writers = [name for name, role in ROLES.items() if "AuditEvent" in role.writes]

    assert writers == []


def test_roles_name_types_of_r4_only():
    named = {kind for role in ROLES.values() for kind in role.reads | role.writes | role.shared}

    assert named <= set(RESOURCE_TYPES)


def test_whoever_writes_a_type_may_read_it():
    blind = {name: role.writes - role.reads for name, role in ROLES.items()}

    assert {name: sorted(kinds) for name, kinds in blind.items() if kinds} == {}
