"""Policies of tenants: set, kept, and in force within a second in every process."""

import asyncio

import msgspec
import pytest

from polyclinic.kernel.access.policy import InvalidPolicy, shipped
from polyclinic.kernel.errors import Conflict, Forbidden

NEED = msgspec.json.encode(shipped("need-to-know").document)


async def test_without_one_of_its_own_a_tenant_has_the_policy_that_ships(clinic):
    policies = clinic.store.policies

    assert await policies.current(clinic.tenant.number) is shipped("organization")
    assert await policies.number(clinic.tenant.number) == 0


async def test_a_policy_that_is_set_holds_at_once_and_is_kept(clinic):
    policies, boss = clinic.store.policies, clinic.principal("administrator")
    number = await policies.set(boss, NEED)

    (kept,) = await policies.versions(boss)

    assert (await policies.current(clinic.tenant.number)).document.name == "need-to-know"
    assert (kept.number, kept.account, kept.document) == (number, boss.account, NEED)


async def test_a_policy_of_one_tenant_is_not_another_s(clinic, store, kek):
    other = await store.open_tenant(f"{clinic.tenant.name}-other", kek)
    await clinic.store.policies.set(clinic.principal("administrator"), NEED)

    theirs = await store.policies.current(other.number)

    assert theirs.document.name == "organization"


async def test_another_process_follows_within_a_second(clinic, twin):
    assert await twin.policies.number(clinic.tenant.number) == 0

    await clinic.store.policies.set(clinic.principal("administrator"), NEED)
    await asyncio.sleep(1.1)

    assert await twin.policies.number(clinic.tenant.number) == 1


@pytest.mark.parametrize("role", ["clinician", "patient", "nurse", "app"])
async def test_only_an_administrator_sets_or_sees_policies(clinic, role):
    with pytest.raises(Forbidden):
        await clinic.store.policies.set(clinic.principal(role), NEED)
    with pytest.raises(Forbidden):
        await clinic.store.policies.versions(clinic.principal(role))


async def test_a_policy_that_would_lock_the_administrator_out_is_refused(clinic):
    document = shipped("organization").document
    roles = {name: role for name, role in document.roles.items() if name != "administrator"}
    locked = msgspec.json.encode(msgspec.structs.replace(document, roles=roles))

    with pytest.raises(InvalidPolicy, match="administrator"):
        await clinic.store.policies.set(clinic.principal("administrator"), locked)


async def test_two_at_the_same_moment_make_two_versions_or_a_conflict(clinic):
    boss = clinic.principal("administrator")

    done = await asyncio.gather(
        *(clinic.store.policies.set(boss, NEED) for _ in range(6)), return_exceptions=True
    )

    numbers = [one for one in done if isinstance(one, int)]
    assert len(set(numbers)) == len(numbers) >= 1
    assert all(isinstance(one, int | Conflict) for one in done)
