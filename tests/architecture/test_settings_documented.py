"""The reference of settings is generated, complete and fresh."""

import subprocess
import sys
from pathlib import Path

from polyclinic.app.modules import MODULES
from polyclinic.base.config import describe
from polyclinic.base.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "settings.md"


def test_every_setting_has_its_row():
    groups = [Settings, *(module.settings for module in MODULES if module.settings)]
    page = PAGE.read_text()

    missing = [
        item.name
        for group in groups
        for item in describe(group)
        if f"| `{item.name}` |" not in page or item.sentence not in page
    ]

    assert missing == []


def test_the_page_is_fresh(tmp_path):
    command = [sys.executable, ROOT / "tools" / "reference_pages.py", "--to", tmp_path]
    subprocess.run(command, check=True)  # noqa: S603 - our own tool

    assert (tmp_path / "settings.md").read_text() == PAGE.read_text()
