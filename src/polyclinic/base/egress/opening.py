"""The client of an installation, as its settings say."""

import ssl

from polyclinic.base.config import SettingError
from polyclinic.base.egress.client import GuardedClient, Limits, tls_context
from polyclinic.base.egress.policy import Policy
from polyclinic.base.outbound import Disabled, HttpClient
from polyclinic.base.settings import Settings


def http_client(settings: Settings) -> HttpClient:
    """Return the way out: ``Disabled`` until the owner names a host that requests may go to.

    Raise ``SettingError`` when a setting cannot be understood.
    """
    try:
        policy = Policy.of(settings.egress_allow, settings.egress_networks)
    except ValueError as error:
        message = f"POLYCLINIC_EGRESS_ALLOW or POLYCLINIC_EGRESS_NETWORKS: {error}"
        raise SettingError(message) from None
    if not policy.allowed:
        return Disabled()
    try:
        context = tls_context(settings.egress_ca_file)
    except (OSError, ssl.SSLError):
        message = f"POLYCLINIC_EGRESS_CA_FILE: {settings.egress_ca_file} holds no certificate"
        raise SettingError(message) from None
    limits = Limits(total=settings.egress_timeout, body_bytes=settings.egress_max_answer)
    return GuardedClient(policy, limits, tls=context)
