"""Clients that write without a pause and keep a ledger of what was acknowledged."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from polyclinic.testing.connection import HttpConnection, Response, connect
from polyclinic.testing.installation import HOST
from polyclinic.testing.ledger import SYSTEM, Counted, Json, Ledger, Transaction

_CREATORS: Final = 6
_TRANSACTORS: Final = 3
_UPDATERS: Final = 1
_OBSERVATIONS: Final = 9
_AFTER_SECONDS: Final = 0.3
"""How long the writers go on after the blow, against whatever still answers."""
_PAUSE_SECONDS: Final = 0.02
_FINISH_SECONDS: Final = 60.0

Write = Callable[[HttpConnection], Awaitable[bool]]
"""Writes once and says whether it was acknowledged."""


class Writers:
    """Ten connections that create, update and send transactions."""

    def __init__(self, port: int, token: str, seed: int) -> None:
        self._port = port
        self._token = token
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._ending = False
        self._acknowledged = {kind: asyncio.Event() for kind in ("create", "transact", "update")}
        self.ledger = Ledger()
        self.refused = 0
        """Answers that were no success: the database was gone, or starting."""

    async def run(self, seconds: float, strike: Callable[[], None]) -> Ledger:
        """Write for some seconds, strike, go on for a moment, and return what was acknowledged.

        Raise ``TimeoutError`` when a kind of write is never acknowledged.
        """
        writes: list[Write] = [self._create for _ in range(_CREATORS)]
        writes += [self._transact for _ in range(_TRANSACTORS)]
        writes += [self._updater() for _ in range(_UPDATERS)]
        async with asyncio.timeout(seconds + _FINISH_SECONDS), asyncio.TaskGroup() as group:
            for write in writes:
                group.create_task(self._repeat(write))
            await self._begun()
            await asyncio.sleep(seconds)
            strike()
            await asyncio.sleep(_AFTER_SECONDS)
            self._ending = True
        return self.ledger

    async def _begun(self) -> None:
        """Wait until each kind of write was acknowledged once: a server's first ones are slow."""
        for event in self._acknowledged.values():
            await event.wait()

    async def _repeat(self, write: Write) -> None:
        connection = await connect(HOST, self._port, {"authorization": f"Bearer {self._token}"})
        try:
            while not self._ending:
                if not await write(connection):
                    self.refused += 1
                    await asyncio.sleep(_PAUSE_SECONDS)
        except ConnectionError:
            return
        finally:
            connection.close()
            await asyncio.sleep(0)

    async def _create(self, connection: HttpConnection) -> bool:
        content = self._observation(self._number(), None)
        answer = await connection.request("POST", "/fhir/Observation", _encoded(content))
        if answer.status != 201:  # noqa: PLR2004 - HTTP
            return False
        self.ledger.created[_path(answer.header("location"))] = content
        self._acknowledged["create"].set()
        return True

    def _updater(self) -> Write:
        """Return a write that puts the next version of one resource of its own."""
        identity = self._number()
        path = f"Observation/{identity}"
        counted = self.ledger.counted[path] = Counted()

        async def update(connection: HttpConnection) -> bool:
            # A version that was not acknowledged is sent again: the same content makes no new one.
            counted.sent = counted.acknowledged + 1
            content = self._observation(identity, None) | {"id": identity}
            del content["valueQuantity"], content["note"]
            content["valueInteger"] = counted.sent
            answer = await connection.request("PUT", f"/fhir/{path}", _encoded(content))
            if answer.status not in (200, 201):
                return False
            counted.acknowledged = counted.sent
            self._acknowledged["update"].set()
            return True

        return update

    async def _transact(self, connection: HttpConnection) -> bool:
        number = self._number()
        chosen = self._random.random() < 0.5  # noqa: PLR2004 - every second one
        bundle, paths = self._bundle(number, chosen=chosen)
        transaction = Transaction(number, len(bundle["entry"]), paths)
        self.ledger.transactions.append(transaction)
        answer = await connection.request("POST", "/fhir", _encoded(bundle))
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            return False
        self._note(bundle, answer)
        transaction.acknowledged = True
        self._acknowledged["transact"].set()
        return True

    def _note(self, bundle: Json, answer: Response) -> None:
        """Note each entry; its references are only known where the client chose the ids."""
        for sent, done in zip(bundle["entry"], json.loads(answer.body)["entry"], strict=True):
            content = sent["resource"]
            if "urn:uuid:" not in json.dumps(content):
                self.ledger.created[_path(done["response"]["location"])] = content

    def _bundle(self, number: str, *, chosen: bool) -> tuple[Json, dict[str, Json]]:
        patient = self._number()
        subject = f"Patient/{patient}" if chosen else f"urn:uuid:{patient}"
        resources: list[tuple[str, Json]] = [
            (patient, {"resourceType": "Patient", "identifier": [_identifier(number)]})
        ]
        for _ in range(_OBSERVATIONS):
            identity = self._number()
            resources.append((identity, self._observation(number, subject)))
        entries = []
        paths: dict[str, Json] = {}
        for identity, resource in resources:
            resource_type = resource["resourceType"]
            path = f"{resource_type}/{identity}"
            request = {"method": "POST", "url": resource_type}
            if chosen:
                resource["id"] = identity
                paths[path] = resource
                request = {"method": "PUT", "url": path}
            entry = {"fullUrl": f"urn:uuid:{identity}", "resource": resource, "request": request}
            entries.append(entry)
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}, paths

    def _observation(self, number: str, subject: str | None) -> Json:
        content: Json = {
            "resourceType": "Observation",
            "identifier": [_identifier(number)],
            "status": "final",
            "code": {"text": "A value that must not be lost"},
            "valueQuantity": {"value": self._random.randrange(10**6) / 100, "unit": "mg"},
            "note": [{"text": "Words. " * self._random.randrange(1, 60)}],
        }
        if subject:
            content["subject"] = {"reference": subject}
        return content

    def _number(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))


def _identifier(number: str) -> Json:
    return {"system": SYSTEM, "value": number}


def _path(location: str | None) -> str:
    """Return type and id of a Location such as ``http://host/fhir/Patient/1/_history/1``."""
    assert location is not None, "a create was answered without Location"
    parts = location.split("/_history/")[0].split("/")
    return f"{parts[-2]}/{parts[-1]}"


def _encoded(content: Json) -> bytes:
    return json.dumps(content).encode()
