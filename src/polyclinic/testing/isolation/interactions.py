"""How to call each interaction of the FHIR base: one row for each in ``CALLS``.

An interaction without a row makes the twin-world test fail: it would go unwatched.
https://hl7.org/fhir/R4/http.html
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Final

from polyclinic.kernel.rest.interactions import Interaction
from polyclinic.testing.isolation.calls import FHIR_JSON, JSON_PATCH, Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.operations import OPERATIONS, Key, Maker
from polyclinic.testing.isolation.population import ABSENT, ASKER, MINE, NOBODYS, THEIRS, moments
from polyclinic.testing.isolation.samples import Json
from polyclinic.testing.isolation.searches import (
    LINK,
    of_compartment,
    of_system,
    of_whole_compartment,
    search,
)
from polyclinic.testing.isolation.values import samples


class Unwatched(Exception):
    """Something that can be called has no row that says how the twin-world test calls it."""


def maker(interaction: Interaction) -> Maker:
    """Return how to call an interaction. Raise ``Unwatched`` with what to add."""
    key = interaction.code, interaction.method, interaction.shape
    if key not in CALLS:
        rows = "OPERATIONS" if interaction.code == "operation" else "CALLS"
        message = (
            f"The twin-world test does not know how to call {interaction.code} "
            f"{interaction.method} {'/'.join(interaction.shape) or '(base)'}. Add a row {key!r} to "
            f"{rows} in polyclinic/testing/isolation/{_FILES[rows]}: a function of a Chance and a "
            "resource type that returns a Call, about ids of THEIRS as often as of MINE."
        )
        raise Unwatched(message)
    return CALLS[key]


def identity(chance: Chance, resource_type: str) -> str:
    """Return an id: most often somebody else's, then one's own, nobody's, or of nothing."""
    mine = (ASKER,) if resource_type == "Patient" else MINE
    odd = "B-BOTH", "b-left%00", "..."
    options: Sequence[str] = (*THEIRS, *THEIRS, *mine, NOBODYS, ABSENT, *odd)
    return chance.choice(options)


def address(chance: Chance, resource_type: str) -> str:
    """Return the path of one resource, spelled as it should be or somewhat differently."""
    found = f"/fhir/{resource_type}/{identity(chance, resource_type)}"
    if chance.happens(0.05):
        return found.replace("/b-", "/%62-")
    return found + "/" if chance.happens(0.03) else found


def _read(chance: Chance, resource_type: str) -> Call:
    headers = chance.choice((*[()] * 3, *_read_conditions(chance)))
    method = chance.choice(("GET", "GET", "GET", "HEAD"))
    target = address(chance, resource_type)
    if chance.happens(0.2):
        target += f"?_asOf={chance.choice(moments()).isoformat().replace('+00:00', 'Z')}"
    return Call(method, target, headers)


def _read_conditions(chance: Chance) -> Sequence[tuple[tuple[str, str], ...]]:
    moment = format_datetime(chance.choice(moments()), usegmt=True)
    return (
        (("if-none-match", f'W/"{chance.randint(1, 3)}"'),),
        (("if-none-match", "*"),),
        (("if-modified-since", moment),),
        (("if-match", 'W/"1"'), ("if-unmodified-since", moment)),
    )


def _vread(chance: Chance, resource_type: str) -> Call:
    version = chance.choice(("1", "1", "2", "2", "3", "4", "0", "x"))
    headers = chance.choice((*[()] * 3, *_read_conditions(chance)))
    return Call("GET", f"{address(chance, resource_type)}/_history/{version}", headers)


def _of_instance(chance: Chance, resource_type: str) -> Call:
    return _history(chance, address(chance, resource_type), resource_type)


def _of_type(chance: Chance, resource_type: str) -> Call:
    return _history(chance, f"/fhir/{resource_type}", resource_type)


def _of_all(chance: Chance, resource_type: str) -> Call:
    return _history(chance, "/fhir", resource_type)


def _history(chance: Chance, of: str, resource_type: str) -> Call:
    query = []
    if chance.happens(0.5):
        query.append(f"_count={chance.choice((0, 1, 2, 5, 1000))}")
    if chance.happens(0.4):
        moment = chance.choice(moments()).isoformat().replace("+", "%2B")
        query.append(f"{chance.choice(('_since', '_at'))}={moment}")
    if chance.happens(0.1):
        query.append(f"_after={LINK % resource_type}")
    return Call("GET", f"{of}/_history" + (f"?{'&'.join(query)}" if query else ""))


def resource(chance: Chance, resource_type: str, resource_id: str | None) -> Json:
    """Return a body: the asker's, somebody else's or nobody's, under an id or without one."""
    body = {**chance.choice(samples(resource_type))}
    del body["id"]
    if resource_id is not None:
        body["id"] = resource_id
    return body


def _create(chance: Chance, resource_type: str) -> Call:
    body = resource(chance, resource_type, chance.choice((None, "b-left")))
    call = _sending("POST", f"/fhir/{resource_type}", body)
    if chance.happens(0.3):
        call = call.with_header("if-none-exist", _condition(chance, resource_type))
    return _preferring(chance, call)


def _preferring(chance: Chance, call: Call) -> Call:
    """Return a write as it is, or as a dry run."""
    return call.with_header("prefer", "dry-run") if chance.happens(0.15) else call


def _update(chance: Chance, resource_type: str) -> Call:
    at = address(chance, resource_type)
    wanted = at.rstrip("/").rpartition("/")[2].replace("%62", "b")
    call = _sending("PUT", at, resource(chance, resource_type, wanted))
    return _conditional(chance, call)


def _delete(chance: Chance, resource_type: str) -> Call:
    return _conditional(chance, Call("DELETE", address(chance, resource_type)))


def _patch(chance: Chance, resource_type: str) -> Call:
    steps = [
        {"op": "test", "path": "/language", "value": "en"},
        {"op": "test", "path": "/id", "value": "b-both"},
        {"op": "replace", "path": "/subject/reference", "value": f"Patient/{ASKER}"},
        {"op": "add", "path": "/language", "value": "fr"},
        {"op": "remove", "path": "/identifier"},
    ]
    if chance.happens(0.4):
        call = _sending("PATCH", address(chance, resource_type), _parameters(chance, resource_type))
        return _conditional(chance, call)
    chosen = chance.sample(steps, chance.randint(0, 3))
    headers = (("content-type", JSON_PATCH),)
    body = json.dumps(chosen).encode()
    call = Call("PATCH", address(chance, resource_type), headers, body)
    return _conditional(chance, call)


def _parameters(chance: Chance, resource_type: str) -> Json:
    """Return a FHIRPath Patch: some operations fit some of the types, and some resources only."""
    subject = {"valueReference": {"reference": f"Patient/{ASKER}"}}
    steps: list[tuple[str, str, str, Json]] = [
        ("add", resource_type, "language", {"valueCode": "fr"}),
        ("replace", f"{resource_type}.language", "", {"valueCode": "fr"}),
        ("replace", f"{resource_type}.subject", "", subject),
        ("delete", f"{resource_type}.identifier", "", {}),
        ("delete", f"{resource_type}.descendants().where($this = 'b-both')", "", {}),
    ]
    chosen = chance.sample(steps, chance.randint(0, 2))
    return {"resourceType": "Parameters", "parameter": [_operation(*one) for one in chosen]}


def _operation(kind: str, path: str, name: str, value: Json) -> Json:
    part = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    part += [{"name": "name", "valueString": name}] if name else []
    part += [{"name": "value", **value}] if value else []
    return {"name": "operation", "part": part}


def _condition(chance: Chance, resource_type: str) -> str:
    """Return a condition: by a search parameter, by an identifier, or by an id of somebody's."""
    if chance.happens(0.3):
        return f"_id={identity(chance, resource_type)}"
    return search(chance, resource_type).target.partition("?")[2] or "_id=b-left"


def _update_where(chance: Chance, resource_type: str) -> Call:
    body = resource(chance, resource_type, chance.choice((None, None, "b-left", ABSENT)))
    target = f"/fhir/{resource_type}?{_condition(chance, resource_type)}"
    return _conditional(chance, _sending("PUT", target, body))


def _patch_where(chance: Chance, resource_type: str) -> Call:
    target = f"/fhir/{resource_type}?{_condition(chance, resource_type)}"
    return _patch(chance, resource_type).to(target)


def _delete_where(chance: Chance, resource_type: str) -> Call:
    call = Call("DELETE", f"/fhir/{resource_type}?{_condition(chance, resource_type)}")
    return _conditional(chance, call)


def _conditional(chance: Chance, call: Call) -> Call:
    """Return a write with a condition on what is there, or as it is."""
    if chance.happens(0.2):
        return call.with_header("if-match", chance.choice(('W/"1"', 'W/"2"', 'W/"7"')))
    if chance.happens(0.1):
        return call.with_header("if-none-match", chance.choice(("*", 'W/"1"')))
    return _preferring(chance, call)


def _sending(method: str, target: str, body: Json) -> Call:
    return Call(method, target, (("content-type", FHIR_JSON),), json.dumps(body).encode())


def _transaction(chance: Chance, resource_type: str) -> Call:
    """Return a batch or a transaction of some requests, mostly to one type."""
    kind = chance.choice(("batch", "batch", "transaction"))
    makers = _IN_BATCH if kind == "batch" or chance.happens(0.2) else _IN_TRANSACTION
    entries = [
        _entry(chance, chance.choice(makers)(chance, resource_type))
        for _ in range(chance.randint(1, 4))
    ]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    call = _sending("POST", chance.choice(("/fhir", "/fhir/")), bundle)
    prefer = chance.choice(("minimal", "representation", "OperationOutcome"))
    if chance.happens(0.2):
        return call.with_header("prefer", f"return={prefer}")
    return _preferring(chance, call)


_CONDITIONS: Final = {
    "if-match": "ifMatch",
    "if-none-match": "ifNoneMatch",
    "if-none-exist": "ifNoneExist",
    "if-modified-since": "ifModifiedSince",
}


def _entry(chance: Chance, call: Call) -> Json:
    """Return a request as an entry of a Bundle."""
    asked = {"method": call.method, "url": call.target.removeprefix("/fhir/")}
    asked |= {_CONDITIONS[name]: text for name, text in call.headers if name in _CONDITIONS}
    entry: Json = {"request": asked}
    if chance.happens(0.3):
        entry["fullUrl"] = f"urn:uuid:{chance.getrandbits(128):032x}"
    if call.method == "PATCH" and ("content-type", JSON_PATCH) not in call.headers:
        entry["resource"] = json.loads(call.body)
    elif call.method == "PATCH":
        data = b64encode(call.body).decode()
        entry["resource"] = {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}
    if call.body and call.method in ("POST", "PUT"):
        body = json.loads(call.body)
        if chance.happens(0.3) and "subject" in body:
            reference = chance.choice(("Patient?identifier=number-birch", "Patient/b-named"))
            body["subject"] = {"reference": reference}
        entry["resource"] = body
    return entry


_WRITES: Final[Sequence[Maker]] = (
    _create,
    _update,
    _patch,
    _delete,
    _update_where,
    _patch_where,
    _delete_where,
)
_IN_TRANSACTION: Final[Sequence[Maker]] = (*_WRITES, _read)
_IN_BATCH: Final[Sequence[Maker]] = (
    _read,
    _vread,
    _of_instance,
    lambda chance, kind: Call("GET", search(chance, kind).target.replace("/_search", "")),
    *_WRITES,
)

CALLS: Final[dict[Key, Maker]] = {
    ("read", "GET", ("type", "id")): _read,
    ("vread", "GET", ("type", "id", "_history", "vid")): _vread,
    ("update", "PUT", ("type", "id")): _update,
    ("patch", "PATCH", ("type", "id")): _patch,
    ("delete", "DELETE", ("type", "id")): _delete,
    ("update", "PUT", ("type",)): _update_where,
    ("patch", "PATCH", ("type",)): _patch_where,
    ("delete", "DELETE", ("type",)): _delete_where,
    ("history-instance", "GET", ("type", "id", "_history")): _of_instance,
    ("history-type", "GET", ("type", "_history")): _of_type,
    ("create", "POST", ("type",)): _create,
    ("search-type", "GET", ("type",)): search,
    ("search-type", "POST", ("type", "_search")): search,
    ("search-type", "GET", ("compartment", "id", "type")): of_compartment,
    ("search-type", "POST", ("compartment", "id", "type", "_search")): of_compartment,
    ("search-system", "GET", ("compartment", "id", "*")): of_whole_compartment,
    ("search-system", "POST", ("compartment", "id", "*", "_search")): of_whole_compartment,
    ("search-system", "GET", ()): of_system,
    ("search-system", "POST", ("_search",)): of_system,
    ("history-system", "GET", ("_history",)): _of_all,
    ("transaction", "POST", ()): _transaction,
    **OPERATIONS,
}
"""Each interaction, and each operation."""
_FILES: Final = {"CALLS": "interactions.py", "OPERATIONS": "operations.py"}
