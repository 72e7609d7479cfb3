"""What a resource can be found by: one typed row per value.

Rows of one resource are unordered and may repeat. A row names its search parameter by code; the
resource type is the resource's own.
"""

from typing import Final, TypeAlias

from msgspec import Struct

from polyclinic.kernel.search.own_parameters import Own
from polyclinic.kernel.search.resource_words import Said

MAX_VALUES: Final = 50_000
"""More values than this in one resource are refused (InvalidResource), not cut off."""

MAX_COMBINATIONS: Final = 1_024
"""More combinations of component values than this in one composite element are refused."""

MAX_SEGMENTS: Final = 128
"""More path segments than this in one uri are refused."""

MAX_NORMALISED: Final = 600
"""Characters of a normalised string that are kept, so that it fits an index row of PostgreSQL.

``IndexValues.shortened`` counts the strings that were longer; they are found by their beginning.
"""

DATE_MIN: Final = -(2**63)
"""The low of a period without a start."""

DATE_MAX: Final = 2**63 - 1
"""The high of a period without an end."""


class TokenValue(Struct, frozen=True, gc=False):
    """A coding, identifier, code, flag, contact point or plain string."""

    param: str
    system: str | None
    code: str | None
    """None where only a system or a text is given."""
    text: str | None = None
    """What ``:text`` searches: the display, the concept's text or the identifier type's text."""
    types: tuple[tuple[str | None, str], ...] = ()
    """System and code of an identifier's type, for ``:of-type``."""


class ReferenceValue(Struct, frozen=True, gc=False):
    """A reference to a resource of this server."""

    param: str
    target: str
    id: str


class UriValue(Struct, frozen=True, gc=False):
    """A uri, a canonical, or a reference to somewhere else."""

    param: str
    uri: str


class StringValue(Struct, frozen=True, gc=False):
    """A string, a part of a name or a part of an address."""

    param: str
    text: str
    """The original."""
    normalised: str
    """The same through ``strings.normalise``, at most MAX_NORMALISED characters."""


class DateValue(Struct, frozen=True, gc=False):
    """A range of time, [low, high), in microseconds since 1970-01-01T00:00:00Z."""

    param: str
    low: int
    high: int


class NumberValue(Struct, frozen=True, gc=False):
    """A number with the range that its digits leave open: 1.0 is [0.95, 1.05)."""

    param: str
    low: float
    high: float
    text: str
    """The digits as they stand in the resource; empty for a Range."""


class Measure(Struct, frozen=True, gc=False):
    """A range [low, high) under a unit, as quantities are compared: see ``quantities``."""

    system: str | None
    code: str | None
    """Both None: whatever the unit. No system: a code or a unit's name, whatever the system."""
    low: float
    high: float
    falling: bool = False
    """Whether it falls where the number as it stands rises, as the amount of acid under pH."""


class QuantityValue(Struct, frozen=True, gc=False):
    """A quantity, an amount of money, a range of quantities or what a device sampled."""

    param: str
    system: str | None
    code: str | None
    unit: str | None
    low: float
    high: float
    text: str
    """The digits of the value; empty for a range. A comparator makes low or high infinite."""
    base: Measure | None = None
    """The same in base units, where the unit is UCUM's."""


class PositionValue(Struct, frozen=True, gc=False):
    """A place on the earth, in degrees (WGS 84)."""

    param: str
    latitude: float
    longitude: float


Row: TypeAlias = (
    TokenValue | ReferenceValue | UriValue | StringValue | DateValue | NumberValue | QuantityValue
)
"""What a component of a composite may be."""


class CompositeValue(Struct, frozen=True):
    """The values of one element that a composite parameter keeps together."""

    param: str
    components: tuple[tuple[Row, ...], ...]
    """Per component, in the order of the definition, its values in this element; never empty."""
    at: int = 0
    """Which of the parameter's paths leads to the element."""


class IndexValues(Struct):
    """All that one resource can be found by."""

    resource_type: str
    tokens: list[TokenValue]
    references: list[ReferenceValue]
    uris: list[UriValue]
    identifiers: list[TokenValue]
    """``Reference.identifier``, for ``:identifier``."""
    strings: list[StringValue]
    dates: list[DateValue]
    numbers: list[NumberValue]
    quantities: list[QuantityValue]
    positions: list[PositionValue]
    composites: list[CompositeValue]
    patients: list[str]
    """Ids of the Patients in whose compartments the resource lies, sorted, each once."""
    shortened: int = 0
    """How many normalised strings were cut at MAX_NORMALISED."""
    contained: tuple[str, ...] = ()
    """The types of the resources that it contains, sorted, each once."""
    said: Said = Said((), ())
    """Its texts, for ``_text`` and ``_content``."""
    custom: Own | None = None
    """The parameters that its tenant defined for its type; None for none."""
    faults: tuple[str, ...] = ()
    """Codes of those that could not be evaluated on it, sorted; it has no value of them."""
    canonicals: list[UriValue] = []
    """The canonicals by which it refers to others, as they stand, without fragments."""
    answers: tuple[str, ...] = ()
    """The canonicals that it answers to itself."""
