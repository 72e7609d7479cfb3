import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.db.version import NEWEST_KNOWN_MINOR, ServerVersion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18.4", ServerVersion(18, 4)),
        ("postgres (PostgreSQL) 16.14", ServerVersion(16, 14)),
        ("15.20 (Debian 15.20-0+deb12u1)", ServerVersion(15, 20)),
        ("19beta2", ServerVersion(19, 0)),
    ],
)
def test_a_version_is_read_as_programs_and_servers_write_it(text, expected):
    assert ServerVersion.parse(text) == expected


def test_a_text_without_a_number_is_refused():
    with pytest.raises(ValueError, match="no PostgreSQL version"):
        ServerVersion.parse("MariaDB")


@given(major=st.integers(10, 99), minor=st.integers(0, 99))
def test_what_a_version_shows_is_read_back(major, minor):
    version = ServerVersion(major, minor)

    assert ServerVersion.parse(str(version)) == version
    assert ServerVersion.of_number(major * 10_000 + minor) == version


@pytest.mark.parametrize(("major", "is_supported"), [(14, False), (15, True), (18, True)])
def test_releases_from_15_on_are_supported(major, is_supported):
    assert ServerVersion(major, 0).is_supported is is_supported


def test_missing_patch_levels_are_counted():
    newest = NEWEST_KNOWN_MINOR[18]

    assert ServerVersion(18, newest - 2).patches_behind == 2
    assert ServerVersion(18, newest + 1).patches_behind == 0
    assert ServerVersion(99, 0).patches_behind is None
