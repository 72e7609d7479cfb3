"""FHIR's conditional interactions: the resource is named by a condition instead of an id.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cpatch, #3.1.0.7.1

Each is a transaction of one entry, so that both follow the same rules.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from polyclinic.kernel.access.decide import Action
from polyclinic.kernel.errors import BadRequest, MultipleMatches
from polyclinic.kernel.rest import patches
from polyclinic.kernel.rest.conditions import condition
from polyclinic.kernel.rest.interactions import written
from polyclinic.kernel.rest.message import Answer, Request
from polyclinic.kernel.rest.plan import Plan
from polyclinic.kernel.rest.preferences import check_content_type, if_match
from polyclinic.kernel.rest.steps import Step
from polyclinic.kernel.search.query import Endpoint
from polyclinic.kernel.store import Change, Matches, Store

_ALONE: Final = -1


async def create(store: Store, request: Request, exists: str) -> Answer:
    """Store a resource where nothing matches; answer with what does match, where one does.

    Raise ``MultipleMatches``.
    """
    step = await _step(request)
    step.condition = condition(step.type, exists, await _endpoint(store, request), Action.CREATE)
    return await _run(store, request, step)


async def update(store: Store, request: Request) -> Answer:
    """Store a version of what matches, or a new resource where nothing does.

    Raise ``MultipleMatches``, and ``BadRequest`` when the body has the id of another one.
    """
    check_content_type(request)
    if request.header(b"if-none-match") is not None:
        message = "If-None-Match is not supported with an update yet; send If-Match, or create."
        raise BadRequest(message)
    step = await _step(request)
    endpoint = await _endpoint(store, request)
    step.condition = condition(step.type, request.query, endpoint, Action.UPDATE)
    return await _run(store, request, step)


async def patch(store: Store, request: Request) -> Answer:
    """Change parts of what matches. Raise ``NotFound`` or ``MultipleMatches``."""
    media = check_content_type(request, patches.MEDIA)
    step = await _step(request)
    step.media = media
    endpoint = await _endpoint(store, request)
    step.condition = condition(step.type, request.query, endpoint, Action.UPDATE)
    return await _run(store, request, step)


async def delete(store: Store, request: Request) -> Answer:
    """Delete what matches: one resource, or as many as the settings allow.

    Nothing to delete is no error. Raise ``MultipleMatches`` where more match.
    """
    (resource_type,) = request.path
    endpoint = await _endpoint(store, request)
    asked = condition(resource_type, request.query, endpoint, Action.DELETE)
    most, expected = request.most_deleted, if_match(request)

    async def make(found: Sequence[Matches]) -> list[Change]:
        (matches,) = found
        if len(matches) > most:
            raise MultipleMatches
        return [
            Change(
                resource_type,
                match.id,
                None,
                match.version if expected is None else expected,
                is_pinned=expected is None,
            )
            for match in matches
        ]

    asked = replace(asked, most=most + 1)
    done = await store.writes.write_where(request.principal, [asked], make)
    return written.deleted(done.written[0] if done.written else None)


async def _endpoint(store: Store, request: Request) -> Endpoint:
    return Endpoint(request.base, await store.custom_parameters(request.principal))


async def _step(request: Request) -> Step:
    (resource_type,) = request.path
    step = Step(_ALONE, request.method, "", type=resource_type, data=await request.body())
    step.if_match = if_match(request)
    return step


async def _run(store: Store, request: Request, step: Step) -> Answer:
    plan = Plan(store, request, [step], await _endpoint(store, request))

    def render() -> Answer:
        assert step.written is not None
        return written.answer(request, step.written)

    plan.render = render
    await plan.run()
    return render()
