"""One tree for what is searched: the store compiles it to SQL, ``matcher`` runs it in memory.

Both mean what is said here; a test keeps them equal. A leaf names a search parameter of the type
that is searched. Values of one leaf stand for one ``value`` of a query; commas become ``AnyOf`` and
repeated parameters ``AllOf``. https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from polyclinic.kernel.search.custom.parameters import NONE, CustomParameters
from polyclinic.kernel.search.parameters import SearchParameter


class Comparison(StrEnum):
    """The prefixes of ordered values, https://hl7.org/fhir/R4/search.html#prefix."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    GREATER_OR_EQUAL = "ge"
    LESS_OR_EQUAL = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"
    APPROXIMATELY = "ap"
    INCLUDES = "co"
    """What is stored leaves open all that is asked: no prefix, an operator of ``_filter``."""


@dataclass(frozen=True, slots=True)
class TokenIs:
    """A coding, an identifier, a code or a flag."""

    param: SearchParameter
    system: str | None
    """None: any system. Empty: no system."""
    code: str | None
    """None: any code of the system."""


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token whose display or text has all of these words: ``:text``."""

    param: SearchParameter
    words: tuple[str, ...]
    """Normalised, at least one."""


@dataclass(frozen=True, slots=True)
class TokenOfType:
    """An identifier of a type: ``:of-type``."""

    param: SearchParameter
    system: str
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class TokenIn:
    """A code of a value set (``:in``), or above or below another: ``:above``, ``:below``.

    Whoever knows the terminology replaces it by the codes before the search runs.
    """

    param: SearchParameter
    how: Literal["in", "above", "below"]
    system: str | None
    """Of the code, as in ``TokenIs``; None for ``in``."""
    value: str
    """The code; for ``in`` the value set's URL, or ``ValueSet/id``."""


@dataclass(frozen=True, slots=True)
class RefersTo:
    """A reference to one resource."""

    param: SearchParameter
    target: str
    id: str


@dataclass(frozen=True, slots=True)
class IdentifierIs:
    """A reference by identifier: ``:identifier``."""

    param: SearchParameter
    system: str | None
    """As in ``TokenIs``."""
    code: str | None


@dataclass(frozen=True, slots=True)
class CanonicalIs:
    """A reference by canonical URL, just as it stands: with its version or without."""

    param: SearchParameter
    names: tuple[str, ...]
    """One of these."""


@dataclass(frozen=True, slots=True)
class UriIs:
    """An uri, exactly."""

    param: SearchParameter
    uri: str


@dataclass(frozen=True, slots=True)
class UriBelow:
    """An uri that is this one, or goes on behind it with a further path segment: ``:below``."""

    param: SearchParameter
    uri: str
    """Without a slash at its end."""


HowString: TypeAlias = Literal[
    "starts", "exact", "contains", "ends", "equals", "differs", "gt", "lt", "ge", "le"
]
"""Relations of strings; the last four are those of ``_filter``, by code points."""


@dataclass(frozen=True, slots=True)
class StringIs:
    """A string in a relation to a text."""

    param: SearchParameter
    how: HowString
    """``exact`` compares the text as it stands; the others without regard to case and accents."""
    text: str
    """Normalised (``strings.normalise``), as it stands for ``exact``."""


@dataclass(frozen=True, slots=True)
class DateIs:
    """A date whose range stands in a relation to [low, high), microseconds since 1970 UTC."""

    param: SearchParameter | None
    """None: ``_lastUpdated``."""
    comparison: Comparison
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberIs:
    """A number or a quantity whose range stands in a relation to [low, high)."""

    param: SearchParameter
    comparison: Comparison
    low: float
    high: float
    exact: float
    system: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A place on the earth within a distance of another, in degrees (WGS 84) and metres."""

    param: SearchParameter
    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class CompositeIs:
    """One element that has all of some values, one for each component of a composite."""

    param: SearchParameter
    parts: "tuple[Leaf, ...]"
    """In the order of the definition; their parameters are those that the components name."""


@dataclass(frozen=True, slots=True)
class IdIs:
    """One of some ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """All of some words, in the narrative (``_text``) or anywhere (``_content``)."""

    param: SearchParameter
    words: tuple[str, ...]
    """Normalised, at least one."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a parameter has no value."""

    param: SearchParameter
    missing: bool


@dataclass(frozen=True, slots=True)
class InList:
    """An entry of a List: ``_list``."""

    id: str


@dataclass(frozen=True, slots=True)
class InCompartment:
    """Belongs to a compartment, https://hl7.org/fhir/R4/compartmentdefinition.html."""

    owner: str
    """Patient, Encounter, Practitioner, RelatedPerson or Device."""
    id: str


@dataclass(frozen=True, slots=True)
class Contains:
    """Has a contained resource of a type."""

    type: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A reference to a resource of a type for which something holds: a chain.

    Where the reference is a canonical, the resource is what ``canonicals`` says that it names.
    """

    param: SearchParameter
    target: str
    where: "Predicate"


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of a type refers here, for which something holds: ``_has``."""

    source: str
    param: SearchParameter
    """Of the source."""
    where: "Predicate"


@dataclass(frozen=True, slots=True)
class Not:
    """Does not hold: ``:not``, ``:not-in``."""

    part: "Predicate"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each holds; without parts, everything matches."""

    parts: "tuple[Predicate, ...]"


Leaf: TypeAlias = (
    TokenIs
    | TokenText
    | TokenOfType
    | TokenIn
    | RefersTo
    | IdentifierIs
    | CanonicalIs
    | UriIs
    | UriBelow
    | StringIs
    | DateIs
    | NumberIs
    | Near
    | CompositeIs
    | IdIs
    | Words
    | Missing
    | InList
    | InCompartment
    | Contains
)
Predicate: TypeAlias = Leaf | Linked | Has | Not | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order of a page; ties by rid."""

    param: SearchParameter | None
    """None: ``_lastUpdated``; ``_id`` is a parameter."""
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """What comes along with the matches: what they refer to, or what refers to them."""

    source: str | None
    """The type that refers; None: any."""
    param: SearchParameter | None
    """None: every reference."""
    target: str | None
    """Only this type."""
    reverse: bool
    """``_revinclude``."""
    iterate: bool
    """Of what was included too."""
    further: tuple[SearchParameter, ...] = ()
    """With every reference of one type, those that a tenant defined of it."""


@dataclass(frozen=True, slots=True)
class View:
    """What of the matches an answer shows; which they are does not depend on it."""

    summary: Literal["false", "true", "text", "data", "count"] = "false"
    elements: tuple[str, ...] = ()
    contained: Literal["false", "true", "both"] = "false"
    contained_type: Literal["container", "contained"] = "container"
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood."""

    types: tuple[str, ...]
    """One type; several in a search of the system or a compartment, with the parameters of all."""
    where: AllOf
    """Its parts stand in the order of ``conditions``."""
    sort: tuple[Sort, ...]
    """At least one key."""
    count: int
    """Matches on a page; 0 asks only how many there are."""
    total: bool
    after: str | None
    """The sealed place where the last page ended."""
    understood: tuple[tuple[str, str], ...]
    """The parameters that were used, for the self link."""
    conditions: tuple[tuple[str, str], ...] = ()
    """The parameters that became ``where``, part for part."""
    includes: tuple[Include, ...] = ()
    view: View = View()
    as_of: datetime | None = None
    """What was stored at that moment is searched."""
    any_order: bool = False
    """No order was asked for: where another is cheaper than ``sort``, it will do."""
    custom: CustomParameters = NONE
    """The search parameters that the tenant defined."""

    @property
    def resource_type(self) -> str:
        """Return the type of a search of one."""
        return self.types[0]
