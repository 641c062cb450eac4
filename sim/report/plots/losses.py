"""Losses over time: a panel for each quantity that anybody spoke of, with every claim on it."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from typing import Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from sim.case.wordings import WORDINGS
from sim.report.plots.style import (
    INK,
    POSTERIOR,
    SOFT,
    Figure,
    colour_sources,
    label_force,
    label_sources,
    make_canvas,
    put_title,
    set_count_axis,
    span_counts,
)

MAX_PANELS = 8
MAX_NAMED = 60  # sources in the legend
PER_ROW = 3  # sources in a row of the legend


def plot_losses(result: dict[str, Any], force: str) -> Figure | None:
    """Draw the path of each quantity with its 50% and 90% intervals, and the claims as they were made."""
    paths = [path for path in result["paths"] if path["force"] == force and len(path["days"]) > 1]
    claims: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for claim in result["claims"]:
        if claim["force"] == force:
            claims[claim["quantity"]].append(claim)
    by_quantity = {path["quantity"]: path for path in reversed(result["paths"]) if path["force"] == force}
    marks = {path["quantity"]: _list_marks(claims[path["quantity"]], path, by_quantity) for path in paths}
    shown = [path for path in paths if marks[path["quantity"]]][:MAX_PANELS] or paths[:1]
    if not shown:
        return None
    speaking = list(dict.fromkeys(mark["source"] for path in shown for mark in marks[path["quantity"]]))[:MAX_NAMED]
    top = 1.2 + 0.19 * -(-len(speaking) // PER_ROW)
    height = top + 0.4 + 1.75 * len(shown)
    canvas = make_canvas(height)
    put_title(
        canvas,
        f"{label_force(result, force)}: losses over time",
        "Line: posterior median; bands: 50% and 90% credible intervals. Marks: what each source said, by its wording; "
        "hollow marks repeat others and are not used. Claims on a change between two days are not shown. Log scale.",
    )
    grid = canvas.add_gridspec(
        len(shown), 1, left=0.105, right=0.975, top=1 - top / height, bottom=0.42 / height, hspace=0.32
    )
    colours = colour_sources(result, force)
    rows: list[dict[str, Any]] = []
    for place, path in enumerate(shown):
        axes = canvas.add_subplot(grid[place])
        _draw_panel(axes, path, marks[path["quantity"]], colours, result["as_of"])
        if place < len(shown) - 1:
            axes.tick_params(labelbottom=False)
        rows += _list_rows(path, marks[path["quantity"]])
    _put_legend(canvas, result, speaking, [mark for path in shown for mark in marks[path["quantity"]]], colours)
    return Figure(canvas, rows)


def _list_marks(
    claims: list[dict[str, Any]], path: dict[str, Any], paths: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the claims on a quantity; a share of the force is put on the panel times the median of its whole."""
    found = []
    for claim in claims:
        if any(claim[name] is None for name in WORDINGS[claim["qualifier"]].columns):
            continue
        if claim["exclude"] or claim["measure"] == "interval":
            continue  # of another population, or a change between two days: no place on this curve
        factor = 1.0
        if claim["unit"] == "share":
            whole = paths.get(claim["of"] or "deployed")
            if whole is None or not whole["days"]:
                continue
            factor = _read_path(whole, claim["as_of"])
        if claim["as_of"] < path["days"][0]:
            continue
        found.append({**claim, "factor": factor})
    return found


def _read_path(path: dict[str, Any], day: str) -> float:
    """Return the median on the last day of the path that is not after `day`."""
    return float(path["median"][max(bisect_right(path["days"], day) - 1, 0)])


def _draw_panel(
    axes: Axes, path: dict[str, Any], marks: list[dict[str, Any]], colours: dict[str, str], as_of: str
) -> None:
    days: Any = [dt.date.fromisoformat(day) for day in path["days"]]
    axes.fill_between(days, path["low_0.9"], path["high_0.9"], color=POSTERIOR, alpha=0.14, lw=0)
    axes.fill_between(days, path["low_0.5"], path["high_0.5"], color=POSTERIOR, alpha=0.26, lw=0)
    axes.plot(days, path["median"], color=POSTERIOR, lw=1.6)
    alike: dict[tuple[str, str, bool], list[dict[str, Any]]] = defaultdict(list)
    for mark in marks:
        alike[colours[mark["source"]], mark["qualifier"], mark["used"]].append(mark)
    for (colour, qualifier, used), group in alike.items():
        _draw_marks(axes, group, colour, qualifier, used=used)
    numbers = [mark["factor"] * mark[name] for mark in marks for name in ("low", "value", "high") if mark[name]]
    top = max([*path["high_0.9"], *numbers])
    # The first days reach down to nothing; the axis follows the claims and the second half of the path.
    half = path["low_0.9"][len(days) // 3 :]
    low, high = span_counts([max(min([*half, *numbers]), top / 1e4, 0.5), max(top, 2.0)])
    set_count_axis(axes, low, high, "y", most=6)
    axes.set_title(path["quantity"].replace("_", " ").capitalize(), pad=3)
    axes.set_xlim(days[0], days[-1] + (days[-1] - days[0]) * 0.02)
    day: Any = dt.date.fromisoformat(as_of)
    axes.axvline(day, color=SOFT, lw=0.6, ls=(0, (2, 2)))
    dates: Any = mdates
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False))


def _draw_marks(axes: Axes, marks: list[dict[str, Any]], colour: str, qualifier: str, *, used: bool) -> None:
    days: Any = [dt.date.fromisoformat(mark["as_of"]) for mark in marks]
    wording = WORDINGS[qualifier]
    if wording.law == "range":
        low, high = ([mark["factor"] * mark[name] for mark in marks] for name in ("low", "high"))
        axes.vlines(days, low, high, color=colour, lw=2.2 if used else 1.0, zorder=4)
        axes.plot([*days, *days], [*low, *high], ls="none", marker=wording.mark, ms=7, mew=1.4, color=colour, zorder=4)
        return
    values = [max(mark["factor"] * mark["value"], 0.5) for mark in marks]
    look: dict[str, Any] = {"ms": 6.0, "mfc": colour, "zorder": 5} if used else {"ms": 5.0, "mfc": "white", "zorder": 3}
    axes.plot(days, values, ls="none", marker=wording.mark, mec=colour, mew=1.1, **look)


def _put_legend(
    canvas: Canvas, result: dict[str, Any], names: list[str], marks: list[dict[str, Any]], colours: dict[str, str]
) -> None:
    labels = label_sources(result)
    sources = [Line2D([], [], ls="none", marker="o", ms=6, color=colours[key], label=labels[key]) for key in names]
    said = {wording.label: wording for wording in (WORDINGS[mark["qualifier"]] for mark in marks)}
    shapes = [
        Line2D([], [], ls="none", marker="|" if wording.law == "range" else wording.mark, ms=6, mfc=SOFT, mec=SOFT,
               mew=1.4, label=label)
        for label, wording in said.items()
    ]  # fmt: skip
    height = canvas.get_figheight()
    look: dict[str, Any] = {"frameon": False, "fontsize": 8, "handletextpad": 0.3, "columnspacing": 1.2, "borderpad": 0}
    start = 0.74
    for row in range(0, len(sources), PER_ROW):
        place = (0.012, 1 - start / height)
        canvas.legend(
            handles=sources[row : row + PER_ROW], loc="upper left", bbox_to_anchor=place, ncols=PER_ROW, **look
        )
        start += 0.19
    place = (0.012, 1 - start / height)
    canvas.legend(handles=shapes, loc="upper left", bbox_to_anchor=place, ncols=6, labelcolor=INK, **look)


def _list_rows(path: dict[str, Any], marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = ("low_0.9", "low_0.5", "median", "high_0.5", "high_0.9")
    empty = dict.fromkeys(("claim", "source", "qualifier", "low", "value", "high", "used"), "")
    curve = [
        {"quantity": path["quantity"], "day": day, **{name: path[name][place] for name in columns}, **empty}
        for place, day in enumerate(path["days"])
    ]
    said = [
        {
            "quantity": path["quantity"], "day": mark["as_of"], **dict.fromkeys(columns, ""), "claim": mark["id"],
            "source": mark["source"], "qualifier": mark["qualifier"], "used": mark["used"],
            **{name: "" if mark[name] is None else mark["factor"] * mark[name] for name in ("low", "value", "high")},
        }
        for mark in marks
    ]  # fmt: skip
    return curve + said
