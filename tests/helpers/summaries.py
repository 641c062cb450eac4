"""Summaries as JSON has them, changed as somebody with an editor would."""

from __future__ import annotations

import json
from collections.abc import Callable

from sim.contract.check import dump_record, parse_result
from sim.contract.summary import Result


def as_json(result: Result) -> dict:
    """Return a summary as it is read from a file."""
    return json.loads(json.dumps(dump_record(result)))


def edit_result(result: Result, change: Callable[[dict], object]) -> Result:
    """Return a summary after a change to its file."""
    data = as_json(result)
    change(data)
    return parse_result(data, "summary.json")
