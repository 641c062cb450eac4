"""The folder of a sensitivity report, which appears whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim.runs.folder import SENSITIVITY
from sim.system.writing import build_folder, format_json

BASE = "base"


def write_sensitivity(report: dict[str, Any], results: Path) -> Path:
    """Write the folder of a report: `results/<case>/sensitivity-<time>-seed<seed>/`; return it.

    It holds `sensitivity.json`, `sensitivity.csv` (a row for each scenario and count), `sensitivity.md` (one page) and
    `figures/`. Like a run it appears whole or not at all.
    """
    from sim.report.plots.sensitivity import draw_sensitivity
    from sim.report.robustness import render_page
    from sim.report.table import write_rows

    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    with build_folder(results / report["case"], f"{SENSITIVITY}{stamp}-seed{report['seed']}") as (folder, written):
        (folder / "sensitivity.json").write_text(format_json(report), encoding="utf-8")
        write_rows(folder / "sensitivity.csv", list(_list_rows(report)))
        (folder / "sensitivity.md").write_text(render_page(report), encoding="utf-8")
        (folder / "figures").mkdir()
        draw_sensitivity(report, folder / "figures")
    return written[0]


def _list_rows(report: dict[str, Any]) -> Iterator[dict[str, object]]:
    base = {"kind": BASE, "what": "", "how": "fit", "k": None, "trusted": report["base"]["trusted"]}
    for scenario in ({**base, "quantities": report["base"]["quantities"]}, *report["scenarios"]):
        for entry in scenario["quantities"]:
            row = {name: scenario[name] for name in ("kind", "what", "how", "k", "trusted")}
            row |= {name: entry.get(name) for name in ("force", "quantity", "median", "shift_sd", "width_ratio")}
            for level, (low, high) in entry["intervals"].items():
                row |= {f"low_{level}": low, f"high_{level}": high}
            yield row
