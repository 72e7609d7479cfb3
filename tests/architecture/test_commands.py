"""Every command of the Makefile says what it does."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = re.search(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)[1].split()


def run_make(*arguments):
    return subprocess.run(  # noqa: S603 - fixed words
        ["/usr/bin/env", "make", "-C", ROOT, *arguments],
        capture_output=True,
        check=False,
        text=True,
    )


def test_make_alone_prints_every_command():
    printed = re.findall(r"^  make ([a-z-]+) ", run_make().stdout, re.MULTILINE)

    assert printed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_sentence(command):
    sentence = re.search(rf"^{command}:.*## (.+)$", MAKEFILE, re.MULTILINE)

    assert sentence
    assert len(sentence[1].split()) >= 3


def test_the_commands_are_the_ones_that_the_readme_promises():
    promised = set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)\b", (ROOT / "README.md").read_text()))

    assert promised <= set(COMMANDS)


def test_a_python_that_is_too_old_is_named(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    answer = run_make("-f", ROOT / "Makefile", "-C", tmp_path, f"PYTHON={old}", ".venv/.made")

    assert answer.returncode != 0
    assert f"{old} is older than Python 3.11" in answer.stderr
