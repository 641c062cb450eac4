"""A finished run as `sim.run` returns it: its summary, its draws, and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sim.contract.manifest import Settings
from sim.contract.summary import Result
from sim.model.design import Design
from sim.posterior.fit import Draws
from sim.posterior.sample import Sample
from sim.sampler.diagnostics import Verdict

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass
class Run:
    """A finished run: what `sim.run` returns.

    Attributes
    ----------
    design : Design
        The case and the model of it.
    draws : Draws
        Of the unknowns, by chain.
    sample, prior : Sample
        Of the posterior and the prior.
    verdict : Verdict
        Whether the draws can be trusted.
    result : Result
        The contents of `summary.json`.
    inputs : dict of str to bytes
        The files that it was made from, by their path under `inputs/`.
    settings : Settings
        What was asked for besides.
    folder : Path or None
        Where it was written.

    Examples
    --------
    >>> run = sim.run("vietnam")
    >>> run.posterior["posterior"]["count"].sel(quantity="killed").median()
    """

    design: Design
    draws: Draws
    sample: Sample
    prior: Sample
    verdict: Verdict
    result: Result
    seed: int
    inputs: dict[str, bytes]
    settings: Settings
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def posterior(self) -> xr.DataTree:
        """The draws as an ArviZ DataTree, with the names of the prior set (see `docs/formats.md`)."""
        from sim.runs.draws import make_datatree

        return make_datatree(self.design, self.draws, self.sample)

    @property
    def summary(self) -> pd.DataFrame:
        """The estimates: a row for each force and quantity."""
        from sim.report.table import tabulate_estimates

        return tabulate_estimates(self.result)

    def __repr__(self) -> str:
        """Return the headline as text."""
        from sim.report.table import show_text

        return show_text(self.result)

    def _repr_html_(self) -> str:
        from sim.report.table import show_html

        return show_html(self.result)
