"""Sampling the posterior of a case with nutpie: chains, seeds, progress, and a second try where the first struggles."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model import Design, build_model, join_theta

CHAINS = 4
TUNE = 1_000
DRAWS = 1_500
TARGET_ACCEPT = 0.95


@dataclass(frozen=True)
class Draws:
    """Draws of the unknowns of a design, by chain.

    Attributes
    ----------
    unknowns : dict of str to ndarray, shape (chains, draws, ...)
        `theta`, `walk`, `effects`, `statement` (see `sim.model.Design`).
    divergences : int
        Diverging transitions after tuning.
    steps : float
        Mean number of gradient evaluations of a draw.
    seconds : dict of str to float
        Wall time of compiling and sampling.
    """

    unknowns: dict[str, NDArray[np.float64]]
    divergences: int
    steps: float
    seconds: dict[str, float]

    @property
    def shape(self) -> tuple[int, int]:
        """The number of chains, and of draws in each."""
        chains, draws = self.unknowns["theta"].shape[:2]
        return chains, draws

    def flatten(self) -> dict[str, NDArray[np.float64]]:
        """Return the unknowns with chains put end to end, shape (chains x draws, ...)."""
        return {name: values.reshape(-1, *values.shape[2:]) for name, values in self.unknowns.items()}


def sample_posterior(
    design: Design,
    seed: int,
    *,
    draws: int = DRAWS,
    tune: int = TUNE,
    target_accept: float = TARGET_ACCEPT,
    quiet: bool = False,
) -> Draws:
    """Sample the posterior.

    Parameters
    ----------
    design : Design
    seed : int
        The same seed gives the same draws on the same machine.
    draws, tune : int
        Of each of the four chains.
    target_accept : float
        Mean acceptance that the step size is tuned for.
    quiet : bool
        Show no progress; there is none either where standard error is no terminal.

    Returns
    -------
    Draws
    """
    import nutpie

    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(build_model(design))
    compiled_at = time.perf_counter()
    with show_progress(quiet) as report:
        trace = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=CHAINS,
            cores=CHAINS,
            seed=seed,
            target_accept=target_accept,
            progress_bar=False,
            progress_callback=report,
            save_warmup=False,
        )
    stats = trace["sample_stats"]
    return Draws(
        unknowns=_gather(design, trace["posterior"]),
        divergences=int(stats["diverging"].sum()),
        steps=float(stats["n_steps"].mean()),
        seconds={"compile": compiled_at - started, "sample": time.perf_counter() - compiled_at},
    )


def _gather(design: Design, posterior: Any) -> dict[str, NDArray[np.float64]]:
    blocks = {
        family: np.asarray(posterior[f"theta_{family.lower()}"]) for family in design.parameters.families() if family
    }
    shape = next(iter(blocks.values())).shape[:2]
    found = {"theta": np.asarray(join_theta(np, design.parameters, blocks))}
    for name in ("walk", "effects", "statement"):
        found[name] = np.asarray(posterior[name]) if name in posterior else np.zeros((*shape, 0))
    return found


@contextmanager
def show_progress(quiet: bool) -> Iterator[Any]:
    """Show a bar with the time left on a terminal, and yield the callback that moves it; elsewhere yield None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("sampling"), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sampling", total=None)

        def report(chains: Sequence[Any]) -> None:
            total = sum(chain.total_draws for chain in chains)
            bar.update(task, total=total, completed=sum(chain.finished_draws for chain in chains))

        yield report
