"""The policy of a tenant: who may do what to which resources, as data.

A policy is a JSON document with groups of types and roles. A role is a list of rules, and each rule
adds rights; nothing takes one away but ``withheld`` labels. The documents that ship are in
``policies/``; docs/reference/policies.md says what they allow.

https://hl7.org/fhir/R4/security.html#binding
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from polyclinic.kernel.errors import BadRequest
from polyclinic.kernel.search.parameters import compartment_parameters
from polyclinic.kernel.search.predicate import AnyOf, Predicate, RefersTo, TokenIs, UriIs
from polyclinic.kernel.search.query import parse_query
from polyclinic.kernel.types import RESOURCE_TYPES

SHIPPED: Final = ("organization", "need-to-know")
"""The policies that ship; the first one holds until a tenant sets another."""

_TYPES: Final = frozenset(RESOURCE_TYPES)
_SERVER_WRITTEN: Final = frozenset({"AuditEvent"})
_LARGEST: Final = 256 * 1024


class InvalidPolicy(BadRequest):
    """A policy that cannot be used; the text says where and why."""


class Verb(StrEnum):
    """What a rule allows."""

    CREATE = "create"
    READ = "read"
    """Read, history and search."""
    UPDATE = "update"
    DELETE = "delete"


Whose = Literal["everyone", "nobody", "own", "represented", "care"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rights to some types, within a limit."""

    may: tuple[Verb, ...]
    on: tuple[str, ...]
    """Names of types, ``@group`` or ``*``."""
    whose: Whose = "everyone"
    """``nobody``: what belongs to no patient; ``own``, ``represented``: of the patient that the
    account is or acts for; ``care``: of patients with whom its Practitioner has a care relation."""
    but: tuple[str, ...] = ()
    """Types or groups that ``on`` would include and the rule does not."""
    where: str = ""
    """Token, reference or uri parameters that must hold too, as a search writes them."""
    purpose: tuple[str, ...] = ()
    """The purposes that it is for; empty: any."""


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of person, app or job may do."""

    title: str
    rules: tuple[Rule, ...]


class Withheld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A security label whose resources are nobody's to see."""

    label: str
    """``system|code``."""
    but: tuple[str, ...] = ()
    """Roles that see them all the same."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as it is written down."""

    name: str
    title: str
    roles: dict[str, Role]
    groups: dict[str, tuple[str, ...]] = {}
    withheld: tuple[Withheld, ...] = ()


class Granted(msgspec.Struct, frozen=True, eq=False):
    """A rule as it holds for one type."""

    role: str
    number: int
    """Where it stands among the role's rules, from 1."""
    rule: Rule
    where: tuple[Predicate, ...]
    """Each part is a token, reference or uri, or some of them of which one must hold."""


class Policy:
    """A policy that was checked, by role, verb and type."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._granted: dict[tuple[str, Verb, str], tuple[Granted, ...]] = {}
        for name, role in document.roles.items():
            for number, rule in enumerate(role.rules, 1):
                self._add(name, number, rule)

    @property
    def roles(self) -> frozenset[str]:
        """Return the names of its roles."""
        return frozenset(self.document.roles)

    def granted(self, role: str, verb: Verb, resource_type: str) -> tuple[Granted, ...]:
        """Return the rules of a role that allow something on a type."""
        return self._granted.get((role, verb, resource_type), ())

    def _add(self, role: str, number: int, rule: Rule) -> None:
        place = f"roles.{role}.rules[{number - 1}]"
        types = self._types(rule.on, place) - self._types(rule.but, place)
        if not rule.may or not types:
            message = f"{place} allows nothing."
            raise InvalidPolicy(message)
        for verb in rule.may:
            allowed = types if verb is Verb.READ else types - _SERVER_WRITTEN
            for name in sorted(allowed):
                where = _where(name, rule.where, place)
                found = Granted(role, number, rule, where)
                self._granted[role, verb, name] = (*self.granted(role, verb, name), found)

    def _types(self, names: tuple[str, ...], place: str) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            if name == "*":
                found |= _TYPES
            elif name.startswith("@") and name[1:] in self.document.groups:
                found |= self._types(_plain(self.document.groups[name[1:]], name), name)
            elif name in _TYPES:
                found.add(name)
            else:
                message = f"{place}: {name[:64]} is neither a resource type nor a group."
                raise InvalidPolicy(message)
        return frozenset(found)


def read_policy(data: bytes) -> Policy:
    """Return the policy that a JSON document holds. Raise ``InvalidPolicy`` for the first fault."""
    if len(data) > _LARGEST:
        message = f"A policy has at most {_LARGEST} bytes."
        raise InvalidPolicy(message)
    try:
        document = msgspec.json.decode(data, type=Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"This is not a policy: {error}."
        raise InvalidPolicy(message) from None
    for withheld in document.withheld:
        if not all(withheld.label.partition("|")[::2]):
            message = f"withheld: {withheld.label[:64]} is not of the form system|code."
            raise InvalidPolicy(message)
        for role in withheld.but:
            if role not in document.roles:
                message = f"withheld: there is no role {role[:64]}."
                raise InvalidPolicy(message)
    return Policy(document)


@cache
def shipped(name: str) -> Policy:
    """Return a policy that ships."""
    return read_policy(files(__package__).joinpath(f"policies/{name}.json").read_bytes())


@cache
def in_patient_compartment(resource_type: str) -> bool:
    """Say whether resources of a type can belong to a patient."""
    return resource_type == "Patient" or bool(compartment_parameters(resource_type))


def conditions(resource_type: str, text: str) -> tuple[Predicate, ...]:
    """Return what a query string asks of a type.

    Raise ``BadRequest`` for what is not a token, reference or uri parameter of the type.
    """
    given = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&"))]
    query, _ = parse_query(resource_type, given, "", strict=True)
    if len(query.conditions) != len(given):
        # What says how an answer looks limits nothing.
        message = f"{text[:200]}: only search parameters can limit what is seen."
        raise BadRequest(message)
    for part in query.where.parts:
        parts = part.parts if isinstance(part, AnyOf) else (part,)
        if not all(isinstance(one, TokenIs | RefersTo | UriIs) for one in parts):
            message = f"{text[:200]}: only tokens, references and uris can limit what is seen."
            raise BadRequest(message)
    return query.where.parts


def _where(resource_type: str, text: str, place: str) -> tuple[Predicate, ...]:
    if not text:
        return ()
    try:
        return conditions(resource_type, text)
    except BadRequest as error:
        message = f"{place}.where: {error.issues[0].diagnostics}"
        raise InvalidPolicy(message) from None


def _plain(names: tuple[str, ...], group: str) -> tuple[str, ...]:
    if any(name.startswith("@") for name in names):
        message = f"{group}: a group names types only."
        raise InvalidPolicy(message)
    return names
