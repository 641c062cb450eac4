"""truetoll: from conflicting claims of war losses to credible intervals.

>>> import sim
>>> run = sim.run("kursk", seed=1)
>>> run.summary, run.posterior

The rooms of the house, from the ground up; the docstring of each says what it may import, and a test holds it:

    system        files, signals, processes, progress
    case          what was said: claims, cases, prior sets, and what of them is evidence
    importers     cases from other projects' tables
    contract      what a run and a sensitivity report say, as typed records
    sampler       the no-U-turn sampler; it knows no war
    model         parameters, state, beliefs and likelihood, as one density
    posterior     from a design to draws and their summary
    report        tables, figures and memos, from the summary alone
    runs          a run, its folder, and what is done with it
    calibration   wars whose losses are known: the record, learning, back-tests
    sensitivity   what would change the answer
    cli           the command line

Beside them at the top: `errors` (a fault in one line) and `words` (words for probabilities, numbers in text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.runs.run import Run

__all__ = ["run"]


def run(case: str, *, seed: int = 1, **options: Any) -> Run:
    """Fit a case and return the run: see `sim.runs.run.run_case`."""
    from sim.runs.run import run_case

    return run_case(case, seed=seed, **options)
