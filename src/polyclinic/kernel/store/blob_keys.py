"""Under which keys the keys of attachments are sealed."""

from typing import Protocol

from polyclinic.kernel.store.tenancy import Tenant


class DataKeys(Protocol):
    """The keys of patients and tenants."""

    async def seal(
        self, tenant: Tenant, patient: int, data: bytes, context: bytes
    ) -> tuple[int, bytes]:
        """Seal under the key of a patient (its rid), or with 0 the tenant's; return its number."""
        ...

    async def open(self, tenant: Tenant, key_id: int, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed. Raise ``CannotOpen``, also when the key was erased."""
        ...


class TenantKeys:
    """One key for everything of a tenant."""

    async def seal(
        self, tenant: Tenant, patient: int, data: bytes, context: bytes
    ) -> tuple[int, bytes]:
        """Seal under the tenant's key, whoever the patient is."""
        del patient
        return 0, tenant.sealer.seal(data, context)

    async def open(self, tenant: Tenant, key_id: int, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed. Raise ``CannotOpen``."""
        del key_id
        return tenant.sealer.open(sealed, context)
