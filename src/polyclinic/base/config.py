"""Settings: a name, a type, a default and a sentence each, read once from the environment.

A group of settings is a frozen dataclass whose fields are made with ``setting``::

    @dataclass(frozen=True)
    class WearablesSettings:
        import_days: int = setting(90, "Days of history that a first import fetches.")

The name in the environment is ``POLYCLINIC_`` and the field in capitals. The reference page is
made from ``describe``. Nobody else reads the environment.
"""

import dataclasses
import difflib
import os
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

PREFIX: Final = "POLYCLINIC_"
_METADATA: Final = "polyclinic.setting"
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

_T = TypeVar("_T")


class SettingError(ValueError):
    """A setting is not what its type asks for; the message names it and says what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the reference page shows it."""

    name: str
    """The name in the environment."""
    kind: str
    default: str
    sentence: str
    secret: bool
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class _Declared:
    sentence: str
    name: str | None
    secret: bool
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value that a number may have."""

    minimum: float | None = None
    maximum: float | None = None


def setting(
    default: _T,
    sentence: str,
    *,
    name: str | None = None,
    secret: bool = False,
    bounds: Bounds = Bounds(),
) -> _T:
    """Declare a field of a settings dataclass.

    Raise ``SettingError`` when the sentence is missing: a setting nobody explains is not shipped.
    """
    if not sentence.endswith(".") or len(sentence.split()) < 3:  # noqa: PLR2004 - a sentence
        message = f"a setting needs a sentence that ends with a full stop, not {sentence!r}"
        raise SettingError(message)
    declared = _Declared(sentence, name, secret, bounds.minimum, bounds.maximum)
    return dataclasses.field(default=default, metadata={_METADATA: declared})


def read(group: type[_T], environment: Mapping[str, str] | None = None) -> _T:
    """Read a settings dataclass from the environment.

    An absent or empty variable means the default. Raise ``SettingError`` for a bad value.
    """
    source = os.environ if environment is None else environment  # noqa: TID251 - the one reader
    values: dict[str, object] = {}
    for field, declared, kind in _fields(group):
        text = source.get(_name(field, declared), "").strip()
        if text:
            values[field.name] = _parse(_name(field, declared), text, kind, declared)
    return group(**values)


def describe(group: type[Any]) -> list[Setting]:
    """List the settings of a dataclass for the reference page, in order."""
    return [
        Setting(
            name=_name(field, declared),
            kind=_kind(kind),
            default="" if field.default is None else str(field.default),
            sentence=declared.sentence,
            secret=declared.secret,
            minimum=declared.minimum,
            maximum=declared.maximum,
        )
        for field, declared, kind in _fields(group)
    ]


def unknown(
    *groups: type[Any], environment: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """Return each ``POLYCLINIC_`` variable that no group declares, with the nearest known name."""
    source = os.environ if environment is None else environment  # noqa: TID251 - the one reader
    known = {item.name for group in groups for item in describe(group)}
    strangers = sorted(name for name in source if name.startswith(PREFIX) and name not in known)
    return {
        name: next(iter(difflib.get_close_matches(name, known, 1, 0.85)), None)
        for name in strangers
    }


def _fields(group: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], _Declared, Any]]:
    hints = get_type_hints(group)
    for field in dataclasses.fields(group):
        declared = field.metadata.get(_METADATA)
        if declared is None:
            message = f"{group.__name__}.{field.name} is not made with setting()"
            raise SettingError(message)
        yield field, declared, hints[field.name]


def _name(field: dataclasses.Field[Any], declared: _Declared) -> str:
    return declared.name or PREFIX + field.name.upper()


def _kind(kind: Any) -> str:
    return " or ".join(member.__name__ for member in _members(kind))


def _members(kind: Any) -> tuple[type, ...]:
    """Return the types of a field, None left out."""
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(member for member in get_args(kind) if member is not types.NoneType)
    return (kind,)


def _parse(name: str, text: str, kind: Any, declared: _Declared) -> object:
    (member,) = _members(kind)
    try:
        value = _PARSERS[member](text)
    except ValueError:
        shown = "its value" if declared.secret else repr(text)
        message = f"{name} must be {_EXPECTED[member]}, not {shown}"
        raise SettingError(message) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(name, value, declared)
    return value


def _check_bounds(name: str, value: float, declared: _Declared) -> None:
    low, high = declared.minimum, declared.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        message = f"{name} must be between {low} and {high}, not {value}"
        raise SettingError(message)


def _parse_bool(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(text)


_PARSERS: Final[Mapping[type, Any]] = {
    bool: _parse_bool,
    float: float,
    int: int,
    Path: Path,
    str: str,
}
_EXPECTED: Final[Mapping[type, str]] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    Path: "a path",
    str: "a text",
}
