"""Doors for tables of past wars, and for what was learned from them; `fuzzing` has the others."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
from doors import Door

from sim.calibration.bywar.belief import Belief, Site
from sim.calibration.bywar.kept import hash_wars, write_sites
from sim.calibration.bywar.passes import LearnedSites, SiteDiagnostics, group_wars
from sim.calibration.record import read_record
from sim.calibration.through_time import LIMITS
from sim.case.priors import find_shipped_priors, read_priors
from sim.cli.app import app
from sim.cli.console import guarded
from sim.cli.priors_commands import fit_priors

TABLES = ("claims.csv", "truth.csv", "sources.csv")
WELL = SiteDiagnostics(passes=1, moved=0.1, error=0.1, apart=0, improper=0, odd=0, divergences=0, trusted=True)
CURVE = (
    f"date,type,country,{','.join(LIMITS)}\n"
    "2022-03-01,deaths,Russia,900,700,1200,500,1500\n2022-04-01,deaths,Ukraine,1900,1700,2200,1500,2500\n"
    "2022-05-01,casualties,Russia,NA,NA,NA,NA,NA\n"
)


def lay_record(folder: Path) -> None:
    """Lay out some rows of the record: all of it would take long each time."""
    record = find_shipped_priors() / "record"
    texts = {name: (record / name).read_text(encoding="utf-8").splitlines(keepends=True) for name in TABLES}
    claims = texts["claims.csv"][:60]
    cases = {line.split(",")[0] for line in claims}
    truths = [line for line in texts["truth.csv"][:400] if line.split(",")[0] in cases | {"case"}]
    sources = {line.split(",")[2] for line in claims}
    spoken = [line for line in texts["sources.csv"] if line.split(",")[0] in sources | {"source"}]
    for name, lines in zip(TABLES, (claims, truths, spoken), strict=True):
        (folder / name).write_text("".join(lines), encoding="utf-8")


def lay_sites(folder: Path) -> None:
    """Lay out some rows of the record, and the sites that its wars taught, of which each says a little."""
    lay_record(folder)
    base = read_priors("vague")
    hindcasts = read_record(folder / "claims.csv", folder / "truth.csv").hindcasts
    size = len(base.joint.keys)
    sites = {war: Site(np.eye(size) / (2 + n), np.full(size, 0.1 * n)) for n, war in enumerate(group_wars(hindcasts))}
    learned = LearnedSites(base.joint.keys, Belief.of(base.joint), sites, WELL)
    write_sites(learned, folder / "sites.json", hash_wars(hindcasts, base))


def _learn_nothing(hindcasts, base, _, *, known, **__):
    """Return what wars taught that are known, and that the others teach nothing: learning takes long."""
    nothing = Site(np.zeros((len(base.joint.keys),) * 2), np.zeros(len(base.joint.keys)))
    sites = {war: known.get(war, nothing) for war in group_wars(hindcasts)}
    return LearnedSites(base.joint.keys, Belief.of(base.joint), sites, WELL)


def _fit_from_sites(claims: Path, truth: Path, sites: Path, out: Path) -> None:
    """Learn a prior set by `priors fit --sites`, from what the file holds alone."""
    with mock.patch("sim.calibration.bywar.kept.learn_sites", _learn_nothing):
        fit_priors(claims, truth, out, sites=sites, quiet=True)


@guarded
def _read_curve(path: Path) -> int:
    """Read a curve as `backtest --through-time --curve` does, which goes on to fit the quarters of a case."""
    from sim.calibration.through_time import read_curve

    read_curve(path)
    return 0


app.command("fit-from-sites", hidden=True)(_fit_from_sites)
app.command("read-curve", hidden=True)(_read_curve)


def list_doors_of_records() -> dict[str, Door]:
    """Return the doors of a record's tables, of kept sites, and of a curve that a back-test is drawn beside."""

    def check(place: Path) -> list[str]:
        return ["record", "check", f"{place}/claims.csv", f"{place}/truth.csv", "--json"]

    def learn(place: Path) -> list[str]:
        files = (f"{place}/{name}" for name in ("claims.csv", "truth.csv", "sites.json", "learned.toml"))
        return ["fit-from-sites", *files]

    return {
        "record": Door("claims.csv", lay_record, check),
        "truths": Door("truth.csv", lay_record, check),
        "sources": Door("sources.csv", lay_record, check),
        "sites": Door("sites.json", lay_sites, learn),
        "curve": Door("curve.csv", _lay_curve, lambda place: ["read-curve", f"{place}/curve.csv"]),
    }


def _lay_curve(folder: Path) -> None:
    (folder / "curve.csv").write_text(CURVE, encoding="utf-8")
