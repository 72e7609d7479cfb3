"""What the settings make of the way out."""

import pytest

from polyclinic.base.config import SettingError
from polyclinic.base.egress import GuardedClient, NotPermitted, http_client
from polyclinic.base.outbound import Disabled, HttpRequest, OutboundDisabled
from polyclinic.base.settings import Settings


async def test_without_a_setting_nothing_leaves():
    client = http_client(Settings())

    assert isinstance(client, Disabled)
    with pytest.raises(OutboundDisabled):
        await client.request(HttpRequest("GET", "https://api.clinic.example/"))


async def test_with_a_list_requests_go_to_what_is_on_it_only():
    client = http_client(Settings(egress_allow="api.clinic.example"))

    assert isinstance(client, GuardedClient)
    with pytest.raises(NotPermitted):
        await client.request(HttpRequest("GET", "https://other.clinic.example/"))


def test_a_setting_that_cannot_be_understood_stops_the_start(tmp_path):
    no_file = Settings(egress_allow="api.clinic.example", egress_ca_file=tmp_path / "none.pem")

    with pytest.raises(SettingError, match="EGRESS_ALLOW"):
        http_client(Settings(egress_allow="http://api.clinic.example"))
    with pytest.raises(SettingError, match="EGRESS_NETWORKS"):
        http_client(Settings(egress_allow="a.example", egress_networks="0.0.0.0/0"))
    with pytest.raises(SettingError, match="EGRESS_CA_FILE"):
        http_client(no_file)
