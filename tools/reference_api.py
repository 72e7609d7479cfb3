"""The reference page of the API: interactions, routes, and who may call them."""

from collections.abc import Iterator
from typing import Final

from markdown import HEAD, code, table

from polyclinic.app.modules import MODULES
from polyclinic.kernel.access.policy import SHIPPED, Granted, Verb, shipped
from polyclinic.kernel.rest.interactions import INTERACTIONS
from polyclinic.kernel.rest.interactions.table import Interaction
from polyclinic.kernel.types import RESOURCE_TYPES

_HEAD: Final = """# API

The FHIR base is `/fhir`, FHIR R4 (4.0.1), JSON. `GET /fhir/metadata` answers with the
CapabilityStatement.

## Who asks

A client sends `Authorization: Bearer TOKEN`; `polyclinic token --user NAME` makes one. A browser
has the cookie of its session, and sends `X-Polyclinic-Request: 1` with everything but GET and HEAD.
Without either, all but what is marked *anybody* answers 401.

## Interactions

All {count} resource types of R4 have them. A compartment is that of a Patient, an Encounter, a
Practitioner, a RelatedPerson or a Device; `*` stands for all types in it. `_summary` and
`_elements` leave parts of resources out of a search, a read, a vread and a history.

"""
_HEADERS: Final = """
| Header | With | What it does |
|---|---|---|
| `If-Match: W/"3"` | update, patch, delete | 412 unless version 3 is the current one |
| `If-None-Match: W/"3"` | read | 304 if version 3 is the current one |
| `If-None-Exist: identifier=a` | create | [unless](../howto/transactions.md) one matches |
| `If-Modified-Since` | read | 304 if it has not changed since |
| `Idempotency-Key: "8e03978e"` | POST | sent again, it is done once and answered the same |
| `Prefer: dry-run` | writes | [what it would do](../howto/transactions.md), and no more |
| `Prefer: return=minimal` | writes | no body in the answer |
| `Prefer: return=OperationOutcome` | writes | an OperationOutcome in the answer, not the resource |
| `Prefer: handling=strict` | search | an unknown parameter is an error |
| `Accept-Encoding: gzip`, `Content-Encoding: gzip` | all | compressed answer, compressed body |

A body is `application/fhir+json` (or `application/json`), a patch that (FHIRPath Patch) or
`application/json-patch+json`;
`POLYCLINIC_MAX_BODY` ([settings](settings.md)) limits its size. An update of what is not there
creates it. [Search](search.md) and [errors](errors.md) have pages of their own.
"""
_ROLES: Final = """
## Roles

What an account may do with each type of resource under the [policy](../howto/policies.md) that
ships first. *Own* and *represented*: the record of the patient that the account is or acts for, and
of types that need not belong to a patient, what belongs to nobody. *Some*: what has the category or
label that the policy names. What lies beyond is answered as if it did not exist. The role `job` is
that of commands and background jobs.

"""
_POLICY: Final = shipped(SHIPPED[0])
_NAMES: Final = tuple(_POLICY.document.roles)
_ROUTES: Final = """
## Other addresses

"""
_OF_THE_PLATFORM: Final = (
    ("`GET /healthz`", "anybody", "200 while the process is alive"),
    ("`GET /readyz`", "anybody", "200 when the database is reachable and migrated, else 503"),
    ("`GET /fhir/metadata`", "anybody", "the CapabilityStatement"),
    ("`GET` of any other path", "anybody", "the page that every screen starts from, and its files"),
)


def api_page() -> str:
    """Return the page of the API."""
    names = ("Interaction", "Method", "Path", "Of")
    return (
        HEAD
        + _HEAD.format(count=len(RESOURCE_TYPES))
        + table(names, map(_interaction, INTERACTIONS))
        + _HEADERS
        + _ROLES
        + table(("Types", *_NAMES), _rights())
        + _ROUTES
        + table(("Address", "Who", "What it does"), _routes())
    )


def _interaction(interaction: Interaction) -> tuple[str, str, str, str]:
    words = {"type": "Type", "compartment": "Compartment"}
    path = "/".join(("/fhir", *(words.get(word, word) for word in interaction.shape)))
    if interaction.method in ("PUT", "PATCH", "DELETE") and interaction.level == "type":
        path += "?condition"
    names = {"transaction": "transaction, batch"}
    name = names.get(interaction.code, interaction.code)
    return name, code(interaction.method), code(path), interaction.level


def _rights() -> Iterator[tuple[str, ...]]:
    """Yield a row for each group of types that every role treats alike, the largest last."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in RESOURCE_TYPES:
        groups.setdefault(tuple(_right(role, name) for role in _NAMES), []).append(name)
    *smaller, largest = sorted(groups.items(), key=lambda group: len(group[1]))
    for rights, names in smaller:
        yield (", ".join(names), *rights)
    yield (f"the other {len(largest[1])}", *largest[0])


def _right(role: str, resource_type: str) -> str:
    words = {Verb.READ: "read", Verb.UPDATE: "write"}
    found = [
        f"{words[verb]}{_limit(rules)}"
        for verb in words
        if (rules := _POLICY.granted(role, verb, resource_type))
    ]
    return ", ".join(found) or "no"


def _limit(rules: tuple[Granted, ...]) -> str:
    """Return in words how far rules for one type reach together."""
    if any(one.rule.whose == "everyone" and not one.where for one in rules):
        return ""
    if any(one.where for one in rules):
        return " some"
    persons = [one.rule.whose for one in rules if one.rule.whose != "nobody"]
    return f" {persons[0]}" if persons else " nobody's"


def _routes() -> Iterator[tuple[str, str, str]]:
    yield from _OF_THE_PLATFORM
    for module in MODULES:
        for route in module.routes:
            who = "anybody" if route.public else "who is signed in"
            said = " ".join((route.handler.__doc__ or "").split())
            yield code(f"{route.method} {route.path}"), who, said
