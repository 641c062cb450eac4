"""Expressions of derived quantities: a grammar of our own, parsed and evaluated without `eval`.

::

    sum     = product { ("+" | "-") product }
    product = sign { ("*" | "/") sign }
    sign    = ("+" | "-") sign | power
    power   = atom [ "**" sign ]
    atom    = number | name | function "(" sum { "," sum } ")" | "(" sum ")"

Names are quantities (`killed`, or `force.killed` where there are several forces) and the inputs of the expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

MAX_LENGTH = 1_000
MAX_DEPTH = 40
MAX_OPERATIONS = 100

Array = NDArray[np.float64]

FUNCTIONS: dict[str, tuple[int, int, Callable[..., Array]]] = {
    "min": (2, 20, lambda *a: reduce(np.minimum, a)),
    "max": (2, 20, lambda *a: reduce(np.maximum, a)),
    "exp": (1, 1, np.exp),
    "log": (1, 1, np.log),
    "sqrt": (1, 1, np.sqrt),
}
OPERATORS: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}
COMPARISONS: dict[str, Callable[[Array, Array], NDArray[np.bool_]]] = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
}
_COMPARISON = re.compile("(" + "|".join(COMPARISONS) + ")")
_TOKEN = re.compile(
    r"[ \t]*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)"
    r"|(?P<symbol>\*\*|[-+*/(),]))",
    re.ASCII,
)


class ExpressionError(ValueError):
    """An expression that the grammar does not allow."""


@dataclass(frozen=True)
class Node:
    """A node of the parsed expression: a number, a name, or an operation on other nodes."""

    kind: str
    value: float | str
    parts: tuple[Node, ...] = ()


def parse_expression(text: str) -> Node:
    """Parse an expression.

    Raises
    ------
    ExpressionError
        With what is wrong, where the text is not of the grammar.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"is longer than {MAX_LENGTH} characters")
    return _Parser(text).parse()


def parse_condition(text: str) -> tuple[list[Node], list[str]]:
    """Parse expressions with comparisons between them, such as `100 < killed <= 2 * captured`.

    Returns
    -------
    nodes : list of Node
        The expressions.
    marks : list of str
        What stands between them, one fewer.

    Raises
    ------
    ExpressionError
        Where an expression is not of the grammar, or nothing is compared.
    """
    parts = _COMPARISON.split(text)
    if len(parts) < 3:
        raise ExpressionError(f"compares nothing; use one of {', '.join(COMPARISONS)}")
    return [parse_expression(part) for part in parts[::2]], parts[1::2]


def list_names(node: Node) -> frozenset[str]:
    """Return the names that an expression uses."""
    own = {str(node.value)} if node.kind == "name" else set()
    return frozenset(own.union(*(list_names(part) for part in node.parts)))


def evaluate(node: Node, values: Mapping[str, Array]) -> Array:
    """Evaluate a parsed expression draw by draw.

    Parameters
    ----------
    node : Node
        From `parse_expression`.
    values : mapping of str to ndarray of shape (draws,)
        A value for every name in the expression.

    Returns
    -------
    ndarray of shape (draws,)
        Not finite where a draw divides by zero or takes the logarithm of a non-positive number.
    """
    with np.errstate(all="ignore"):
        return _evaluate(node, values)


def _evaluate(node: Node, values: Mapping[str, Array]) -> Array:
    if node.kind == "number":
        return np.asarray(node.value, dtype=float)
    if node.kind == "name":
        return np.asarray(values[str(node.value)], dtype=float)
    parts = [_evaluate(part, values) for part in node.parts]
    operation = FUNCTIONS[str(node.value)][2] if node.kind == "call" else OPERATORS[str(node.value)]
    return np.asarray(operation(*parts), dtype=float)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens = _split(text)
        self.position = 0
        self.depth = 0
        self.operations = 0

    def parse(self) -> Node:
        node = self._sum()
        if self._peek()[1]:
            raise ExpressionError(f"has an unexpected {self._peek()[1]!r}")
        return node

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.position]

    def _take(self) -> tuple[str, str]:
        token = self.tokens[self.position]
        self.position += 1
        self.operations += token[1] in OPERATORS
        if self.operations > MAX_OPERATIONS:
            raise ExpressionError(f"has more than {MAX_OPERATIONS} operations")
        return token

    def _expect(self, symbol: str) -> None:
        if self._peek()[1] != symbol:
            raise ExpressionError(f"lacks a {symbol!r}")
        self._take()

    def _sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"is nested deeper than {MAX_DEPTH} levels")
        node = self._product()
        while self._peek()[1] in ("+", "-"):
            symbol = self._take()[1]
            node = Node("operation", symbol, (node, self._product()))
        self.depth -= 1
        return node

    def _product(self) -> Node:
        node = self._sign()
        while self._peek()[1] in ("*", "/"):
            symbol = self._take()[1]
            node = Node("operation", symbol, (node, self._sign()))
        return node

    def _sign(self) -> Node:
        negative = False
        while self._peek()[1] in ("+", "-"):
            negative ^= self._take()[1] == "-"
        node = self._power()
        return Node("operation", "-", (Node("number", 0.0), node)) if negative else node

    def _power(self) -> Node:
        base = self._atom()
        if self._peek()[1] != "**":
            return base
        self._take()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"is nested deeper than {MAX_DEPTH} levels")
        node = Node("operation", "**", (base, self._sign()))
        self.depth -= 1
        return node

    def _atom(self) -> Node:
        kind, text = self._take()
        if kind == "number":
            value = float(text)
            if not np.isfinite(value):
                raise ExpressionError(f"has a number that is too large, {text[:20]!r}")
            return Node("number", value)
        if kind == "name":
            return self._call(text) if self._peek()[1] == "(" else self._name(text)
        if text == "(":
            node = self._sum()
            self._expect(")")
            return node
        raise ExpressionError(f"has an unexpected {text!r}" if text else "ends too early")

    def _name(self, text: str) -> Node:
        if text in FUNCTIONS:
            raise ExpressionError(f"uses the function {text!r} without arguments")
        return Node("name", text)

    def _call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise ExpressionError(f"calls {name!r}, which is not one of {', '.join(FUNCTIONS)}")
        self._expect("(")
        arguments = [self._sum()]
        while self._peek()[1] == ",":
            self._take()
            arguments.append(self._sum())
        self._expect(")")
        least, most, _ = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"gives {name!r} {len(arguments)} arguments")
        return Node("call", name, tuple(arguments))


def _split(text: str) -> list[tuple[str, str]]:
    """Return the tokens (kind, text) of an expression, closed by an empty one."""
    tokens = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"has an unexpected {text[position:].lstrip()[:1]!r} at character {position + 1}")
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        position = match.end()
    return [*tokens, ("end", "")]
