"""The draws as an ArviZ DataTree: variables named as in the prior set, with labelled dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.model.design import Design
from sim.posterior.fit import Draws
from sim.posterior.sample import Sample

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
EXACT = 2.0**53  # up to which a float holds every whole number


def make_datatree(design: Design, draws: Draws, sample: Sample) -> xr.DataTree:
    """Return the posterior as a DataTree.

    Group `posterior` holds the parameters by their prior's key, `total` (log of what was lost by `end`, where it was
    not nothing), `new_source` (log of what a source not yet heard believes, its role apart), `bias` (log), `count`
    (whole numbers on the headline day), `derived.<name>`, `cumulative` (by the evening of each day), and the latents
    `walk`, `effects`, `statement`, `burst`. An element that a variable does not have is NaN.
    """
    import xarray as xr

    case, shape = design.case, draws.shape
    labels: dict[str, list[str]] = {
        "force": list(case.forces),
        "outcome": list(dict.fromkeys(quantity for _, quantity in design.state.series)),
        "quantity": list(dict.fromkeys(quantity for _, quantity in sample.headline)),
        "source": list(case.sources),
        "role": list(
            dict.fromkeys(label for item in design.parameters.items for dim, label in item.coords if dim == "role")
        ),
    }
    variables: dict[str, xr.DataArray] = {}

    def add(name: str, values: Mapping[Any, Floats], dims: tuple[str, ...]) -> None:
        for axis, dim in enumerate(dims):
            labels.setdefault(dim, list(dict.fromkeys(key[axis] for key in values)))
        variables[name] = _fill(shape, values, dims, labels)

    for variable, drawn in _gather_parameters(design, sample).items():
        dims = tuple(
            dim for dim, _ in next(item.coords for item in design.parameters.items if item.variable == variable)
        )
        add(variable, drawn, dims)
    totals, heard = _gather_totals(design, sample)
    add("total", totals, ("force", "outcome"))
    add("new_source", heard, ("force", "outcome"))
    add("count", sample.headline, ("force", "quantity"))
    add("bias", sample.biases, ("source", "force", "quantity"))
    for name, values in sample.derived.items():
        add(f"derived.{name}", {(): values}, ())
    variables["cumulative"] = _gather_cumulative(design, sample, shape, labels)
    for name in ("walk", "effects", "statement", "burst"):
        if draws.unknowns[name].shape[2]:
            variables[name] = xr.DataArray(draws.unknowns[name], dims=("chain", "draw", f"{name}_number"))
    attributes = {"case": case.name, "as_of": design.as_of.isoformat(), "creator": "truetoll"}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables, attrs=attributes)})


def make_inference(design: Design, draws: Draws, sample: Sample, prior: Sample) -> xr.DataTree:
    """Return posterior, prior and claims in the groups that ArviZ knows."""
    import xarray as xr

    tree = make_datatree(design, draws, sample)
    labels = {
        "force": list(design.case.forces),
        "quantity": list(dict.fromkeys(quantity for _, quantity in prior.headline)),
    }
    shape = (1, len(prior.unknowns["theta"]))
    variables = {"count": _fill(shape, prior.headline, ("force", "quantity"), labels)}
    variables |= {f"derived.{name}": _fill(shape, {(): each}, (), labels) for name, each in prior.derived.items()}
    used = [item.claim for item in design.evidence.observations]
    numbers = {
        name: ("claim", [np.nan if (said := getattr(claim, name)) is None else said for claim in used])
        for name in ("low", "value", "high")
    }
    tree["prior"] = xr.DataTree(xr.Dataset(variables))
    tree["observed_data"] = xr.DataTree(xr.Dataset(numbers, coords={"claim": [claim.id for claim in used]}))
    return tree


def _fill(
    shape: tuple[int, int], values: Mapping[Any, Floats], dims: tuple[str, ...], labels: dict[str, list[str]]
) -> xr.DataArray:
    import xarray as xr

    array = np.full((*shape, *(len(labels[dim]) for dim in dims)), np.nan)
    for key, draw in values.items():
        index: Any = tuple(labels[dim].index(label) for dim, label in zip(dims, key, strict=True))
        array[..., *index] = np.asarray(draw).reshape(shape)
    coords = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), **{dim: labels[dim] for dim in dims}}
    return xr.DataArray(array, dims=("chain", "draw", *dims), coords=coords)


def _gather_parameters(design: Design, sample: Sample) -> dict[str, dict[tuple[str, ...], Floats]]:
    """Return the draws of each variable of theta by coordinates; `total` is left to `_gather_totals`."""
    found: dict[str, dict[tuple[str, ...], Floats]] = {}
    for position, item in enumerate(design.parameters.items):
        if item.variable != "total":
            labels = tuple(label for _, label in item.coords)
            found.setdefault(item.variable, {})[labels] = sample.unknowns["theta"][:, position]
    return found


def _gather_totals(design: Design, sample: Sample) -> tuple[dict[Any, Floats], dict[Any, Floats]]:
    """Return the logs of what was lost by `end` where it was not nothing, and what a source not heard would believe."""
    end = design.timeline.evening(design.case.end)
    outcomes = {force: design.case.forces[force].outcomes for force in design.case.forces}
    rows = [(row, key) for row, key in enumerate(design.state.series) if key[1] in outcomes[key[0]]]
    with np.errstate(divide="ignore"):
        totals: dict[Any, Floats] = {key: np.log(sample.claimed_state[:, row, end]) for row, key in rows}
    scale = sample.unknowns["theta"][:, design.parameters.index("scale.source")]
    heard = {
        key: value + scale * sample.rng(1_000 + number).standard_normal(len(scale))
        for number, (key, value) in enumerate(totals.items())
    }
    return totals, heard


def _gather_cumulative(
    design: Design, sample: Sample, shape: tuple[int, int], labels: dict[str, list[str]]
) -> xr.DataArray:
    import xarray as xr

    days = np.datetime64(design.case.start, "s") + (design.timeline.cuts[1:] - 1).astype("timedelta64[D]")
    array = np.full((*shape, len(labels["force"]), len(labels["outcome"]), len(days)), np.nan, dtype=np.float32)
    for row, (force, quantity) in enumerate(design.state.series):
        index = labels["force"].index(force), labels["outcome"].index(quantity)
        array[:, :, *index] = sample.state[:, row, 1:].reshape(*shape, -1)
    coords = {"force": labels["force"], "outcome": labels["outcome"], "day": days}
    return xr.DataArray(array, dims=("chain", "draw", "force", "outcome", "day"), coords=coords)


def write_draws(sample: Sample, folder: Path) -> None:
    """Write the draws of the headline's counts and of derived quantities as `draws.csv` and `draws.parquet`.

    A row is one draw of the posterior, a column one quantity: for spreadsheets, and for simulators that sample rows.
    """
    import pandas as pd

    several = len(sample.design.case.forces) > 1
    columns: dict[str, Floats] = {
        f"{force}.{quantity}" if several else quantity: values for (force, quantity), values in sample.headline.items()
    }
    whole = {
        name: values.astype(np.int64) if values.max(initial=0) < EXACT else values for name, values in columns.items()
    }
    table = pd.DataFrame(whole | sample.derived)
    table.index.name = "draw"
    table.to_csv(folder / "draws.csv", float_format="%.6g", lineterminator="\n")
    table.to_parquet(folder / "draws.parquet")
