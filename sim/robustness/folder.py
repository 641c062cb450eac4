"""The folder of a sensitivity report, which appears whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from sim.contract.check import dump_record
from sim.contract.sensitivity import FittedCount, Scenario, Sensitivity
from sim.report.robustness import find_base
from sim.report.table import Row
from sim.runs.folder import SENSITIVITY
from sim.system.writing import build_folder, format_json

_COLUMNS = ("force", "quantity", "median", "shift_sd", "width_ratio")


def write_sensitivity(report: Sensitivity, results: Path) -> Path:
    """Write the folder of a report: `results/<case>/sensitivity-<time>-seed<seed>/`; return it.

    It holds `sensitivity.json`, `sensitivity.csv` (a row for each scenario and count), `sensitivity.md` (one page) and
    `figures/`. Like a run it appears whole or not at all.
    """
    from sim.report.plots.sensitivity import draw_sensitivity
    from sim.report.robustness import render_page
    from sim.report.table import write_rows

    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    with build_folder(results / report.case, f"{SENSITIVITY}{stamp}-seed{report.seed}") as (folder, written):
        (folder / "sensitivity.json").write_text(format_json(dump_record(report)), encoding="utf-8")
        write_rows(folder / "sensitivity.csv", list(_list_rows(report)))
        (folder / "sensitivity.md").write_text(render_page(report), encoding="utf-8")
        (folder / "figures").mkdir()
        draw_sensitivity(report, folder / "figures")
    return written[0]


def _list_rows(report: Sensitivity) -> Iterator[Row]:
    fits: list[tuple[Scenario, Sequence[FittedCount]]] = [(find_base(report), report.base.quantities)]
    fits += [(scenario, scenario.quantities) for scenario in report.scenarios]
    for scenario, quantities in fits:
        told: Row = {name: getattr(scenario, name) for name in ("kind", "what", "how", "k", "trusted")}
        for entry in quantities:
            row = {**told, **{name: getattr(entry, name, None) for name in _COLUMNS}}
            for level, (low, high) in entry.intervals.items():
                row |= {f"low_{level}": low, f"high_{level}": high}
            yield row
