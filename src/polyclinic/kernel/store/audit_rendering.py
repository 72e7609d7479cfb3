"""An audit row as AuditEvent, by the Basic Audit Log Patterns of IHE (BALP 1.1.3).

https://profiles.ihe.net/ITI/BALP/, https://hl7.org/fhir/R4/auditevent.html. The patterns ask for
the client's network address, which no row holds; so the client is left out, and ``meta.profile``
claims nothing.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from polyclinic.base.crypto import CannotOpen
from polyclinic.kernel.store.audit import Interaction
from polyclinic.kernel.store.stored import Stored, instant
from polyclinic.kernel.types import type_name

_REST: Final = "http://hl7.org/fhir/restful-interaction"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class Event(NamedTuple):
    """One AuditEvent: a row of the audit table, and one of its patients."""

    at: datetime
    worker: int
    counter: int
    n: int
    """Which of the row's patients, from 1; 0 in a row without one."""
    patient: int | None
    """The patient's rid."""
    account: int
    action: bytes
    outcome: int
    type: int
    """0: no single type."""
    rid: int
    version: int
    detail: bytes | None
    request: UUID | None
    interaction: int | None
    resource_type: int | None
    resource_id: str | None
    patient_id: str | None


class _Pattern(NamedTuple):
    """What a pattern says of one action."""

    subtype: str
    user: Json
    server: Json


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


_RECIPIENT: Final = _coding(_PARTICIPATION, "IRCP", "information recipient")
_AUTHOR: Final = _coding(_PARTICIPATION, "AUT", "author (originator)")
_SOURCE: Final = _coding(_DICOM, "110153", "Source Role ID")
_DESTINATION: Final = _coding(_DICOM, "110152", "Destination Role ID")
_APPLICATION: Final = _coding(_DICOM, "110150", "Application")
_CUSTODIAN: Final = _coding(
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian"
)
_PATTERNS: Final = {
    b"C": _Pattern("create", _AUTHOR, _DESTINATION),
    b"R": _Pattern("read", _RECIPIENT, _SOURCE),
    b"U": _Pattern("update", _AUTHOR, _DESTINATION),
    b"D": _Pattern("delete", _AUTHOR, _CUSTODIAN),
    # Where a query goes to, not the data: so says the pattern.
    b"E": _Pattern("search-type", _RECIPIENT, _DESTINATION),
}
_SUBTYPES: Final[dict[int | None, str]] = {
    Interaction.VREAD: "vread",
    Interaction.HISTORY_INSTANCE: "history-instance",
    Interaction.HISTORY_TYPE: "history-type",
    Interaction.HISTORY_SYSTEM: "history-system",
    Interaction.SEARCH_TYPE: "search-type",
    Interaction.OPERATION: "operation",
    Interaction.TRANSACTION: "transaction",
}
_REHEARSAL: Final = _coding(
    "https://polyclinic.example/fhir/CodeSystem/audit-subtype", "dry-run", "Dry run: nothing stored"
)
_OUTCOMES: Final = {4: "It failed: nothing there, or a conflict.", 8: "It was refused."}
_REQUEST_ID: Final = {
    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "code": "XrequestId",
}


def rendered(event: Event, event_id: str, site: str, opened: Callable[[bytes], bytes]) -> Stored:
    """Return the AuditEvent; ``opened`` opens what the row says in words."""
    is_farewell = event.interaction == Interaction.FAREWELL
    body: Json = {"resourceType": "AuditEvent", "id": event_id}
    body |= _farewell(event) if is_farewell else _restful(event)
    body["source"] = {
        "site": site,
        "observer": _server(event),
        "type": [
            _coding(
                "http://terminology.hl7.org/CodeSystem/security-source-type",
                "4",
                "Application Server",
            )
        ],
    }
    if not is_farewell:
        body["entity"] = _entities(event, opened)
    return Stored("AuditEvent", event_id, 1, event.at, deleted=False, body=_encode(body))


def _restful(event: Event) -> Json:
    pattern = _PATTERNS[event.action]
    subtype = _SUBTYPES.get(event.interaction, pattern.subtype)
    rehearsed = [_REHEARSAL] if event.interaction == Interaction.REHEARSAL else []
    said = {"outcomeDesc": _OUTCOMES[event.outcome]} if event.outcome else {}
    who: Json = {"identifier": {"value": str(event.account)}}
    if event.account == 0:
        who = {"display": "A job of the server"}
    return {
        "type": _coding(
            "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation"
        ),
        "subtype": [_coding(_REST, subtype, subtype), *rehearsed],
        "action": event.action.decode(),
        "recorded": instant(event.at),
        "outcome": str(event.outcome),
        **said,
        "agent": [
            {"type": {"coding": [pattern.user]}, "who": who, "requestor": True},
            {"type": {"coding": [pattern.server]}, "who": _server(event), "requestor": False},
        ],
    }


def _farewell(event: Event) -> Json:
    """Return the end of a process, DICOM PS3.15 A.5.3.1."""
    return {
        "type": _coding(_DICOM, "110100", "Application Activity"),
        "subtype": [_coding(_DICOM, "110121", "Application Stop")],
        "action": "E",
        "recorded": instant(event.at),
        "outcome": "0",
        "agent": [{"type": {"coding": [_APPLICATION]}, "who": _server(event), "requestor": False}],
    }


def _server(event: Event) -> Json:
    return {"display": f"Polyclinic, process {event.worker}"}


def _entities(event: Event, opened: Callable[[bytes], bytes]) -> list[Json]:
    entities: list[Json] = []
    if event.request is not None:
        what = {"identifier": {"value": str(event.request)}}
        entities.append({"what": what, "type": _REQUEST_ID})
    if event.patient is not None:
        entities.append(
            {
                "what": _patient(event),
                "type": _coding(_ENTITY, "1", "Person"),
                "role": _coding(_ROLE, "1", "Patient"),
            }
        )
    system_object = {"type": _coding(_ENTITY, "2", "System Object")}
    if event.action == b"E":
        query = system_object | {"role": _coding(_ROLE, "24", "Query")}
        entities.append(query | _query(event, opened))
    else:
        data = {"what": _data(event, opened)} | system_object
        entities.append(data | {"role": _coding(_ROLE, "4", "Domain Resource")})
    return entities


def _patient(event: Event) -> Json:
    if event.patient_id is None:
        return {"type": "Patient", "display": "A patient whose record is no longer here"}
    return {"reference": f"Patient/{event.patient_id}"}


def _data(event: Event, opened: Callable[[bytes], bytes]) -> Json:
    """Return what was acted upon, as precisely as the row tells."""
    if event.resource_id is not None and event.resource_type is not None:
        reference = f"{type_name(event.resource_type)}/{event.resource_id}"
        return {
            "reference": f"{reference}/_history/{event.version}" if event.version else reference
        }
    if event.type == 0:
        return {"display": "No single resource"}
    name = type_name(event.type)
    said = _said(event, opened)
    if isinstance(said, str):
        return {"reference": f"{name}/{said}"}
    return {"type": name, "display": f"{name}: no single resource, or one that is not there"}


def _query(event: Event, opened: Callable[[bytes], bytes]) -> Json:
    """Return the address that was asked, below the base."""
    name = type_name(event.type) if event.type else ""
    if event.interaction in (Interaction.HISTORY_TYPE, Interaction.HISTORY_SYSTEM):
        return _asked(f"{name}/_history".lstrip("/"))
    said = _said(event, opened)
    if event.detail is not None and said is None:
        return {"description": "What was asked cannot be read any more."}
    if isinstance(said, str):
        return _asked(said)
    return _asked(f"{name}?{urlencode(said)}" if said else name or "/")


def _asked(address: str) -> Json:
    return {"query": b64encode(address.encode()).decode()}


def _said(event: Event, opened: Callable[[bytes], bytes]) -> str | list[tuple[str, str]] | None:
    """Return what the row says in words: an id, or the parameters of a search."""
    if event.detail is None:
        return None
    try:
        return msgspec.msgpack.decode(opened(event.detail), type=str | list[tuple[str, str]])
    except (CannotOpen, msgspec.MsgspecError):
        return None
