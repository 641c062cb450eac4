"""Ranks of simulated truths among their posterior draws: the difference of their ECDF from that of uniform ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from sim.report.plots.style import POSTERIOR, RULE, SOFT, clip_text, make_canvas, put_title, use_style

COLUMNS = 4


def draw_ranks(replicates: Sequence[Mapping[str, float]], title: str, path: Path) -> None:
    """Draw the ECDF difference of each quantity's ranks over the pointwise 99% band of uniform ones.

    `replicates` holds the rank of the truth among the draws, as a fraction, by quantity.
    """
    names = list(replicates[0])
    lines = -(-len(names) // COLUMNS)
    height = 1.1 + 1.15 * lines
    grid = np.linspace(0, 1, 101)
    count = len(replicates)
    low, high = stats.binom.ppf([[0.005], [0.995]], count, grid) / count - grid
    with use_style():
        canvas = make_canvas(height)
        put_title(
            canvas,
            f"Simulation-based calibration: {clip_text(title, 60)}",
            f"{count} simulated worlds. Line: share of ranks up to x, less x; grey: 99% of uniform ranks, at each x. "
            "A line that leaves the band for long tells of a fault in the computation.",
        )
        grid_of_axes = canvas.add_gridspec(
            lines, COLUMNS, left=0.06, right=0.985, top=1 - 0.95 / height, bottom=0.3 / height, hspace=0.55, wspace=0.25
        )
        for number, name in enumerate(names):
            axes = canvas.add_subplot(grid_of_axes[number // COLUMNS, number % COLUMNS])
            ranks = np.sort([each[name] for each in replicates])
            axes.fill_between(grid, low, high, color=RULE, lw=0)
            axes.plot(grid, np.searchsorted(ranks, grid, side="right") / count - grid, color=POSTERIOR, lw=1.1)
            axes.set_title(clip_text(name, 34), fontsize=6.5, fontweight="normal", pad=2)
            axes.set_xlim(0, 1)
            axes.set_ylim(*(np.array([-1.6, 1.6]) * np.max(high)))
            axes.tick_params(labelsize=6, colors=SOFT)
            axes.set_xticks([0, 0.5, 1])
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas.savefig(path, dpi=140)
