"""Small cases that once came out wrong, each by the installed program; they stand beside the project."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from program import call

CASES = Path(__file__).parents[3] / "shared" / "cases"


def run_headline(name, place):
    """Return median and 90% interval of the killed."""
    if not (CASES / name).is_dir():
        pytest.skip(f"the case is not beside the project (../shared/cases/{name})")
    done = call("run", CASES / name, "--results", place, "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    (path,) = (place / name).glob("*/summary.json")
    found = next(
        each for each in json.loads(path.read_text(encoding="utf-8"))["estimates"] if each["quantity"] == "killed"
    )
    return found["median"], found["intervals"]["0.9"]


@pytest.mark.parametrize(("once", "often"), [("line1", "line6"), ("list-once", "list")])
def test_what_is_told_often_is_what_is_told_once(once, often, tmp_path):
    """The median is the same within 10%; the interval is as wide, within what draws of it scatter."""
    first, (low, high) = run_headline(once, tmp_path)
    again, (lower, higher) = run_headline(often, tmp_path)
    assert again == pytest.approx(first, rel=0.1)
    assert math.log(higher / lower) < 1.1 * math.log(high / low)
