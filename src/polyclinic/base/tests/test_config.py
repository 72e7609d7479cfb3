from dataclasses import dataclass
from pathlib import Path
from typing import assert_type

import pytest

from polyclinic.base import config
from polyclinic.base.config import Bounds, SettingError, setting
from polyclinic.base.settings import Settings


@dataclass(frozen=True)
class Sample:
    beds: int = setting(12, "Beds of the ward.", bounds=Bounds(1, 99))
    share: float = setting(0.5, "Share of the beds in use.")
    night: bool = setting(default=False, sentence="Whether the ward is open at night.")
    chart: Path | None = setting(None, "File that the chart is written to.")
    token: str = setting("", "Token of the ward's screen.", secret=True)
    door: int = setting(1, "Number of the door.", name="DOOR")


def test_an_empty_environment_means_the_defaults():
    assert config.read(Sample, {}) == Sample()


def test_every_type_is_read_from_its_text():
    environment = {
        "POLYCLINIC_BEDS": " 7 ",
        "POLYCLINIC_SHARE": "0.25",
        "POLYCLINIC_NIGHT": "Yes",
        "POLYCLINIC_CHART": "/tmp/chart",
        "DOOR": "3",
    }

    sample = config.read(Sample, environment)

    assert sample == Sample(beds=7, share=0.25, night=True, chart=Path("/tmp/chart"), door=3)


def test_an_empty_value_means_the_default():
    assert config.read(Sample, {"POLYCLINIC_BEDS": ""}).beds == 12


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("POLYCLINIC_BEDS", "many", "POLYCLINIC_BEDS must be a whole number, not 'many'"),
        ("POLYCLINIC_BEDS", "0", "POLYCLINIC_BEDS must be between 1 and 99, not 0"),
        ("POLYCLINIC_NIGHT", "perhaps", "POLYCLINIC_NIGHT must be true or false, not 'perhaps'"),
    ],
)
def test_a_bad_value_is_named_with_what_to_write(name, text, expected):
    with pytest.raises(SettingError, match=expected):
        config.read(Sample, {name: text})


def test_a_secret_is_never_echoed():
    @dataclass(frozen=True)
    class Locked:
        pin: int = setting(0, "Number that opens the door.", secret=True)

    with pytest.raises(SettingError, match="its value") as caught:
        config.read(Locked, {"POLYCLINIC_PIN": "hunter2"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("sentence", ["", "Beds.", "Beds of the ward"])
def test_a_setting_without_a_sentence_is_refused(sentence):
    with pytest.raises(SettingError, match="needs a sentence"):
        setting(1, sentence)


def test_a_field_that_is_not_a_setting_is_refused():
    @dataclass(frozen=True)
    class Plain:
        beds: int = 3

    with pytest.raises(SettingError, match=r"Plain\.beds is not made with setting"):
        config.read(Plain, {})


def test_a_misspelt_variable_is_found_with_the_name_that_was_meant():
    environment = {"POLYCLINIC_BED": "3", "POLYCLINIC_QUUXPLUGH": "1", "OTHER": "1"}

    found = config.unknown(Sample, environment=environment)

    assert found == {"POLYCLINIC_BED": "POLYCLINIC_BEDS", "POLYCLINIC_QUUXPLUGH": None}


def test_the_reference_page_gets_name_type_default_and_sentence():
    beds, *_, door = config.describe(Sample)

    assert (beds.name, beds.kind, beds.default) == ("POLYCLINIC_BEDS", "int", "12")
    assert (beds.minimum, beds.maximum, beds.sentence) == (1, 99, "Beds of the ward.")
    assert door.name == "DOOR"


def test_a_group_keeps_its_type():
    assert_type(config.read(Settings, {}), Settings)


def test_what_opens_something_is_a_secret():
    secrets = {item.name for item in config.describe(Settings) if item.secret}

    assert secrets == {
        "POLYCLINIC_BLOB_S3_ACCESS_KEY",
        "POLYCLINIC_BLOB_S3_SECRET_KEY",
        "POLYCLINIC_DATABASE_URL",
        "POLYCLINIC_KMS_TOKEN",
        "POLYCLINIC_MIGRATE_URL",
    }
