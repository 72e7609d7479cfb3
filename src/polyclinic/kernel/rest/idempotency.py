"""Requests that may be sent again: the header Idempotency-Key of a POST.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/

A retry with the same key and the same request gets the first answer, byte for byte, for as long as
it is kept. Interactions that write pass ``keeper`` on to the store, so that the answer is committed
with what it answers for; the answer of others is kept when they are done.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import Final

import msgspec

from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import BadRequest, FhirError, Forbidden, Unavailable
from polyclinic.kernel.rest.message import Answer, Header, Request, Retry, with_body
from polyclinic.kernel.rest.outcome import refusal
from polyclinic.kernel.store import Claim, Keeper, StillRunning, Store, Stored, Written

Run = Callable[[Store, Request], Awaitable[Answer]]

HEADER: Final = b"idempotency-key"
_KEY: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#-+\--:<-~]{1,255})')
"""A string of RFC 8941, or the bare word that many clients send instead."""
_TELLING: Final = (b"accept", b"content-type", b"if-match", b"if-none-exist", b"prefer")
"""Headers that make a request another one."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_PAUSES: Final = (0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 0.8, 1.4, 2.0)
"""Seconds between two looks at a request that is still worked on: five together."""
_PASSING: Final = frozenset({401, 403, 408, 409, 429})
"""What may be answered otherwise a moment later, as may every failure of ours; never kept."""
_FAILURES: Final = 500


class _Kept(msgspec.Struct, array_like=True):
    """An answer as it is kept."""

    status: int
    body: bytes
    headers: list[Header]
    content_type: bytes
    rights: bytes
    """What the account could do when it got the answer."""
    written: "_Told | None" = None
    """What a row of a batch-response tells of."""


class _Told(msgspec.Struct, array_like=True):
    """What was written, without its content."""

    place: tuple[str, str, int]
    """Type, id and version."""
    at: datetime
    deleted: bool
    effect: tuple[bool, bool, bool]
    """Whether it was created, was the same already, was matched."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


async def once(store: Store, request: Request, run: Run) -> Answer:
    """Answer a request that carries a key: run it, or give the answer that it got before.

    Raise ``KeyReused``, ``StillRunning``, and what the interaction raises.
    """
    if request.path[-1:] == ("_search",):
        return await run(store, request)
    key, body = _key(request), await request.body()
    told = [request.headers.get(name, b"") for name in _TELLING]
    what = _encode((request.method, request.path, request.query, told, body))
    rights = await _rights(store, request.principal)
    found = await _claimed(store, request.principal, key, what)
    if isinstance(found, bytes):
        return await _again(store, request, found, rights)
    claimed = replace(with_body(request, body), retry=Retry(found, rights))
    async with found.held():
        return await _first(store, claimed, found, run)


async def part(store: Store, request: Request, number: int, run: Run) -> Answer:
    """Answer an entry of a batch that carries a key: what was done before is not done again."""
    retry = request.retry
    if retry is None:
        return await run(store, request)
    try:
        return await _part(store, request, retry, number, run)
    except FhirError as error:
        retry.claim.is_passing |= _is_passing(error)
        raise


def keeper(request: Request, render: Callable[[Sequence[Written]], Answer]) -> Keeper | None:
    """Return what keeps the answer with the writes, for a request that carries a key."""
    retry = request.retry
    if retry is None:
        return None

    def kept(written: Sequence[Written]) -> tuple[int, bytes]:
        answer = render(written)
        return answer.status, _packed(answer, retry.rights)

    return retry.claim.keeper(kept)


async def _part(store: Store, request: Request, whole: Retry, number: int, run: Run) -> Answer:
    if request.method in _SAFE:
        return await run(store, request)
    found = await whole.claim.part(number)
    if isinstance(found, bytes):
        return await _again(store, request, found, whole.rights)
    alone = replace(request, retry=Retry(found, whole.rights))
    return await _first(store, alone, found, run)


async def _claimed(store: Store, principal: Principal, key: bytes, what: bytes) -> Claim | bytes:
    """Claim the key or return its answer; wait a while for whoever works on it."""
    for pause in _PAUSES:
        found = await store.claims.claim(principal, key, what)
        if found is not None:
            return found
        await asyncio.sleep(pause)
    raise StillRunning


async def _first(store: Store, request: Request, claim: Claim, run: Run) -> Answer:
    """Run a request, and keep its answer where no write has kept it."""
    try:
        answer = await run(store, request)
    except FhirError as error:
        if _is_passing(error):
            await _released(claim)
            raise
        answer = refusal(error)
    except BaseException:
        await _released(claim)
        raise
    if claim.is_passing:
        await _released(claim)
    elif not claim.is_answered:
        rights = request.retry.rights if request.retry else b""
        await claim.keep_alone(answer.status, _packed(answer, rights))
    return answer


def _is_passing(error: FhirError) -> bool:
    return error.http_status in _PASSING or error.http_status >= _FAILURES


async def _released(claim: Claim) -> None:
    """Let a retry begin at once; where that fails, it begins when the claim has run out."""
    with suppress(Unavailable):
        await asyncio.shield(claim.release())


async def _again(store: Store, request: Request, kept: bytes, rights: bytes) -> Answer:
    """Give an answer again, to the same account with the same rights."""
    found = _decode(kept)
    if found.rights != rights:
        message = "Your rights have changed since the first request with this Idempotency-Key."
        raise Forbidden(message)
    await store.claims.note_replay(request.principal)
    told, written = found.written, None
    if told is not None:
        written = Written(Stored(*told.place, told.at, told.deleted, b""), *told.effect)
    return Answer(found.status, found.body, found.headers, found.content_type, written)


async def _rights(store: Store, principal: Principal) -> bytes:
    """Return what an account may do: its roles and everything else that a policy asks about."""
    values = [getattr(principal, field.name) for field in fields(principal)]
    settled = [sorted(one) if isinstance(one, frozenset) else one for one in values]
    return _encode((await store.policies.number(principal.tenant), settled))


def _packed(answer: Answer, rights: bytes) -> bytes:
    done, told = answer.written, None
    if done is not None:
        stored = done.stored
        place = stored.type, stored.id, stored.version
        effect = done.created, done.is_same, done.is_matched
        told = _Told(place, stored.last_updated, stored.deleted, effect)
    kept = answer.status, answer.body, list(answer.headers), answer.content_type
    return _encode(_Kept(*kept, rights, told))


def _key(request: Request) -> bytes:
    match = _KEY.fullmatch((request.header(HEADER) or "").strip())
    if match is None:
        message = 'Idempotency-Key must be a string of 1 to 255 characters, such as "8e03978e".'
        raise BadRequest(message)
    return (match[1] or match[2]).encode()
