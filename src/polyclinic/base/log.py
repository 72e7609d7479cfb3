"""One line of JSON per event, with nothing about a patient in it.

A field is an id, a count, a code or a duration. Anything else is refused: a resource, a dict or
a list is a ``TypeError``, and a text that is not shaped like a code (free text might be a name)
is written as ``(withheld)``. Records of other libraries keep their place in the source and lose
their words, because an access log holds search parameters and an error message holds values.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO, TypeAlias

from typing_extensions import override

Field: TypeAlias = int | float | str | bool | datetime | None

_LOGGER: Final = logging.getLogger("polyclinic")
_FIELDS: Final = "polyclinic_fields"
_CODE: Final = re.compile(r"[A-Za-z0-9_.:/@+*$#=%~-]{0,200}")
_WITHHELD: Final = "(withheld)"
_INNERMOST_FRAMES: Final = 12


def event(name: str, /, *, level: int = logging.INFO, **fields: Field) -> None:
    """Write one event, for example ``event("job.done", job=7, ms=12.5)``.

    Raise ``TypeError`` when a field is not a number, a code, a moment or None.
    """
    checked = {key: _checked(key, value) for key, value in fields.items()}
    if _LOGGER.isEnabledFor(level):
        _LOGGER.log(level, name, extra={_FIELDS: checked}, stacklevel=2)


def failure(name: str, error: BaseException, /, **fields: Field) -> None:
    """Write an event about an error: its class and its places in the source, never its words."""
    event(name, level=logging.ERROR, error=_class_of(error), trace=_places(error), **fields)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every record of the process to the stream (standard error) as lines of JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It tells of every start and stop in words, which are not kept here.
    logging.getLogger("uvicorn").setLevel(max(root.level, logging.WARNING))


class JsonLines(logging.Formatter):
    """Render a record as one JSON object: when, level, event, fields."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Field] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        fields = getattr(record, _FIELDS, None)
        if isinstance(fields, Mapping):
            line["event"] = record.getMessage()
            line.update(fields)
        else:
            line |= _foreign(record)
        return json.dumps(line, default=str)


def _checked(key: str, value: object) -> Field:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if _CODE.fullmatch(value) else _WITHHELD
        case datetime():
            return value.isoformat()
        case _:
            message = f"log field {key} is a {type(value).__name__}; log its id or a count"
            raise TypeError(message)


def _foreign(record: logging.LogRecord) -> dict[str, Field]:
    """Keep where a library's record was written; its text may hold anything."""
    line: dict[str, Field] = {"event": record.name, "source": f"{record.module}:{record.lineno}"}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        line |= {"error": _class_of(error), "trace": _places(error)}
    return line


def _class_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _places(error: BaseException) -> str:
    """Name the innermost frames as file:line, which hold code and no data."""
    frames = traceback.extract_tb(error.__traceback__)[-_INNERMOST_FRAMES:]
    names = (f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames)
    return "+".join(names)[-200:]
