"""truetoll: from conflicting claims of war losses to credible intervals.

>>> import sim
>>> run = sim.run("kursk", seed=1)
>>> run.summary, run.posterior
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.runs import Run

__all__ = ["run"]


def run(case: str, *, seed: int = 1, **options: Any) -> Run:
    """Fit a case and return the run: see `sim.runs.run_case`."""
    from sim.runs import run_case

    return run_case(case, seed=seed, **options)
