"""Draw the figures of a summary: its path, and that of their folder, come on standard input as a JSON list on one line.

What drawing needs is loaded before they are read (see `sim.system.figure_process`); where processes can be forked, two
draw.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

from sim.contract.check import adapt, parse_result
from sim.contract.summary import Result
from sim.report.plots import draw_figures, list_figures
from sim.report.plots.style import make_canvas, use_style
from sim.system.signals import end_with_input


def main() -> int:
    """Load what drawing needs, wait for the paths, draw; return the exit status."""
    with use_style():
        canvas = make_canvas(1.0)
        canvas.text(0.5, 0.5, "1")
        for kind in ("png", "svg"):
            canvas.savefig(io.BytesIO(), format=kind)
    adapt(Result)
    asked = sys.stdin.readline()
    if not asked:  # the run has failed
        return 0
    summary, folder = map(Path, json.loads(asked))
    result = parse_result(json.loads(summary.read_text(encoding="utf-8")), str(summary))
    names = [name for name, *_ in list_figures(result)]
    if sys.platform != "linux":
        draw_figures(result, folder, names)
        return 0
    helper = os.fork()
    end_with_input()
    draw_figures(result, folder, names[helper > 0 :: 2])
    return 0 if helper == 0 else os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
