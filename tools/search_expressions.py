"""Parse the FHIRPath subset in which R4 writes its search parameters.

The grammar, from reading all 1,378 expressions of R4 (https://hl7.org/fhir/R4/searchparameter-registry.html)::

    union    = branch ("|" branch)*
    branch   = path ["as" TYPE] ["and" path "!=" "false"]
    path     = "(" branch ")" ("." step)*  |  step ("." step)*
    step     = NAME | "%resource" | "[0]"
             | "as(" TYPE ")" | "ofType(" TYPE ")" | "exists()"
             | "where(resolve() is " TYPE ")" | "where(" NAME "=" STRING ")"

Anything else raises ``ExpressionError``: a new expression must be understood, not skipped.
"""

import re
from dataclasses import dataclass, field, replace

TOKEN = re.compile(r"\s*(%resource|\[0\]|!=|[A-Za-z_]\w*|'[^']*'|[.|()=])")


class ExpressionError(ValueError):
    """The expression is outside the subset."""

    def __init__(self, where: str, problem: str) -> None:
        """Say which expression or element it is, and what is wrong with it."""
        super().__init__(f"{where}: {problem}")


@dataclass(frozen=True, slots=True)
class Step:
    """One element name and what narrows it."""

    name: str
    cast: str | None = None
    where: tuple[str, str] | None = None
    first: bool = False
    resolves: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """One member of a union: its steps, and whether it only asks if something is there."""

    steps: tuple[Step, ...]
    exists: bool = False


@dataclass(slots=True)
class Parser:
    """A recursive descent over the tokens of one expression."""

    text: str
    tokens: list[str] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        """Split the text into tokens."""
        place = 0
        while place < len(self.text.rstrip()):
            match = TOKEN.match(self.text, place)
            if not match:
                raise ExpressionError(self.text, f"cannot read at {self.text[place:]!r}")
            self.tokens.append(match[1])
            place = match.end()

    def peek(self) -> str:
        """Return the next token, or an empty string at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        """Consume one token, which must be one of those expected, if any are named."""
        token = self.peek()
        if not token or (expected and token not in expected):
            raise ExpressionError(self.text, f"{token!r} where {expected or 'a word'} belongs")
        self.at += 1
        return token

    def union(self) -> list[Branch]:
        """Parse the whole text."""
        branches = [self.branch()]
        while self.peek() == "|":
            self.take("|")
            branches.append(self.branch())
        if self.peek():
            raise ExpressionError(self.text, f"{self.peek()!r} is left over")
        return branches

    def branch(self) -> Branch:
        """Parse one member of the union."""
        branch = self.path()
        if self.peek() == "as":
            self.take("as")
            branch = narrowed(branch, cast=self.take())
        if self.peek() == "and":
            self.take("and")
            other = self.path()
            self.take("!=")
            self.take("false")
            if not branch.exists or other.steps != branch.steps:
                raise ExpressionError(self.text, "only `x.exists() and x != false` is known")
        elif branch.exists:
            raise ExpressionError(self.text, "exists() alone is not known")
        return branch

    def path(self) -> Branch:
        """Parse names and functions joined by dots."""
        if self.peek() == "(":
            self.take("(")
            branch = self.branch()
            self.take(")")
        else:
            branch = Branch((Step(self.take()),))
        while self.peek() in {".", "[0]"}:
            branch = self.suffix(branch)
        return branch

    def suffix(self, branch: Branch) -> Branch:
        """Parse one step behind a path."""
        if self.take(".", "[0]") == "[0]":
            return narrowed(branch, first=True)
        name = self.take()
        if self.peek() != "(":
            return Branch((*branch.steps, Step(name)))
        self.take("(")
        if name == "exists":
            branch = Branch(branch.steps, exists=True)
        elif name in {"as", "ofType"}:
            branch = narrowed(branch, cast=self.take())
        elif name == "where":
            branch = self.where(branch)
        else:
            raise ExpressionError(self.text, f"the function {name} is not known")
        self.take(")")
        return branch

    def where(self, branch: Branch) -> Branch:
        """Parse the criterion inside ``where(...)``."""
        name = self.take()
        if name == "resolve":
            for token in ("(", ")", "is"):
                self.take(token)
            return narrowed(branch, resolves=self.take())
        self.take("=")
        value = self.take()
        if not value.startswith("'"):
            raise ExpressionError(self.text, "where() compares with a string only")
        return narrowed(branch, where=(name, value.strip("'")))


def narrowed(branch: Branch, **change: object) -> Branch:
    """Return the branch with its last step narrowed."""
    last = replace(branch.steps[-1], **change)  # type: ignore[arg-type]  # the names are Step's own
    return Branch((*branch.steps[:-1], last), exists=branch.exists)


def parse(expression: str) -> list[Branch]:
    """Return the members of the union that ``expression`` is."""
    return Parser(expression).union()
