"""The grammar of derived quantities: what it allows, what it refuses, and that it is never Python."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.case.expressions import ExpressionError, evaluate, list_names, parse_expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("8 / 4 / 2", 1),
        ("5 - 3 - 1", 1),
        ("max(a, 3) - min(a, 3, 1)", 4),
        ("exp(log(a)) + sqrt(4)", 7),
        ("1e3 * .5", 500),
        ("dprk.killed / 2", 10),
    ],
)
def test_values(text, value):
    found = evaluate(parse_expression(text), {"a": np.array([5.0]), "dprk.killed": np.array([20.0])})
    assert float(np.squeeze(found)) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "(1", "1)", "a b", "open(1)", "__import__('os')", "a.b.c", "a[0]", "lambda", "1 if a", "exp()", "exp",
     "min(1)", "a; b", "1e999", "(" * 60 + "1" + ")" * 60, "2 ** " * 60 + "1", "1+" * 600 + "1", "1+" * 400 + "1"],
)  # fmt: skip
def test_everything_else_is_refused(text):
    try:
        node = parse_expression(text)
    except ExpressionError:
        return
    assert list_names(node) == {"lambda"}  # a plain name to us, refused where it is no quantity


def test_a_bomb_is_only_a_number():
    assert not np.isfinite(evaluate(parse_expression("9**9**9"), {}))


def test_division_by_zero_is_not_finite():
    assert not np.isfinite(evaluate(parse_expression("1 / a"), {"a": np.zeros(3)})).any()


@given(st.text(alphabet="0123456789.+-*/()eabxyz, ", max_size=40))
def test_no_text_breaks_the_parser(text):
    with suppress(ExpressionError):
        parse_expression(text)
