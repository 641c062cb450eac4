"""Past wars as tables: the record, how far sources were from the truth, and how forecasts of known outcomes did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.words import show_count, show_number

FEW = 4  # claims, of fewer of which no spread is told


def show_backtest(report: dict[str, Any]) -> str:
    """Return the table of a back-test: coverage with its band, scores, and the simple rules beside them."""
    lines = [f"{report['n']} established losses in {report['wars']} wars; coverage of intervals and scores"]
    if report["n"]:
        lines += [*_align(_list_scores(report)), *_show_strata(report)]
    lines += [
        f"{each['case']}, {each['quantity']}: nothing was lost; posterior median {show_number(each['median'])}, "
        f"probability of none {each['p_zero']:.2f}"
        for each in report["fabricated"]
    ]
    if report["untrusted_fits"]:
        lines.append(f"{report['untrusted_fits']} of {report['fits']} fits are not to be trusted")
    return "\n".join(lines)


def show_record(cases: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of the cases of a record."""
    rows = [["case", "war", "days", "established", "claims"]]
    for case in cases:
        known = "; ".join(
            f"{each['force']} {each['quantity']} {show_count(each['value'])}" for each in case["established"]
        )
        days = case["start"] if case["start"] == case["end"] else f"{case['start']} to {case['end']}"
        rows.append(
            [case["case"], case["war"], days, known if len(known) <= 70 else f"{known[:69]}…", str(case["claims"])]
        )
    return "\n".join(_align(rows))


def show_past(report: Mapping[str, Any]) -> str:
    """Return the table of how far sources were from the truth."""
    rows = [[*report["by"], "claims", "wars", "median", "its 90%", "half of them", "nine in ten", "learned"]]
    for group in report["groups"]:
        learned, sure = group["learned"], group["median_90"]
        rows.append([
            *(str(group[name] or "-") for name in report["by"]),
            str(group["claims"]),
            str(group["wars"]),
            f"{group['median']:.2f}",
            _show_edges(sure) if sure else "-",
            *(_show_edges(group["intervals"][level]) if group["claims"] >= FEW else "-" for level in ("0.5", "0.9")),
            f"{learned['median']:.2f} ({_show_edges(learned['interval_90'])})" if learned else "-",
        ])  # fmt: skip
    chosen = ", ".join(f"{name} {value}" for name, value in report["chosen"].items()) or "all"
    head = f"Claims of past wars over what is established ({chosen}): 1 is right, 2 is twice the truth."
    wars = len({claim["war"] for claim in report["claims"]})
    return "\n".join([head, *_align(rows), f"{len(report['claims'])} claims in {wars} wars."])


def _show_edges(edges: Sequence[float]) -> str:
    return f"{edges[0]:.2f}-{edges[1]:.2f}"


def _show_strata(report: Mapping[str, Any]) -> list[str]:
    """Return the scores by kind of row, and how words and ranks came out."""
    if not report["strata"]:
        return []
    head = ["", "n", "wars", "90%", "its band", "CRPS", f"less {report['best_rule']}, 80%", "log error"]
    rows = [head]
    for kind, members in report["strata"].items():
        for name, each in members.items():
            low, high = each["coverage_band"]["0.9"]
            difference = each["crps_difference"]["interval_80"]
            rows.append([
                f"{kind} {name}", str(each["n"]), str(each["wars"]), f"{each['coverage']['0.9']:.2f}",
                f"{low:.2f}-{high:.2f}", f"{each['crps']:.3f}", f"{difference[0]:+.3f} to {difference[1]:+.3f}",
                f"{each['median_log_error']:+.2f}",
            ])  # fmt: skip
    words = [
        f'"{each["words"]}" was right in {each["right"] * each["n"]:.0f} of {each["n"]}; '
        f"stated {each['probability']:.0%}"
        for each in report["words"]
    ]
    zero = report["zero_log_score"]
    ranks = ", ".join(map(str, report["pit_histogram"]))
    return [
        "",
        *_align(rows),
        "",
        f"Ranks of the truths by tenths of the forecast: {ranks}",
        *words,
        f"Zero or not: log score {zero['log_score']:.3f}; mean P(0) {zero['p_zero_of_invented']:.2f} of "
        f"{zero['invented']} invented, {zero['p_zero_of_real_below_10']:.2f} of {zero['real_below_10']} real below 10",
        "",
    ]


def _list_scores(report: dict[str, Any]) -> list[list[str]]:
    levels = list(report["coverage"])
    head = ["", *(f"{float(level):.0%}" for level in levels), "interval score", "CRPS", "CRPS less ours, 80%"]
    band = [f"{low:.2f}-{high:.2f}" for low, high in (report["coverage_band"][level] for level in levels)]
    rows = [head, ["truetoll", *_show_scores(report, levels), ""], ["band of a calibrated one", *band, "", "", ""]]
    for name, each in report["baselines"].items():
        low, high = (-edge for edge in reversed(each["crps_difference"]["interval_80"]))
        rows.append([name, *_show_scores(each, levels), f"{low:+.3f} to {high:+.3f}"])
    return rows


def _align(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _show_scores(summary: dict[str, Any], levels: list[str]) -> list[str]:
    shares = [f"{summary['coverage'][level]:.2f}" for level in levels]
    return [*shares, f"{summary['interval_score_90']:.2f}", f"{summary['crps']:.3f}"]


def show_quarters(report: dict[str, Any]) -> str:
    """Return the table of a back-test through time."""
    lines = [f"{'quarter':<12}{'force, quantity':<26}{'established':>13}{'median':>11}  90% interval"]
    for row in report["rows"]:
        low, high = row["intervals"]["0.9"]
        what = f"{row['force']}, {row['quantity']}"
        lines.append(
            f"{row['day']:<12}{what[:25]:<26}{show_number(row['truth']):>13}{show_number(row['median']):>11}  "
            f"{show_number(low)} to {show_number(high)}"
        )
    shares = ", ".join(f"{float(level):.0%}: {share:.2f}" for level, share in report["coverage"].items())
    lines.append(f"Coverage {shares}; mean log width of the 90% interval {report['log_width_90']:.2f}.")
    return "\n".join(lines)
