import io
import json
import logging

import pytest

from polyclinic.base import log


@pytest.fixture
def lines():
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = kept
    root.setLevel(level)


def test_an_event_is_one_line_of_json(lines):
    log.event("load.done", count=3, ms=12.5, resource="Patient/p-1", dry=False, code=None)

    (line,) = lines()
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "event": "load.done",
        "count": 3,
        "ms": 12.5,
        "resource": "Patient/p-1",
        "dry": False,
        "code": None,
    }


@pytest.mark.parametrize("value", [{"resourceType": "Patient"}, ["Chalmers"], b"{}", object()])
def test_a_resource_is_a_type_error(value):
    with pytest.raises(TypeError, match="log field patient"):
        log.event("read", patient=value)


@pytest.mark.parametrize("text", ["Peter Chalmers", "line\nbreak", "x" * 201, "Jürgen"])
def test_free_text_is_withheld(lines, text):
    log.event("read", name=text)

    assert lines()[0]["name"] == "(withheld)"


def test_an_error_is_logged_by_class_and_place_without_its_words(lines):
    try:
        int("Chalmers")
    except ValueError as error:
        log.failure("parse.failed", error, resource="Patient/1")

    (line,) = lines()
    assert (line["level"], line["error"]) == ("error", "builtins.ValueError")
    assert "test_log.py:" in line["trace"]
    assert "Chalmers" not in json.dumps(line)


def test_a_library_keeps_its_place_and_loses_its_words(lines):
    logging.getLogger("uvicorn.access").warning("GET /fhir/Patient?name=%s", "Chalmers")

    (line,) = lines()
    assert line["event"] == "uvicorn.access"
    assert line["source"].startswith("test_log:")
    assert "Chalmers" not in json.dumps(line)


def test_a_library_s_error_loses_its_words_too(lines):
    try:
        int("Chalmers")
    except ValueError:
        logging.getLogger("asyncpg").exception("bad value Chalmers")

    (line,) = lines()
    assert line["error"] == "builtins.ValueError"
    assert "Chalmers" not in json.dumps(line)


def test_levels_below_the_configured_one_are_silent(lines):
    logging.getLogger().setLevel("WARNING")

    log.event("quiet", level=logging.DEBUG)

    assert lines() == []
