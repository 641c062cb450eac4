"""A finished run as `sim.run` returns it: its summary, its draws, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.case.expressions import (
    COMPARISONS,
    ExpressionError,
    Node,
    evaluate,
    list_names,
    parse_condition,
    parse_expression,
)
from sim.contract.manifest import Settings
from sim.contract.summary import Result
from sim.errors import is_among, list_some, quote_value, refuse
from sim.model.design import Design
from sim.posterior.fit import Draws
from sim.posterior.sample import Sample
from sim.sampler.diagnostics import Verdict

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


def _parse[T](where: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except ExpressionError as error:
        raise refuse(where, "", f"{quote_value(text)} {error}", "see derived quantities in docs/formats.md") from None
    except (TypeError, AttributeError):
        raise refuse(where, "", f"{quote_value(text)} is no text", "give one such as 'killed'") from None


@dataclass
class Run:
    """A finished run: what `sim.run` returns.

    Attributes
    ----------
    design : Design
        The case and the model of it.
    drawn : Draws
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
    >>> run.draws("killed").mean(), run.probability("killed > 30")
    >>> run.posterior["posterior"]["count"].sel(quantity="killed").median()
    """

    design: Design
    drawn: Draws
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

        return make_datatree(self.design, self.drawn, self.sample)

    @property
    def summary(self) -> pd.DataFrame:
        """The estimates: a row for each force and quantity."""
        from sim.report.table import tabulate_estimates

        return tabulate_estimates(self.result)

    def draws(self, quantity: str) -> Floats:
        """Return the draws of a quantity on the headline day, shape (draws,).

        Parameters
        ----------
        quantity : str
            Such as `killed`, of several forces `north.killed`, a derived quantity, or an expression in the grammar of
            these: `killed / deployed`. Counts are whole numbers, and add up.

        Raises
        ------
        InputError
            Where it is not of the grammar, or names what the case does not know.
        """
        return self._evaluate("quantity", [_parse("quantity", quantity, parse_expression)])[0]

    def probability(self, condition: str) -> float:
        """Return the probability of a comparison, such as `killed > 1500` or `100 < killed <= 2 * captured`.

        Draws in which a side is undefined (0 / 0) are left out.

        Raises
        ------
        InputError
            Where it is not of the grammar of derived quantities, compares nothing, or names what is not known.
        """
        nodes, marks = _parse("condition", condition, parse_condition)
        sides = self._evaluate("condition", nodes)
        holds = np.logical_and.reduce(
            [COMPARISONS[mark](left, right) for mark, left, right in zip(marks, sides, sides[1:], strict=False)]
        )
        known = ~np.logical_or.reduce([np.isnan(side) for side in sides])
        if not known.any():
            problem = f"{quote_value(condition)} is undefined in every draw"
            raise refuse("condition", "", problem, "compare something else")
        return float(holds[known].mean())

    def _evaluate(self, where: str, nodes: Sequence[Node]) -> list[Floats]:
        single = len(self.design.case.forces) == 1
        values = {f"{force}.{quantity}": count for (force, quantity), count in self.sample.headline.items()}
        if single:
            values |= {quantity: count for (_, quantity), count in self.sample.headline.items()}
        values |= self.sample.derived
        unknown = sorted(frozenset[str]().union(*map(list_names, nodes)) - set(values))
        if unknown:
            known = [name for name in values if not single or "." not in name]
            raise refuse(where, "", f"{quote_value(unknown[0])} is no quantity of the case", f"use {list_some(known)}")
        shape = (len(self.sample.unknowns["theta"]),)
        return [np.array(np.broadcast_to(evaluate(node, values), shape)) for node in nodes]

    def figure(self, name: str, force: str | None = None) -> Figure:
        """Return a figure of the memo, to be shown, changed and saved with matplotlib.

        Parameters
        ----------
        name : str
            As its file under `figures/` is called: `headline`, or another key of `sim.report.plots.PLOTS`.
        force : str, optional
            Whose; may be left out where there is one.

        Raises
        ------
        InputError
            Where there is no such figure or force, or the figure would show nothing.
        """
        from sim.report.plots import draw_figure

        return draw_figure(self.result, name, force)

    def memo(self, form: str = "md", *, words: str = "icd203") -> str | bytes:
        """Return the memo: text of `md` and `html`, bytes of `docx` and `pdf`.

        Parameters
        ----------
        form : {"md", "html", "docx", "pdf"}
        words : {"icd203", "phia", "ipcc"}
            Whose words for probabilities.

        Raises
        ------
        InputError
            Where the format or the words are not known, or the format fails.
        """
        from sim.report.memo import FORMATS, compose_memo, list_pictures, write_memo
        from sim.report.plots import draw_figures
        from sim.runs.run import describe_run
        from sim.system.writing import open_scratch
        from sim.words import SCALES

        for given, known in ((form, FORMATS), (words, SCALES)):
            if not is_among(given, known):
                raise refuse("memo", "", f"{quote_value(given)} is not available", f"use {', '.join(known)}")
        told = compose_memo(self.result, scale=words, manifest=describe_run(self, ()))
        with open_scratch() as folder:
            names = {Path(file).stem for file in list_pictures(told)} if form != "md" else set()
            draw_figures(self.result, folder / "figures", names, ("png",))
            (path,) = write_memo(told, folder, (form,))
            return path.read_text(encoding="utf-8") if form in ("md", "html") else path.read_bytes()

    def to_inferencedata(self) -> xr.DataTree:
        """Return what ArviZ takes: a DataTree with `posterior`, `prior` (counts and derived) and `observed_data`.

        ArviZ 1 has it in the place of its InferenceData, which older functions of it want.
        """
        from sim.runs.draws import make_inference

        return make_inference(self.design, self.drawn, self.sample, self.prior)

    def __repr__(self) -> str:
        """Return the headline as text."""
        from sim.report.table import show_text

        return show_text(self.result)

    def _repr_html_(self) -> str:
        from sim.report.table import show_html

        return show_html(self.result)
