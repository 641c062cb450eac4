"""truetoll: from conflicting claims of war losses to credible intervals.

>>> import sim
>>> run = sim.run("kursk", seed=1)
>>> run.summary, run.posterior

The rooms of the house, from the ground up; the docstring of each says what it may import, and a test holds it:

    system        files, signals, processes, progress
    case          what was said: claims, cases, prior sets, and what of them is evidence
    importers     cases from other projects' tables
    contract      what a run and a sensitivity report say, as typed records
    draft         rows drafted from articles, for a person to confirm
    sampler       the no-U-turn sampler; it knows no war
    model         parameters, state, beliefs and likelihood, as one density
    posterior     from a design to draws and their summary
    report        tables, figures and memos, from the summary alone
    runs          a run, its folder, and what is done with it
    calibration   wars whose losses are known: the record, learning, back-tests
    robustness    what would change the answer: sources and claims left out, other priors, wordings and roles
    cli           the command line

Beside them at the top: `errors` (a fault in one line) and `words` (words for probabilities, numbers in text).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from sim.case.case import Case
    from sim.case.check import check_case
    from sim.case.folder import read_case
    from sim.contract.sensitivity import Sensitivity
    from sim.errors import InputError
    from sim.runs.finished import Run
    from sim.runs.run import run_case as run

    __version__: str

__all__ = [
    "Case",
    "InputError",
    "Run",
    "__version__",
    "backtest",
    "check_case",
    "pymc_model",
    "read_case",
    "run",
    "sensitivity",
]

# Where the names stand; a room is opened when it is asked for, so that `import sim` costs nothing.
_DOORS = {
    "Case": ("sim.case.case", "Case"),
    "InputError": ("sim.errors", "InputError"),
    "Run": ("sim.runs.finished", "Run"),
    "check_case": ("sim.case.check", "check_case"),
    "read_case": ("sim.case.folder", "read_case"),
    "run": ("sim.runs.run", "run_case"),
}


def __getattr__(name: str) -> Any:
    """Open the room in which a public name stands."""
    if name == "__version__":
        from importlib.metadata import version

        return version("truetoll")
    if name not in _DOORS:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    module, attribute = _DOORS[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*globals(), *__all__])


def pymc_model(
    case: str | Path | Case,
    *,
    prior: str | None = None,
    as_of: dt.date | str | None = None,
    known_by: dt.date | str | None = None,
) -> Any:
    """Return the PyMC model of a case, to be read, changed, extended and sampled.

    Parameters
    ----------
    case : str, Path or Case
        A shipped case's name, a folder (a string with a slash), or a case that was read.
    prior, as_of, known_by
        As in `sim.run`.

    Returns
    -------
    pymc.Model
        Its variables are named in `sim.model.pymc_model.build_model`.

    Raises
    ------
    InputError
        Where the case or the prior set breaks a rule.

    Examples
    --------
    >>> model = sim.pymc_model("vietnam")
    >>> [variable.name for variable in model.observed_RVs]
    """
    from sim.model.pymc_model import build_model
    from sim.runs.run import design_case

    return build_model(design_case(case, prior=prior, as_of=as_of, known_by=known_by))


def sensitivity(
    case: str | Path | Case,
    *,
    seed: int = 1,
    prior: str | None = None,
    as_of: dt.date | str | None = None,
    known_by: dt.date | str | None = None,
    jobs: int = 1,
) -> Sensitivity:
    """Fit every variant of a case, and tell how the answer would move.

    Parameters
    ----------
    case, seed, prior, as_of, known_by
        As in `sim.run`.
    jobs : int
        How many fits at once, in processes of their own.

    Returns
    -------
    Sensitivity
        `scenarios` holds what each variant gives; a shift is in standard deviations of the log count.

    Examples
    --------
    >>> report = sim.sensitivity("vietnam")
    >>> max(report.scenarios, key=lambda scenario: abs(scenario.shift_sd))
    """
    from sim.errors import take_whole
    from sim.robustness.sensitivity import examine_case
    from sim.runs.run import design_case

    seed, jobs = take_whole(seed, "seed"), take_whole(jobs, "jobs", 1, 1_000)
    return examine_case(design_case(case, prior=prior, as_of=as_of, known_by=known_by), seed, jobs=jobs)


def backtest(
    claims: str | Path, truth: str | Path, *, prior: str | None = None, seed: int = 1, jobs: int = 1
) -> dict[str, Any]:
    """Forecast wars whose losses are known, and score the forecasts beside simple rules.

    Parameters
    ----------
    claims, truth : str or Path
        The two tables (see `docs/formats.md`).
    prior : str, optional
        A prior set as it stands; default: learned for each war from all the others, which takes minutes.
    seed : int
    jobs : int
        How many wars at once, in processes of their own.

    Returns
    -------
    dict
        What `truetoll backtest --json` prints: coverage, scores and differences to each simple rule.

    Raises
    ------
    InputError
        With every fault of the tables.

    Examples
    --------
    >>> report = sim.backtest("claims.csv", "truth.csv", prior="default")
    >>> report["coverage"]["0.9"]
    """
    from pathlib import Path

    from sim.calibration.backtest import find_reference, report_backtest
    from sim.calibration.forecast import forecast_wars
    from sim.calibration.record import read_record
    from sim.case.priors import read_priors
    from sim.errors import quote_value, refuse, take_whole

    seed, jobs = take_whole(seed, "seed"), take_whole(jobs, "jobs", 1, 1_000)
    for name, table in (("claims", claims), ("truth", truth)):
        if not isinstance(table, str | Path):
            raise refuse(name, "", f"{quote_value(table)} is no table", "give the path of a file")
    record = read_record(Path(claims), Path(truth))
    chosen = None if prior is None else read_priors(prior)
    forecasts = forecast_wars(record, chosen, read_priors("vague"), seed, jobs=jobs)
    return report_backtest(record, forecasts, seed, find_reference(chosen))
