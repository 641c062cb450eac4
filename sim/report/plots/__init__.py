"""The figures of a run, drawn from its summary alone; each with the data that it shows as CSV.

`style` is the look, said once; `losses`, `densities` and `forests` are the figures; `draw_figures` writes them all. A
figure is added as one function, of a summary and a force, and one entry in `PLOTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from sim.contract.summary import Result
from sim.report.plots.densities import plot_estimates, plot_headline, plot_prior_posterior
from sim.report.plots.forests import plot_biases, plot_claims
from sim.report.plots.losses import plot_losses
from sim.report.plots.style import Figure, save_figure, use_style

Plot = Callable[[Result, str], Figure | None]

PLOTS: dict[str, Plot] = {
    "losses-over-time": plot_losses,
    "estimates": plot_estimates,
    "headline": plot_headline,
    "prior-posterior": plot_prior_posterior,
    "biases": plot_biases,
    "claims": plot_claims,
}

__all__ = ["draw_figures", "list_figures"]


def list_figures(result: Result) -> Iterator[tuple[str, str, Plot]]:
    """Return name, force and function of each figure of a run: one of each kind for each force."""
    forces = [entry.force for entry in result.forces]
    for name, plot in PLOTS.items():
        for force in forces:
            yield (name if len(forces) == 1 else f"{name}-{force}"), force, plot


def draw_figures(
    result: Result, folder: Path, names: Container[str] | None = None, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Draw the figures of a run, with their data as CSV.

    Parameters
    ----------
    result : Result
        The contents of `summary.json`.
    folder : Path
        Made where it is missing.
    names : container of str, optional
        Those to draw; default: all.
    formats : sequence of {"png", "svg", "pdf"}

    Returns
    -------
    list of Path
        The files of the first format. A figure that would show nothing is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with use_style():
        for name, force, plot in list_figures(result):
            figure = plot(result, force) if names is None or name in names else None
            if figure is not None:
                written.append(save_figure(figure, folder, name, formats))
    return written
