"""A clinic for a test: a tenant of its own in the store, people with roles, and its FHIR base."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
import pytest_asyncio

from polyclinic.base.clock import SystemClock
from polyclinic.base.crypto import Sealer, new_key
from polyclinic.base.db.database import Database
from polyclinic.base.ids import TimeOrderedIds
from polyclinic.base.keys import KeyRing
from polyclinic.base.settings import Settings
from polyclinic.kernel.access.principal import Principal
from polyclinic.kernel.errors import Unauthenticated
from polyclinic.kernel.rest import FhirApplication, Limits
from polyclinic.kernel.store import Store, Tenant, open_store
from polyclinic.kernel.types import Resource, from_json

BASE: Final = "http://clinic.test/fhir"
_LIMITS: Final = Limits(body=4 * 1024 * 1024, in_flight=256)
_numbers = count(1)


class Clinic:
    """One tenant of the store, and who works there."""

    def __init__(self, store: Store, tenant: Tenant) -> None:
        self.store = store
        self.tenant = tenant

    def principal(self, *roles: str, patient: str | None = None) -> Principal:
        """Return somebody with roles."""
        return Principal(
            name="-".join(roles),
            tenant=self.tenant.number,
            account=next(_numbers),
            roles=frozenset(roles),
            patient=patient,
        )

    async def put(self, resource: dict[str, Any]) -> Resource:
        """Store a resource that has an id, as the loader does."""
        parsed = from_json(resource)
        await self.store.update(self.principal("job"), parsed)
        return parsed

    def client(self, principal: Principal | None) -> httpx.AsyncClient:
        """Return an HTTP client of the FHIR base, signed in as somebody or as nobody."""

        async def authenticate(headers: dict[bytes, bytes], method: str) -> Principal:
            del headers, method
            if principal is None:
                raise Unauthenticated
            return principal

        application = FhirApplication(self.store, authenticate, _LIMITS, None)
        if principal is not None:
            application.defined = partial(self.store.custom_parameters, principal)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=application),
            base_url=f"{BASE}/",
            headers={"content-type": "application/fhir+json"},
        )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store(database: Database) -> AsyncIterator[Store]:
    """Yield the store on this process's database."""
    clock = SystemClock()
    async with open_store(
        database.app_dsn, Settings(), clock=clock, ids=TimeOrderedIds(clock)
    ) as opened:
        yield opened


@pytest.fixture(scope="session")
def kek() -> KeyRing:
    """Return a key-encryption key."""
    return KeyRing([Sealer(new_key())])


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(store: Store, kek: KeyRing) -> Clinic:
    """Return a clinic that nobody has used."""
    return Clinic(store, await store.open_tenant(f"clinic-{next(_numbers)}", kek))


@pytest_asyncio.fixture(loop_scope="session")
async def fhir(clinic: Clinic) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the clinic's FHIR base, signed in as a clinician."""
    async with clinic.client(clinic.principal("clinician")) as client:
        yield client


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of official suites and real data; skip where it is missing."""
    folder = Path(__file__).parents[4] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with official suites and real data is missing")
    return folder


Encode = Callable[[Any], bytes]
encode: Encode = msgspec.json.Encoder().encode
"""Write a JSON value as bytes."""
