"""Summaries as JSON has them, changed as somebody with an editor would."""

from __future__ import annotations

import json
from collections.abc import Callable

from sim.contract.check import dump_record, parse_result
from sim.contract.summary import Result

HOSTILE = "<script>document.title='hit'</script>|**x**\n# h [a](javascript:1) #panic() $x$ \\[ =cmd|' /C calc'!A0"


def as_json(result: Result) -> dict:
    """Return a summary as it is read from a file."""
    return json.loads(json.dumps(dump_record(result)))


def edit_result(result: Result, change: Callable[[dict], object]) -> Result:
    """Return a summary after a change to its file."""
    data = as_json(result)
    change(data)
    return parse_result(data, "summary.json")


def make_hostile(result):
    """Return the result with texts everywhere that try to be more than text."""

    def change(data):
        data["title"] = HOSTILE
        for claim in data["claims"]:
            claim |= {"phrase": HOSTILE, "report": HOSTILE, "note": HOSTILE, "url": "javascript:alert(1)"}
        for source in data["sources"]:
            source["label"] = HOSTILE

    return edit_result(result, change)
