"""The layout of the state of a case: which forces and outcomes it has, and where their parameters stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case.case import PERSONNEL, Case
from sim.case.timeline import Timeline
from sim.model.losses.bursts import Burst, count_bursts, lay_out_bursts
from sim.model.parameters import Parameters, list_free_outcomes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StateLayout:
    """Indices and constants of the state of a case. F forces, B bounded ones, N free outcomes, W waves, S segments.

    Attributes
    ----------
    forces, bounded : tuple of str
        Keys of all forces, and of the bounded ones.
    free : tuple of (str, str)
        Force and outcome of each series with a total of its own, or tied to one by wounded per killed.
    bin, days, position, inside : arrays of shape (S,)
        See Timeline.
    root_days : ndarray, shape (bins - 1,)
        Root of the days from one bin's middle to the next.
    step : int or None
        Position in theta of the walk's step; None where all was lost on one day.
    lulls : ndarray of int, shape (L,), and lull_cover, shape (L, F, S)
        Positions in theta of the lulls' depths, and the segments that they cover.
    waves : ndarray of int, shape (W,), and arrivals, shape (W, B', S)
        Positions in theta of the log sizes, and the share of each wave that arrives in each segment, by force.
    bursts : tuple of Burst
        Of the outcomes that have them.
    capped : ndarray of bool, shape (B,)
        Whether bursts or a surrender may run ahead of the arrivals of a bounded force.
    """

    forces: tuple[str, ...]
    bounded: tuple[str, ...]
    personnel: tuple[str, ...]
    free: tuple[tuple[str, str], ...]
    sized: tuple[str, ...]
    bin: Ints
    days: Floats
    position: Floats
    inside: Floats
    root_days: Floats
    step: int | None
    lulls: Ints
    lull_cover: Floats
    waves: Ints
    arrivals: Floats
    share: Ints
    ratio: Ints
    captured: Ints
    missing: Ints
    has: Floats
    bounded_tilt: Ints
    free_total: Ints
    free_ratio: Ints
    free_tilt: Ints
    bursts: tuple[Burst, ...] = ()
    capped: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def end(self) -> int:
        """The cut of the evening of the last day of the path."""
        return int(self.inside.sum())

    @property
    def burst_count(self) -> int:
        """The number of unknowns behind the bursts."""
        return count_bursts(self.bursts)

    @property
    def walks(self) -> int:
        """The number of standard normals that drive the walks of all forces."""
        return len(self.forces) * len(self.root_days)

    def locate(self, force: str, quantity: str) -> int:
        """Return which series of `run_state` holds a base outcome, or `deployed`, of a force."""
        return self.series.index((force, quantity))

    @property
    def series(self) -> list[tuple[str, str]]:
        """Force and quantity of each series of `run_state`."""
        split = [(force, outcome) for force in self.bounded for outcome in self.personnel]
        return [*split, *self.free, *((force, "deployed") for force in self.sized)]


def lay_out_state(
    case: Case, timeline: Timeline, parameters: Parameters, cuts: Mapping[tuple[str, str], Ints]
) -> StateLayout:
    """Lay out the state of a case, with bursts between the `cuts` of `sim.model.losses.bursts.cut_bursts`."""
    smooth = _lay_out_smooth(case, timeline, parameters)
    sizes = {key: parameters.index("bursts", *key) for key in cuts}
    bursts = lay_out_bursts(case, timeline, cuts, smooth.series, sizes)
    capped = [_may_run_ahead(smooth, number, bursts) for number in range(len(smooth.bounded))]
    return replace(smooth, bursts=bursts, capped=np.array(capped, dtype=bool))


def _may_run_ahead(state: StateLayout, number: int, bursts: Sequence[Burst]) -> bool:
    """Whether bursts or a surrender may lose more of a bounded force than have arrived.

    Not where all arrived at once, up to the end.
    """
    own = range(number * len(state.personnel), (number + 1) * len(state.personnel))
    if not any(burst.series in own for burst in bursts) and state.captured[number] < 0:
        return False
    arriving = state.arrivals[:, state.sized.index(state.bounded[number])]
    return bool(arriving[:, 1:].any() or not state.inside.all())


def _lay_out_smooth(case: Case, timeline: Timeline, parameters: Parameters) -> StateLayout:
    """Lay out the state without bursts.

    A position of -1 in theta stands for "none": the value is zero there.
    """
    forces = tuple(case.forces)
    bounded = tuple(key for key in forces if case.forces[key].bounded)
    used = {outcome for key in bounded for outcome in case.forces[key].outcomes}
    personnel = tuple(outcome for outcome in PERSONNEL if outcome in used)
    free = tuple(
        (key, outcome)
        for key in forces
        for outcome in case.forces[key].outcomes
        if not (case.forces[key].bounded and outcome in PERSONNEL)
    )
    sized = tuple(key for key in forces if case.forces[key].waves)

    def find(variable: str, *labels: str) -> int:
        names = {item.name for item in parameters.items}
        return parameters.index(variable, *labels) if ".".join([variable, *labels]) in names else -1

    own = {key: list_free_outcomes(case.forces[key].outcomes, case.forces[key].bounded) for key in forces}
    middles = np.cumsum(timeline.bin_days) - timeline.bin_days / 2
    lulls = [(f, n, lull) for f, key in enumerate(forces) for n, lull in enumerate(case.forces[key].lulls)]
    cover = np.zeros((len(lulls), len(forces), len(timeline.days)))
    for row, (f, _, lull) in enumerate(lulls):
        cover[row, f] = timeline.cover(lull.start, lull.end)
    waves = [(f, wave) for f, key in enumerate(sized) for wave in case.forces[key].waves]
    arrivals = np.zeros((len(waves), len(sized), len(timeline.days)))
    for row, (f, wave) in enumerate(waves):
        inside = timeline.cover(wave.start, wave.end) * timeline.days
        arrivals[row, f] = inside / ((wave.end - wave.start).days + 1)
    return StateLayout(
        forces=forces,
        bounded=bounded,
        personnel=personnel,
        free=free,
        sized=sized,
        bin=timeline.bin,
        days=timeline.days,
        position=timeline.position,
        inside=timeline.inside.astype(float),
        root_days=np.sqrt(np.diff(middles)),
        step=find("path.step") if timeline.has_path else None,
        lulls=_ints(find("lull", forces[f], str(n)) for f, n, _ in lulls),
        lull_cover=cover,
        waves=_ints(find("wave.size", sized[f], wave.name) for f, wave in waves),
        arrivals=arrivals,
        share=_ints(find("share", key) for key in bounded),
        ratio=_ints(find("wounded_per_killed", key) for key in bounded),
        captured=_ints(find("captured_share", key) for key in bounded),
        missing=_ints(find("missing_share", key) for key in bounded),
        has=np.array([[float(name in case.forces[key].outcomes) for name in PERSONNEL] for key in bounded]).reshape(
            -1, 4
        ),
        bounded_tilt=_ints(find("path.tilt", key, name) for key in bounded for name in personnel).reshape(
            len(bounded), len(personnel)
        ),
        free_total=_ints(find("total", key, name if name in own[key] else "killed") for key, name in free),
        free_ratio=_ints(-1 if name in own[key] else find("wounded_per_killed", key) for key, name in free),
        free_tilt=_ints(find("path.tilt", key, name) for key, name in free),
    )


def _ints(values: Any) -> Ints:
    return np.array(list(values), dtype=np.int64)
