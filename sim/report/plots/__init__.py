"""The figures of a run, drawn from its summary alone; each with the data that it shows as CSV.

`style` is the look, said once; `losses`, `densities` and `forests` are the figures; `draw_figures` writes them all. A
figure is added as one function, of a summary and a force, and one entry in `PLOTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure as Canvas

from sim.contract.summary import Result
from sim.errors import is_among, list_some, quote_value, refuse
from sim.report.plots.densities import plot_estimates, plot_headline, plot_page_one, plot_prior_posterior
from sim.report.plots.fonts import TRANSLITERATED, find_missing, list_names, transliterate
from sim.report.plots.forests import plot_biases, plot_claims
from sim.report.plots.losses import plot_losses
from sim.report.plots.style import Figure, save_figure, use_style

Plot = Callable[[Result, str], Figure | None]

PLOTS: dict[str, Plot] = {
    "losses-over-time": plot_losses,
    "estimates": plot_estimates,
    "headline": plot_headline,
    "page-one": plot_page_one,
    "prior-posterior": plot_prior_posterior,
    "biases": plot_biases,
    "claims": plot_claims,
}

OF_ALL = frozenset({"headline", "page-one"})  # figures that show all forces at once

__all__ = ["draw_figure", "draw_figures", "list_figures"]


def list_figures(result: Result) -> Iterator[tuple[str, str, Plot]]:
    """Return name, force and function of each figure of a run: one of each kind for each force, or for all of them."""
    forces = [entry.force for entry in result.forces]
    for name, plot in PLOTS.items():
        if name in OF_ALL:
            yield name, forces[0], plot
            continue
        for force in forces:
            yield (name if len(forces) == 1 else f"{name}-{force}"), force, plot


def draw_figure(result: Result, name: str, force: str | None = None) -> Canvas:
    """Return one of a run's figures as one of matplotlib's, for a force that may be left out where there is one.

    Raises
    ------
    InputError
        Where there is no such figure or force, or the figure would show nothing.
    """
    forces = [entry.force for entry in result.forces]
    if not is_among(name, PLOTS):
        raise refuse("figure", "", f"no figure is called {quote_value(name)}", f"use {', '.join(PLOTS)}")
    chosen = force if force is not None or (len(forces) > 1 and name not in OF_ALL) else forces[0]
    if not is_among(chosen, forces):
        raise refuse("figure", "", f"{quote_value(force)} is no force of the case", f"use {list_some(forces)}")
    families, missing = find_missing(list_names(result))
    with use_style(families, TRANSLITERATED if missing else ""):
        figure = PLOTS[name](transliterate(result, missing), chosen)
    if figure is None:
        raise refuse("figure", "", f"{quote_value(name)} has nothing to show", "choose another")
    return figure.canvas


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
    families, missing = find_missing(list_names(result))
    result = transliterate(result, missing)
    with use_style(families, TRANSLITERATED if missing else ""):
        for name, force, plot in list_figures(result):
            figure = plot(result, force) if names is None or name in names else None
            if figure is not None:
                written.append(save_figure(figure, folder, name, formats))
    return written
