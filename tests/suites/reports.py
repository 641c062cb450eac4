"""The reports of the slow suites, written into docs/: `python tests/suites/reports.py sbc engines stress ...`."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ablations import PRIORS, RECORDS, fix_key

from sim.calibration.backtest import list_scored_truths
from sim.calibration.forecast import forecast_wars
from sim.calibration.record import read_record
from sim.calibration.scores import Score, compare, score_draws, summarise
from sim.case.folder import list_shipped_cases, read_case
from sim.case.priors import read_priors
from sim.model.design import design_model
from sim.posterior.engines import ENGINES
from sim.posterior.sample import draw_prior
from sim.runs.run import run_case
from sim.words import show_number

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILD = ROOT / "build" / "sbc"
TRACK = ROOT / "priors" / "record"


def write_sbc() -> None:
    """Write the report of simulation-based calibration from what `truetoll sbc --json` left in build/sbc."""
    lines = [
        "# Simulation-based calibration",
        "",
        "Made by `make sbc`. For each case, worlds are drawn from its prior, their claims from the model, and each",
        "world is fitted; if the computation is right, the truth's rank among the draws is uniform. p: of ArviZ's",
        "pointwise uniformity test (POT with Cauchy combination). A report raises an alarm where p is below 1% over",
        "the number of quantities, so at most one report in a hundred does by chance.",
    ]
    for path in sorted(BUILD.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        picture = BUILD / path.stem / "sbc-seed1.png"
        shutil.copy(picture, DOCS / f"sbc-{path.stem}.png")
        smallest = sorted(report["quantities"], key=lambda entry: entry["p_uniform"])[:5]
        verdict = f"**alarm: {', '.join(report['alarms'])}**" if report["alarms"] else "no alarm"
        lines += [
            "",
            f"## {path.stem}",
            "",
            f"{report['n']} replicates; {len(report['quantities'])} quantities; {verdict} "
            f"(limit {report['limit']:.2g}); {report['untrusted_fits']} fits with R-hat of 1.05 or more.",
            "",
            "Smallest p: " + ", ".join(f"{entry['name']} {entry['p_uniform']:.2g}" for entry in smallest) + ".",
            "",
            f"![Ranks of {path.stem}](sbc-{path.stem}.png)",
        ]
    (DOCS / "sbc.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


ENGINE_HEAD = """\
| sampler | median killed | 90% interval | R-hat | bulk ESS | tail ESS | divergences | seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def write_engines() -> None:
    """Put the table of samplers into docs/validation.md, from what `make engines` left in build/engines."""
    page = DOCS / "validation.md"
    before, found, after = page.read_text(encoding="utf-8").partition(ENGINE_HEAD)
    if not found:
        raise SystemExit(f"docs/validation.md has no table with this head:\n{ENGINE_HEAD}")
    rows = []
    for name in ENGINES:
        path = ROOT / "build" / "engines" / f"{name}.json"
        if not path.is_file():  # one that was not run has no row
            continue
        report = json.loads(path.read_text(encoding="utf-8"))
        (killed,) = (entry for entry in report["estimates"] if entry["quantity"] == "killed")
        values = [killed["median"], *killed["intervals"]["0.9"]]
        errors = [killed["mcse_median"], *killed["mcse_interval_90"]]
        median, low, high = (
            f"{show_number(value)} ± {show_number(error)}" for value, error in zip(values, errors, strict=True)
        )
        of = report["diagnostics"]
        rows.append(
            f"| {name} | {median} | {low} to {high} | {of['max_rhat']:.4f} | {of['min_ess_bulk']:.0f} "
            f"| {of['min_ess_tail']:.0f} | {of['divergences']} | {sum(of['seconds'].values()):.0f} |\n"
        )
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith("|"):
        del rest[0]
    page.write_text("".join([before, ENGINE_HEAD, *rows, *rest]), encoding="utf-8")


HEAD = """schema = 1
title = "Stress"
start = 2024-01-01
end = 2024-06-30
bin_days = 14
[forces.x]
outcomes = ["killed", "wounded"]
"""


def write_case(folder: Path, roles: dict[str, str], rows: list[str]) -> Path:
    """Write a stress case: sources by role, rows as id, source, quantity, day, qualifier, value."""
    folder.mkdir(parents=True)
    sources = "".join(f'[sources.{name}]\nrole = "{role}"\n' for name, role in roles.items())
    (folder / "case.toml").write_text(HEAD + sources, encoding="utf-8")
    text = "\n".join(["id,source,quantity,published,qualifier,value", *rows])
    (folder / "claims.csv").write_text(text + "\n", encoding="utf-8")
    return folder


def list_stress(folder: Path) -> dict[str, Path]:
    """Write the cases at which samplers struggle."""
    rng = np.random.default_rng(1)
    roles = ("own", "adversary", "ally_of_own", "ally_of_adversary", "independent")
    many = {f"s{n}": roles[n % 5] for n in range(60)}
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 7) for day in (5, 15, 25)]
    said = [
        f"c{n},s{n},killed,{days[n % 18]},about,{round(300 * (n % 18 + 1) * np.exp(rng.normal(0, 0.6)))}"
        for n in range(60)
    ]
    one = [
        f"c{n},s0,killed,{np.datetime64('2024-01-05') + np.timedelta64(n * 175 // 200, 'D')},about,{20 * n + 100}"
        for n in range(200)
    ]
    return {
        "no claim": write_case(folder / "none", {"s0": "own"}, []),
        "one claim": write_case(folder / "one", {"s0": "own"}, ["a,s0,killed,2024-06-30,about,300"]),
        "two sources, one claim each": write_case(
            folder / "two", {"s0": "own", "s1": "adversary"},
            ["a,s0,killed,2024-06-30,about,300", "b,s1,killed,2024-06-30,about,900"],
        ),
        "two sources a factor of 50 apart": write_case(
            folder / "fifty", {"s0": "own", "s1": "adversary"},
            ["a,s0,killed,2024-06-30,exact,200", "b,s1,killed,2024-06-30,exact,10000"],
        ),
        "60 sources, one claim each": write_case(folder / "sixty", many, said),
        "200 claims by one source": write_case(folder / "twohundred", {"s0": "adversary"}, one),
    }  # fmt: skip


def write_stress() -> None:
    """Write the table of cases at which samplers struggle, through the public interface and its verdict."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in list_stress(Path(folder)).items():
            started = time.perf_counter()
            run = run_case(path, seed=1)
            seconds = time.perf_counter() - started
            found = run.result.diagnostics
            bulk, tail = (0.0 if size is None else size for size in (found.min_ess_bulk, found.min_ess_tail))
            rate = min(bulk, tail) / found.seconds["sample"]
            verdict = "trusted" if run.verdict.trusted else "not to be trusted: " + "; ".join(run.verdict.reasons)
            rows.append(
                f"| {name} | {found.max_rhat:.4f} | {bulk:.0f} | {tail:.0f} "
                f"| {rate:.0f} | {found.divergences} | {found.attempts} | {seconds:.0f} | {verdict} |"
            )
    head = [
        "# Where samplers struggle",
        "",
        "Made by `make stress`, with the default prior set and seed 1. R-hat and effective sample sizes are the worst",
        "over every reported quantity; ESS a second is the smaller of bulk and tail over the time of the last",
        "sampling. A fit whose verdict is not good is tried up to three times more, with smaller steps and longer",
        "chains (attempts).",
        "",
        "| case | R-hat | bulk ESS | tail ESS | ESS a second | divergences | attempts | seconds | verdict |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    (DOCS / "stress.md").write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")


def write_prior() -> None:
    """Write the prior predictive of the shipped cases: what they hold possible before any claim."""
    lines = [
        "# What the priors hold possible",
        "",
        "Made by `make stress`: the 1%, 50% and 99% points of each quantity of the shipped cases under the default",
        "prior set, on the headline day, before any claim (8,000 draws).",
    ]
    for name in list_shipped_cases():
        case = read_case(name)
        sample = draw_prior(design_model(case, read_priors(case.file.prior)), 1)
        lines += ["", f"## {case.title}", "", "| quantity | 1% | 50% | 99% |", "| --- | ---: | ---: | ---: |"]
        for (_, quantity), values in sample.headline.items():
            points = [show_number(float(point)) for point in np.quantile(values, [0.01, 0.5, 0.99])]
            lines.append(f"| {quantity} | {' | '.join(points)} |")
    (DOCS / "prior-predictive.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_ablation() -> None:
    """Write what each part of the model earns: the back-test of the shipped record without it, war by war left out."""
    record = read_record(TRACK / "claims.csv", TRACK / "truth.csv")
    vague = read_priors("vague")
    variants = {name: (change(record), vague) for name, change in RECORDS.items()}
    variants |= {name: (record, fix_key(vague, key, mu)) for name, (key, mu) in PRIORS.items()}
    lines = []
    base: list[Score] = []
    for name, (changed, priors) in variants.items():
        store = ROOT / "build" / "ablation" / f"{name.replace(' ', '-')}.jsonl"
        forecasts = forecast_wars(changed, None, priors, 1, store=store, resume=True, quiet=False, refit=0)
        rows = list_scored_truths(record)
        by_key = {(each.case, each.force, each.quantity): each for each in forecasts}
        found = [
            score_draws(row.truth.established, by_key[row.truth.case, row.truth.force, row.truth.quantity].quantiles)
            for row in rows
        ]
        base = base or found
        wars = [row.hindcast.war for row in rows]
        summary = summarise(found, wars, np.random.default_rng(1))
        versus = compare(found, base, wars, np.random.default_rng(1))["crps_difference"]
        low, high = versus["interval_80"]
        coverage = "/".join(f"{share:.2f}".lstrip("0") for share in summary["coverage"].values())
        difference = "" if found is base else f"{versus['mean']:+.3f} ({low:+.3f} to {high:+.3f})"
        lines.append(
            f"| {name} | {coverage} | {summary['interval_score_90']:.2f} | {summary['crps']:.3f} | {difference} |"
        )
    head = [
        "# What each part of the model earns",
        "",
        "Made by `make ablation`: the shipped record, one war left out at a time, the model without one of its parts",
        "(none of them by learning anew). CRPS difference: of the variant less the model, paired by row, with the 80%",
        "interval of a bootstrap over wars; above zero where the part helps.",
        "",
        "| variant | coverage at 50/80/90/95% | interval score | CRPS | CRPS difference |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    (DOCS / "ablation.md").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def write_backtest() -> None:
    """Write the back-test of the shipped record from what `make backtest` left in build/backtest."""
    folder = ROOT / "build" / "backtest" / "record-left-out-seed1"
    report = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    for name in ("calibration", "sharpness"):
        shutil.copy(folder / f"{name}.png", DOCS / f"backtest-{name}.png")
    lines = [
        "# Wars whose losses are now known",
        "",
        "Made by `make backtest`: the shipped record, each war forecast by priors that were learned from the others.",
        f"{report['n']} established losses in {report['wars']} wars; scores on log(count + 1/2).",
        "",
        "| forecaster | coverage at 50/80/90/95% | interval score | CRPS | CRPS, ours less theirs (80%) |",
        "| --- | --- | ---: | ---: | ---: |",
        f"| truetoll | {_show_shares(report)} | {report['interval_score_90']:.2f} | {report['crps']:.3f} | |",
    ]
    band = "/".join(f"{low:.2f}-{high:.2f}" for low, high in report["coverage_band"].values())
    lines.append(f"| a calibrated forecaster's band (90%) | {band} | | | |")
    for name, each in report["baselines"].items():
        difference = each["crps_difference"]
        low, high = difference["interval_80"]
        lines.append(
            f"| {name} | {_show_shares(each)} | {each['interval_score_90']:.2f} | {each['crps']:.3f} "
            f"| {difference['mean']:+.3f} ({low:+.3f} to {high:+.3f}) |"
        )
    lines += ["", "![Calibration](backtest-calibration.png)", "", "![Sharpness](backtest-sharpness.png)", ""]
    lines += ["| war | case | force | quantity | tier | established | median | 90% interval | CRPS |"]
    lines += ["| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |"]
    for row in report["rows"]:
        low, high = row["intervals"]["0.9"]
        truth = show_number(row["truth"])
        if row["truth_low"] < row["truth_high"]:
            truth += f" ({show_number(row['truth_low'])} to {show_number(row['truth_high'])})"
        lines.append(
            f"| {row['group']} | {row['case']} | {row['force']} | {row['quantity']} | {row['tier']} | {truth} "
            f"| {show_number(row['median'])} | {show_number(low)} to {show_number(high)} | {row['crps']:.2f} |"
        )
    lines += ["", "Nothing was lost, and losses were claimed:", ""]
    lines += [
        f"- {each['case']}, {each['quantity']}: median {show_number(each['median'])}, P(0) {each['p_zero']:.3f}"
        for each in report["fabricated"]
    ]
    (DOCS / "backtest.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _show_shares(summary: dict[str, Any]) -> str:
    return "/".join(f"{share:.2f}" for share in summary["coverage"].values())


if __name__ == "__main__":
    reports = {
        "backtest": write_backtest,
        "sbc": write_sbc,
        "engines": write_engines,
        "stress": write_stress,
        "prior": write_prior,
        "ablation": write_ablation,
    }
    for wanted in sys.argv[1:]:
        reports[wanted]()
