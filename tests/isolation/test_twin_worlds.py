"""Whoever must not see others gets the same answers in two worlds that differ only in others.

docs/explanation/isolation.md tells what is compared. A failure shows the request and what differed.
"""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.kernel.module import Module, Route
from polyclinic.kernel.rest.interactions import INTERACTIONS, Interaction
from polyclinic.kernel.search.parameters import compartment_parameters
from polyclinic.kernel.types import RESOURCE_TYPES
from polyclinic.testing.isolation.calls import Call
from polyclinic.testing.isolation.chance import Chance
from polyclinic.testing.isolation.interactions import CALLS, Unwatched
from polyclinic.testing.isolation.plan import Plan
from polyclinic.testing.isolation.population import MINE, STORED, THEIRS
from polyclinic.testing.isolation.routes import declared, route_maker

SEED = 20260302
"""The seed of the requests that every run makes; ``make fuzz`` takes others."""
MODULES = Path(str(files("polyclinic"))) / "modules"
ROUTE_CALLS = 4
"""Requests to each route; signing in costs a fifth of a second."""
KNOWN = {
    **declared(MODULES),
    "GET /gate/known": lambda chance: Call("GET", f"/gate/known?id={chance.choice(THEIRS)}"),
}


@pytest.mark.timeout(240)
async def test_i1_i2_i3_i4_i5_one_learns_nothing_of_others(twins, caller):
    calls = [caller.signed(call) for call in caller.bounded().everything(SEED)]

    assert str(await twins.first(calls) or "") == ""


async def test_i7_the_routes_of_modules_tell_nothing_of_others(twins, caller, served_modules):
    chance = Chance(SEED)
    makers = [route_maker(one, route, KNOWN) for one in served_modules for route in one.routes]
    calls = [caller.signed(make(chance)) for make in makers for _ in range(ROUTE_CALLS)]

    assert str(await twins.first(calls) or "") == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 2**64 - 1))
async def test_i1_i2_i3_i4_i5_no_seed_finds_a_difference(twins, callers, data, seed):
    caller = data.draw(st.sampled_from(callers))
    calls = [caller.signed(call) for call in caller.plan().some(seed)]

    assert str(await twins.first(calls) or "") == ""


async def test_a_route_that_leaks_is_found(twins, patient, telling):
    calls = [patient.signed(Call("GET", f"/gate/known?id={identity}")) for identity in THEIRS]
    telling()

    assert await twins.first(calls) is not None


async def test_somebody_without_a_token_learns_nothing(twins):
    calls = Plan(INTERACTIONS, ["Patient", "Observation", "Organization"]).everything(SEED)

    assert str(await twins.first(calls) or "") == ""


@pytest.mark.parametrize("kind", STORED)
async def test_the_worlds_do_differ(twins, clinician, shared_types, kind):
    call = clinician.signed(Call("GET", f"/fhir/{kind}?_total=accurate"))

    found = await twins.difference(call)

    is_others = kind not in shared_types or bool(compartment_parameters(kind))
    assert (found is not None) is is_others


async def test_the_asker_is_answered_with_a_record(twins, reader):
    calls = [reader.signed(call) for call in reader.plan(RESOURCE_TYPES[::8]).everything(SEED)]
    replies = [(await twins.ask(call, call))[0][0] for call in calls]

    statuses = Counter(reply.status for reply in replies)
    full = sum(b'"fullUrl"' in reply.body for reply in replies)
    assert statuses[200] > len(replies) / 4
    assert full > len(replies) / 16
    assert {200, 400, 403, 404} <= set(statuses)


@pytest.mark.parametrize("below", ["", "/_history", "/_history/1"])
@pytest.mark.parametrize("kind", ["Observation", "Condition"])
async def test_i1_nothing_of_what_is_hidden_leaves_the_database(twins, patient, kind, below):
    fetched = {}
    for identity in ("a-1", "b-both", "n-1"):
        call = patient.signed(Call("GET", f"/fhir/{kind}/{identity}{below}"))
        (_, work), _ = await twins.ask(call, call)
        fetched[identity] = work.fetched

    assert fetched["a-1"] > 0
    assert fetched["b-both"] == fetched["n-1"] == 0


@pytest.mark.parametrize("kind", ["Observation", "Provenance", "Claim"])
async def test_the_asker_sees_all_that_is_its_own_and_no_more(twins, reader, kind):
    call = reader.signed(Call("GET", f"/fhir/{kind}?_total=accurate"))
    (reply, _), _ = await twins.ask(call, call)

    bundle = msgspec.json.decode(reply.body)
    assert {entry["resource"]["id"] for entry in bundle["entry"]} == set(MINE) - {"a-gone"}
    assert bundle["total"] == len(MINE) - 1


def test_every_interaction_is_called():
    plan = Plan(INTERACTIONS, ["Observation"])

    assert len(list(plan.everything(SEED))) > len(INTERACTIONS)
    assert {(one.code, one.method, one.shape) for one in INTERACTIONS} == set(CALLS)


async def _answer(store, request):
    raise NotImplementedError


def test_an_interaction_that_nobody_calls_fails_with_what_to_add():
    unknown = Interaction("operation", "POST", ("type", "id", "$everything"), _answer)
    plan = Plan([*INTERACTIONS, unknown], ["Observation"])

    with pytest.raises(
        Unwatched, match=r"Add a row .*'\$everything'.* to OPERATIONS in .*operations"
    ):
        list(plan.everything(SEED))


def test_a_route_that_nobody_calls_fails_with_what_to_add():
    route = Route("GET", "/letters/{id}", _answer)
    module = Module(name="letters", summary="Writes letters.", routes=(route,))

    with pytest.raises(Unwatched, match=r"'GET /letters/\{id\}' to CALLS in modules/letters/tests"):
        route_maker(module, route, KNOWN)


def test_nothing_that_is_declared_is_gone(served_modules):
    routes = {f"{route.method} {route.path}" for one in served_modules for route in one.routes}

    assert set(KNOWN) == routes


def test_the_capabilities_name_no_operation_that_is_not_called():
    names = {key[2][-1] for key in CALLS if key[0] == "operation"}
    offered = {one.shape[-1] for one in INTERACTIONS if one.code == "operation"}

    assert offered == names


def test_every_type_is_asked():
    asked = {
        call.target.split("/")[2].partition("?")[0]
        for call in Plan(INTERACTIONS).everything(1)
        if call.target.count("/") > 1
    }

    assert set(RESOURCE_TYPES) <= asked
