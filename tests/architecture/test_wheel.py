"""A wheel holds what runs, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
LEFT_OUT = {"tests", "ui", "__pycache__"}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Return the names of the files in a wheel that is built now."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own build
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_every_file_of_the_package(names):
    expected = {
        str(path.relative_to(SOURCE))
        for path in (SOURCE / "polyclinic").rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.relative_to(SOURCE).parts)
    }

    assert names == expected


def test_the_wheel_has_no_test_and_no_source_of_the_ui(names):
    assert [name for name in names if LEFT_OUT & set(name.split("/"))] == []
    assert [name for name in names if name.endswith((".ts", ".tsx"))] == []


@pytest.mark.parametrize(
    "name", ["polyclinic/py.typed", "polyclinic/kernel/store/migrations/0001_schema.sql"]
)
def test_the_wheel_has_what_is_not_python(names, name):
    assert name in names
