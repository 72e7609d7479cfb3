"""From tokens to the tree of an expression.

http://hl7.org/fhirpath/N1/#grammar, http://hl7.org/fhirpath/N1/#operator-precedence
"""

from dataclasses import replace
from typing import Final, NoReturn

from polyclinic.kernel.fhirpath.errors import (
    ExpressionSyntaxError,
    LimitExceeded,
    SemanticError,
)
from polyclinic.kernel.fhirpath.lexer import Token, tokens
from polyclinic.kernel.fhirpath.limits import MAX_DEPTH, MAX_NESTING
from polyclinic.kernel.fhirpath.literals import moment_literal, number_literal, quantity_literal
from polyclinic.kernel.fhirpath.model import SYSTEM, Type, fhir_type, is_fhir_type
from polyclinic.kernel.fhirpath.node import EMPTY, FALSE, TRUE, string
from polyclinic.kernel.fhirpath.quantities import CALENDAR
from polyclinic.kernel.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    Indexer,
    Literal,
    Path,
    Polarity,
    Special,
    TypeTest,
    Union,
    Variable,
    depth,
)

_LEVELS: Final = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<", ">", "<=", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
"""The binary operators from those that bind least."""
_PRECEDENCE: Final = {word: level for level, words in enumerate(_LEVELS) for word in words}
_SPECIALS: Final = frozenset({"this", "index", "total"})
_RESERVED: Final = frozenset({"and", "div", "implies", "mod", "or", "xor"})
"""Words that are no identifiers; ``as``, ``contains``, ``in`` and ``is`` may be."""
_TYPE_FUNCTIONS: Final = frozenset({"as", "is", "ofType"})


def parse(expression: str, *, as_filters: bool = False) -> Expression:
    """Return the tree of an expression; with ``as_filters``, ``as`` is read as ``ofType``.

    Raise ExpressionSyntaxError, SemanticError for an unknown type, LimitExceeded.
    """
    parser = _Parser(tokens(expression), as_filters=as_filters)
    tree = parser.expression()
    parser.end()
    if depth(tree) > MAX_DEPTH:
        message = f"An expression nests at most {MAX_DEPTH} calls and operators; divide it."
        raise LimitExceeded(message)
    return tree


class _Parser:
    def __init__(self, found: list[Token], *, as_filters: bool) -> None:
        self._tokens = found
        self._as = "ofType" if as_filters else "as"
        self._place = 0
        self._nesting = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _at(self, symbol: str) -> bool:
        token = self._token
        return token.kind == "symbol" and token.text == symbol

    def _accept(self, symbol: str) -> bool:
        if self._at(symbol):
            self._place += 1
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            self._refuse(f"'{symbol}' is missing")

    def _refuse(self, what: str) -> NoReturn:
        message = f"{what} at character {self._token.position + 1} of the expression."
        raise ExpressionSyntaxError(message)

    def end(self) -> None:
        """Demand that nothing follows."""
        if self._token.kind != "end":
            self._refuse("Nothing may follow, but something stands")

    def expression(self, least: int = 0) -> Expression:
        """Return an expression of operators that bind at least so strongly."""
        self._deeper()
        left = self._polarity()
        while (level := self._level()) >= least:
            left = self._operation(left, level)
        self._nesting -= 1
        return left

    def _level(self) -> int:
        if self._token.kind not in {"symbol", "name"}:
            return -1
        return _PRECEDENCE.get(self._token.text, -1)

    def _operation(self, left: Expression, level: int) -> Expression:
        operator = self._next().text
        if operator in {"is", "as"}:
            return TypeTest(self._as if operator == "as" else operator, left, self._type())
        right = self.expression(level + 1)
        if operator != "|":
            return Binary(operator, left, right)
        return Union((*left.operands, right) if isinstance(left, Union) else (left, right))

    def _polarity(self) -> Expression:
        sign = self._token
        if not (self._accept("+") or self._accept("-")):
            return self._postfix(self._primary())
        if self._is_plain_number():
            return Literal(number_literal(self._next(), -1 if sign.text == "-" else 1))
        self._deeper()
        operand = Polarity(sign.text, self._polarity())
        self._nesting -= 1
        return operand

    def _is_plain_number(self) -> bool:
        """Return whether a number stands here alone: a sign binds less than a dot."""
        if self._token.kind != "number":
            return False
        after = self._tokens[self._place + 1]
        return after.kind != "string" and after.text not in {".", "[", *CALENDAR}

    def _deeper(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            message = f"An expression nests at most {MAX_NESTING} deep; divide it."
            raise LimitExceeded(message)

    def _postfix(self, base: Expression) -> Expression:
        while True:
            if self._accept("."):
                base = self._invocation(base)
            elif self._accept("["):
                base = Indexer(base, self.expression())
                self._expect("]")
            else:
                return base

    def _invocation(self, base: Expression | None) -> Expression:
        """Return an element or a function; ``x.$this`` is ``x``."""
        if self._token.kind == "special":
            special = self._special()
            return base if base and special.name == "this" else special
        name = self._identifier()
        if self._accept("("):
            return self._call(base, name)
        if isinstance(base, Path):
            return replace(base, names=(*base.names, name))
        return Path(base, (name,))

    def _special(self) -> Special:
        name = self._token.text
        if name not in _SPECIALS:
            self._refuse("There is no such variable as")
        self._next()
        return Special(name)

    def _identifier(self) -> str:
        token = self._token
        if token.kind == "delimited" or (token.kind == "name" and token.text not in _RESERVED):
            return self._next().text
        return self._refuse("A name is missing")

    def _call(self, base: Expression | None, name: str) -> Expression:
        if name in _TYPE_FUNCTIONS:
            types = self._type()
            self._expect(")")
            return TypeTest(self._as if name == "as" else name, base, types)
        arguments: list[Expression] = []
        if not self._accept(")"):
            arguments.append(self.expression())
            while self._accept(","):
                arguments.append(self.expression())
            self._expect(")")
        return Call(base, name, tuple(arguments))

    def _type(self) -> tuple[Type, ...]:
        """Return the types that a type specifier may mean, FHIR's before FHIRPath's."""
        name = self._identifier()
        if not self._accept("."):
            found = _types(name)
            if not found:
                message = f"There is no type {name}; correct it."
                raise SemanticError(message)
            return found
        namespace, name = name, self._identifier()
        if namespace == "System":
            return (SYSTEM[name],) if name in SYSTEM else ()
        if namespace != "FHIR" or not is_fhir_type(name):
            message = f"There is no type {namespace}.{name}; correct it."
            raise SemanticError(message)
        return (fhir_type(name),)

    def _primary(self) -> Expression:
        if self._accept("("):
            found = self.expression()
            self._expect(")")
            return found
        if self._accept("{"):
            self._expect("}")
            return Literal(EMPTY)
        return self._literal() or self._invocation(None)

    def _literal(self) -> Expression | None:
        """Return a value or a variable, or None where something else stands."""
        token = self._token
        match token.kind:
            case "number":
                return self._number()
            case "string":
                found: Expression = Literal(string(token.text))
            case "date" | "datetime" | "time":
                found = Literal(moment_literal(token))
            case "variable":
                found = Variable(token.text)
            case "name" if token.text in {"true", "false"}:
                found = Literal(TRUE if token.text == "true" else FALSE)
            case _:
                return None
        self._next()
        return found

    def _number(self) -> Expression:
        token, unit = self._next(), self._token
        if unit.kind == "string" or (unit.kind == "name" and unit.text in CALENDAR):
            self._next()
            return Literal(quantity_literal(token, unit.text, calendar=unit.kind == "name"))
        return Literal(number_literal(token))


def _types(name: str) -> tuple[Type, ...]:
    known = (fhir_type(name),) if is_fhir_type(name) else ()
    return (*known, SYSTEM[name]) if name in SYSTEM else known
