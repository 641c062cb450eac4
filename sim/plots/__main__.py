"""Draw the figures of a summary: its path, and that of their folder, come on standard input as a JSON list.

What drawing needs is loaded before they are read (see `sim.artist`).
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from sim.plots import draw_figures
from sim.plots.style import make_canvas, use_style


def main() -> None:
    """Load what drawing needs, wait for the paths, draw."""
    with use_style():
        canvas = make_canvas(1.0)
        canvas.text(0.5, 0.5, "1")
        for kind in ("png", "svg"):
            canvas.savefig(io.BytesIO(), format=kind)
    asked = sys.stdin.read()
    if asked:  # nothing where the run has failed
        summary, folder = map(Path, json.loads(asked))
        draw_figures(json.loads(summary.read_text(encoding="utf-8")), folder)


if __name__ == "__main__":
    main()
