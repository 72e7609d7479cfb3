"""Each role against representative types: the table that the clinic's privacy rests on."""

import pytest

from polyclinic.kernel.access.decide import (
    EVERYTHING,
    WHOLE,
    Action,
    Extent,
    decide,
    may,
    readable_types,
)
from polyclinic.kernel.access.policy import SHIPPED, shipped
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Forbidden
from polyclinic.kernel.types import RESOURCE_TYPES

POLICY = shipped("organization")
NEED = shipped("need-to-know")
TYPES = (
    "Patient",
    "Observation",
    "MedicationRequest",
    "MedicationDispense",
    "Appointment",
    "Organization",
    "Slot",
    "Questionnaire",
    "AuditEvent",
)
TABLE = {
    #                Pat   Obs   MedR  MedD  App   Org   Slot  Ques  Audit
    "patient": ("r", "r", "r", "r", "r", "r", "r", "r", ""),
    "proxy": ("r", "r", "r", "r", "r", "r", "r", "r", ""),
    "clinician": ("rw", "rw", "rw", "rw", "rw", "rw", "rw", "r", ""),
    "nurse": ("rw", "rw", "r", "rw", "rw", "rw", "rw", "r", ""),
    "frontdesk": ("rw", "", "", "", "rw", "r", "rw", "", ""),
    "laboratory": ("r", "rw", "", "", "", "r", "r", "r", ""),
    "pharmacist": ("r", "r", "r", "rw", "", "r", "r", "r", ""),
    "administrator": ("", "", "", "", "", "rw", "rw", "rw", "r"),
    "epidemiologist": ("r", "r", "", "", "", "r", "r", "r", ""),
    "researcher": ("", "", "", "", "", "r", "r", "r", ""),
    "app": ("rw", "rw", "rw", "rw", "rw", "rw", "rw", "r", ""),
    "job": ("rw", "rw", "rw", "rw", "rw", "rw", "rw", "rw", "r"),
    "nobody we know": ("", "", "", "", "", "", "", "", ""),
}
ROWS = [
    (role, kind, rights)
    for role, row in TABLE.items()
    for kind, rights in zip(TYPES, row, strict=True)
]
READING = (Action.READ, Action.SEARCH)
WRITING = (Action.CREATE, Action.UPDATE)


def principal(*roles, patient=None, **more):
    return Principal(
        "someone", tenant=1, account=1, roles=frozenset(roles), patient=patient, **more
    )


def read(who, kind, policy=POLICY):
    return decide(policy, who, Action.READ, kind)


def test_the_table_has_every_role_that_ships():
    assert POLICY.roles == set(TABLE) - {"nobody we know"}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_that_ships_has_the_same_roles(name):
    assert shipped(name).roles == POLICY.roles
    assert shipped(name).document.name == name


@pytest.mark.parametrize(("role", "kind", "rights"), ROWS)
def test_a_role_may_do_what_the_table_says(role, kind, rights):
    who = principal(role, patient="p", represents=frozenset("q"))

    assert {may(POLICY, who, action, kind) for action in READING} == {"r" in rights}
    assert {may(POLICY, who, action, kind) for action in WRITING} == {"w" in rights}


def test_without_roles_nothing_is_allowed():
    assert readable_types(POLICY, principal()) == []


def test_a_patient_is_limited_to_the_own_record():
    decision = read(principal("patient", patient="p"), "Observation")

    assert decision.extents == (Extent(frozenset("p")),)


def test_a_proxy_is_limited_to_whom_it_represents():
    decision = read(principal("proxy", represents=frozenset("qr")), "Observation")

    assert decision.extents == (Extent(frozenset("qr")),)


def test_a_patient_sees_what_belongs_to_nobody_only_of_shared_types():
    own = principal("patient", patient="p")

    shared = {
        kind
        for kind in readable_types(POLICY, own)
        if any(extent.nobody for extent in read(own, kind).extents)
    }

    assert {"Organization", "Practitioner", "Questionnaire", "Medication"} <= shared
    assert {"Patient", "Observation", "Device", "Provenance"}.isdisjoint(shared)


@pytest.mark.parametrize("role", ["patient", "proxy"])
def test_an_account_without_a_record_reads_nothing(role):
    assert readable_types(POLICY, principal(role)) == []


@pytest.mark.parametrize("role", ["clinician", "nurse", "frontdesk", "administrator", "job"])
def test_staff_are_not_limited_to_a_patient(role):
    who = principal(role)

    assert {read(who, kind) for kind in readable_types(POLICY, who)} == {WHOLE}


@pytest.mark.parametrize("role", ["clinician", "nurse"])
def test_under_need_to_know_clinical_data_needs_a_care_relation(role):
    who = principal(role, practitioner="d")

    assert read(who, "Condition", NEED).extents == (Extent(care=True), Extent(nobody=True))
    assert read(who, "Patient", NEED) == WHOLE
    assert read(who, "Organization", NEED) == WHOLE


def test_under_need_to_know_whoever_is_no_practitioner_sees_nothing_clinical():
    with pytest.raises(Forbidden):
        read(principal("clinician"), "Condition", NEED)


def test_a_second_role_adds_rights_and_takes_none():
    both = principal("patient", "clinician", patient="p")

    assert read(both, "Observation") == WHOLE
    assert may(POLICY, both, Action.CREATE, "Observation")


def test_a_role_that_does_not_reach_a_type_does_not_widen_the_limit_there():
    both = principal("patient", "administrator", patient="p")

    assert read(both, "Observation").extents == (Extent(frozenset("p")),)


def test_the_laboratory_reaches_its_own_category_of_observations_only():
    (extent,) = read(principal("laboratory"), "Observation").extents

    assert extent.where
    assert extent.patients is None


@pytest.mark.parametrize("name", SHIPPED)
def test_nobody_writes_an_audit_event(name):
    policy = shipped(name)
    writers = [
        role
        for role in policy.roles
        for action in (*WRITING, Action.DELETE)
        if may(policy, principal(role, patient="p", practitioner="d"), action, "AuditEvent")
    ]

    assert writers == []


@pytest.mark.parametrize("name", SHIPPED)
def test_whoever_changes_a_type_may_read_it(name):
    policy = shipped(name)
    blind = [
        (role, kind)
        for role in policy.roles
        for kind in RESOURCE_TYPES
        for action in (Action.UPDATE, Action.DELETE)
        if may(policy, (who := principal(role, patient="p", practitioner="d")), action, kind)
        and not may(policy, who, Action.READ, kind)
    ]

    assert blind == []


SCOPED = [
    (("patient/Observation.rs",), "Observation", (Extent(frozenset("p")),)),
    (("patient/*.read",), "Condition", (Extent(frozenset("p")),)),
    (("patient/*.rs",), "Organization", (Extent(nobody=True),)),
    (("user/Observation.cruds",), "Observation", (EVERYTHING,)),
    (("user/Observation.r", "patient/Condition.rs"), "Condition", (Extent(frozenset("p")),)),
]


@pytest.mark.parametrize(("scopes", "kind", "extents"), SCOPED)
def test_scopes_narrow_what_the_roles_allow(scopes, kind, extents):
    assert read(principal("clinician", patient="p", scopes=scopes), kind).extents == extents


@pytest.mark.parametrize(
    "scopes",
    [
        (),
        ("openid", "launch/patient"),
        ("patient/Condition.rs",),
        ("user/Observation.cud",),
        ("user/Observation.write",),
        ("user/Observation.sr",),
        ("USER/Observation.rs",),
        ("user/Observation.rs?code:in=x",),
        ("user/Observation.rs?value-quantity=5",),
    ],
)
def test_what_no_scope_grants_is_refused(scopes):
    with pytest.raises(Forbidden):
        read(principal("clinician", patient="p", scopes=scopes), "Observation")


def test_scopes_add_nothing_to_the_roles():
    app = principal("nurse", scopes=("user/*.cruds", "system/*.cruds"))

    assert not may(POLICY, app, Action.CREATE, "MedicationRequest")


def test_a_finer_scope_adds_its_condition():
    scopes = ("user/Observation.rs?category=laboratory",)
    (extent,) = read(principal("clinician", scopes=scopes), "Observation").extents

    assert len(extent.where) == 1


def test_patient_scopes_without_a_patient_reach_nothing():
    with pytest.raises(Forbidden):
        read(principal("clinician", scopes=("patient/*.rs",)), "Observation")


def test_reading_and_searching_are_granted_apart():
    app = principal("clinician", scopes=("user/Observation.r",))

    assert may(POLICY, app, Action.READ, "Observation")
    assert not may(POLICY, app, Action.SEARCH, "Observation")


@pytest.mark.parametrize("scope", ["patient/AuditEvent.rs", "user/AuditEvent.rs?action=R"])
def test_i9_the_audit_record_is_refused_to_whom_a_limit_would_have_to_hold(scope):
    app = principal("administrator", patient="p", scopes=(scope,))

    with pytest.raises(Forbidden, match="every AuditEvent"):
        read(app, "AuditEvent")


def test_the_whole_audit_record_is_read_through_an_app_too():
    app = principal("administrator", scopes=("user/AuditEvent.rs",))

    assert read(app, "AuditEvent") is WHOLE
