"""Leaks that are planted on purpose: the generated requests find each of them.

Searches have a file of their own.
"""

from dataclasses import replace

import msgspec
import pytest

from polyclinic.kernel.access import decide
from polyclinic.kernel.access.policy import Policy
from polyclinic.kernel.errors import Conflict, Forbidden, Gone, NotFound, VersionConflict
from polyclinic.kernel.store import Store, select
from polyclinic.kernel.store import store as store_module
from polyclinic.kernel.store.checking import Checker
from polyclinic.kernel.store.conditional import Bounded
from polyclinic.kernel.store.policies import Policies
from polyclinic.kernel.store.reach import EVERYTHING
from polyclinic.kernel.store.writes import Writes
from polyclinic.kernel.types import type_number
from polyclinic.testing.isolation.planted import Leaks, as_job

TYPES = ("Patient", "Observation", "Encounter", "Provenance")
FEW = ("Provenance", "Flag") * 5
TIMES = 12
"""How often each request is made at most; most leaks are found by the first few."""

leak = Leaks(TYPES)


async def there(store, principal, resource_type, identity):
    """Return what nobody else may learn: a resource's current version, None where there is none."""
    try:
        return await ORIGINAL_READ(store, as_job(principal), resource_type, identity)
    except NotFound:
        return None


ORIGINAL_READ = Store.read


async def without_limit(original, store, principal, *rest):
    return await original(store, as_job(principal), *rest)


@leak("a read forgets the limit")
def _(plant):
    plant.method("read", without_limit)


@leak("the read of a version forgets the limit")
def _(plant):
    plant.method("vread", without_limit)


@leak("a history forgets the limit")
def _(plant):
    plant.method("history", without_limit)


@leak("versions from when a resource was somebody else's are in its history", types=FEW)
def _(plant):
    async def history(original, store, principal, query):
        if query.id:
            await store.read_or_gone(principal, query.resource_type, query.id)
            return await original(store, as_job(principal), query)
        return await original(store, principal, query)

    plant.method("history", history)


@leak("the history of a type is open to all")
def _(plant):
    async def history(original, store, principal, query):
        return await original(store, principal if query.id else as_job(principal), query)

    plant.method("history", history)


@leak("what is hidden is taken off a page that was cut before")
def _(plant):
    async def search(original, store, principal, query):
        page = await original(store, as_job(principal), query)
        seen = [one for one in page.entries if await may_see(store, principal, one)]
        return replace(page, entries=tuple(seen))

    async def may_see(store, principal, one):
        try:
            await store.read(principal, one.type, one.id)
        except (Forbidden, NotFound):
            return False
        return True

    plant.method("search", search)


def telling(error_for):
    """Return a read whose refusal depends on what is there."""

    async def read(original, store, principal, *place):
        try:
            return await original(store, principal, *place)
        except Gone:
            raise
        except NotFound:
            raise error_for(await there(store, principal, *place)) from None

    return read


@leak("what is hidden is refused with 403, what is not there with 404")
def _(plant):
    plant.method("read", telling(lambda found: Forbidden() if found else NotFound()))


@leak("an error names the version of what is hidden")
def _(plant):
    plant.method("read", telling(lambda found: NotFound(f"It has {found and found.version}.")))


@leak("what was deleted of others is gone, not missing")
def _(plant):
    async def read(original, store, principal, *place):
        try:
            return await original(store, principal, *place)
        except NotFound as error:
            try:
                await ORIGINAL_READ(store, as_job(principal), *place)
            except Gone as gone:
                raise gone from None
            except NotFound:
                pass
            raise error from None

    plant.method("read", read)


@leak("what others only refer to is answered unlike what nobody names")
def _(plant):
    async def read(original, store, principal, kind, identity):
        try:
            return await original(store, principal, kind, identity)
        except NotFound:
            if await store._placement.find(principal.tenant, [(type_number(kind), identity)]):
                raise Gone from None
            raise

    plant.method("read", read)


@leak("the answer to what is hidden takes longer")
def _(plant):
    async def read(original, store, principal, *place):
        try:
            return await original(store, principal, *place)
        except NotFound:
            if found := await there(store, principal, *place):
                await store.vread(as_job(principal), found.type, found.id, found.version)
            raise

    plant.method("read", read)


@leak("an update looks for a conflict before it asks for leave")
def _(plant):
    async def update(original, store, principal, resource, *rest):
        if await there(store, principal, resource.type, resource.id):
            raise VersionConflict
        return await original(store, principal, resource, *rest)

    plant.method("update", update)


@leak("a deletion looks for the resource before it asks for leave")
def _(plant):
    async def delete(original, store, principal, *rest):
        if not await there(store, principal, *rest[:2]):
            raise NotFound
        return await original(store, principal, *rest)

    plant.method("delete", delete)


@leak("a transaction names what stands against it before it asks for leave", types=FEW)
def _(plant):
    may_write = Writes.may_write

    async def first_looks(writes, principal, changes):
        store = writes._rights.read.__self__
        if [one for one in changes if await there(store, principal, one.type, one.id)]:
            raise Conflict
        return await may_write(writes, principal, changes)

    plant.patch.setattr(Writes, "may_write", first_looks)


@leak("a condition, such as If-None-Exist, finds what is hidden")
def _(plant):
    async def unlimited(_writes, _principal, conditions):
        return [
            Bounded(one, dict.fromkeys(select.walked(one.query), EVERYTHING)) for one in conditions
        ]

    plant.patch.setattr(Writes, "_bounded", unlimited)


@leak("a conditional read is answered before the limit")
def _(plant):
    async def conditional(call, ask):
        reply = await ask(call)
        asked = await ask(plant.by_clinician(call)) if call.method == "GET" else reply
        return asked if asked.status == 304 else reply

    plant.front(conditional)


@leak("the entity tag of what is hidden stands in the headers of 404")
def _(plant):
    async def tagged(call, ask):
        reply = await ask(call)
        if reply.status != 404 or call.method != "GET":
            return reply
        hidden = dict((await ask(plant.by_clinician(call))).headers)
        tags = ((b"etag", hidden[b"etag"]),) if b"etag" in hidden else ()
        return replace(reply, headers=(*reply.headers, *tags))

    plant.front(tagged)


@leak("an answer is kept for the address, whoever asked")
def _(plant):
    async def kept(call, ask):
        reply = await ask(call)
        if call.method == "GET" and "?" in call.target and reply.status == 200:
            return await ask(plant.by_clinician(call))
        return reply

    plant.front(kept)


@leak("a rule opens what is nobody's of every type", types=("Device", "Substance"))
def _(plant):
    original, wide = Policies.current, {}

    async def current(policies, tenant):
        if tenant not in wide:
            wide[tenant] = widened((await original(policies, tenant)).document)
        return wide[tenant]

    plant.patch.setattr(Policies, "current", current)


def widened(document):
    role = document.roles["reads-own"]
    own, shared = role.rules
    wide = msgspec.structs.replace(role, rules=(own, msgspec.structs.replace(shared, on=("*",))))
    roles = document.roles | {"reads-own": wide}
    return Policy(msgspec.structs.replace(document, roles=roles))


@leak("the policy is tried out by anybody")
def _(plant):
    plant.patch.setattr(store_module, "may_simulate", lambda _: None)


@leak("the audit record keeps no limit", types=("AuditEvent",))
def _(plant):
    plant.patch.setattr(decide, "_WHOLE_OR_NOT", frozenset())


@leak("care relations are looked up only for what is there", caller="doctor")
def _(plant):
    original = Checker.cared

    async def cared(checker, tenant, reach, patients):
        return await original(checker, tenant, reach, patients) if patients else frozenset()

    plant.patch.setattr(Checker, "cared", cared)


@pytest.mark.parametrize("what", leak.found)
async def test_a_planted_leak_is_found(what, shows):
    assert await shows(leak.found[what], TIMES)


async def test_without_a_leak_the_same_requests_find_nothing(twins, callers, planned):
    (reader,) = [one for one in callers if one.name == "reader"]

    assert str(await twins.first(planned(reader, TYPES, 6)) or "") == ""


def test_there_are_leaks_of_every_kind():
    assert len(leak.found) >= 20
