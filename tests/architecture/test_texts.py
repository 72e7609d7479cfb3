"""Rules for the text of files, whatever their language."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CATCH_ALL_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home/\w+)/")
ADDRESS = re.compile(r'"resolved"|--(extra-)?index-url|--find-links|registry\.|pythonhosted')
TEXT = {".py", ".ts", ".tsx", ".md", ".sql", ".sh", ".toml", ".css", ".yaml", ".yml", ""}


def tracked():
    listing = subprocess.run(
        ["/usr/bin/env", "git", "ls-files"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listing.returncode:
        pytest.skip("this is not a git checkout")
    files = [ROOT / name for name in listing.stdout.splitlines()]
    return [path for path in files if path.suffix in TEXT and path.is_file()]


def lines_with(pattern):
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (TODO, "TODO(#7): count beds", "TODO: count beds"),
        (MACHINE_PATH, "docs/work/x and https://a.example/root/", "see /work/main"),
    ],
    ids=["a TODO names an issue", "no path of a machine"],
)
def test_the_text_keeps_the_rule(pattern, good, bad):
    assert (bool(pattern.search(good)), bool(pattern.search(bad))) == (False, True)

    assert lines_with(pattern) == []


def test_no_file_is_a_drawer_for_everything():
    assert [str(path) for path in tracked() if path.stem in CATCH_ALL_NAMES] == []


def test_no_lock_names_a_registry():
    locks = [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]

    assert [lock.name for lock in locks if ADDRESS.search(lock.read_text())] == []
