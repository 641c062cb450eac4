"""Whether a finished run stands: it is made again from what its folder keeps, and compared with what it says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import refuse
from sim.runs.compare import ERRORS
from sim.runs.folder import read_manifest, read_result
from sim.runs.inputs import read_inputs
from sim.runs.run import describe_platform, fit_case

EDGES = ("median", "lower edge of the 90% interval", "upper edge of the 90% interval")


def verify_run(folder: Path, *, quiet: bool = True) -> dict[str, Any]:
    """Make a run again from its folder, write nothing, and return whether it stands.

    Parameters
    ----------
    folder : Path
        Of the run.
    quiet : bool
        Show no progress.

    Returns
    -------
    dict
        `identical`, whether the summary is the same but for timings; `stands`, whether it is that, or every median and
        90% interval is where it was within four Monte Carlo standard errors; `moved`, those that are not; `differs`,
        the versions and the platform that are others now.

    Raises
    ------
    InputError
        Where the folder does not hold what the run was made from.
    """
    was, manifest = read_result(folder), read_manifest(folder)
    recipe = _read_recipe(folder, manifest)
    case, priors = read_inputs(folder, manifest)
    run = fit_case(case, priors, **recipe, quiet=quiet)
    try:
        verdict = judge_repeat(was, run.result)
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(str(folder / "summary.json"), "", f"is damaged ({error!r})", "run the case again") from None
    return {"schema": 1, "run": str(folder), **verdict, "differs": list_differences(manifest)}


def _read_recipe(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the seed and the settings of a run, as `fit_case` takes them."""
    try:
        settings, seed, days = manifest["settings"], manifest["seed"], {}
        for name in ("as_of", "known_by"):
            days[name] = None if settings[name] is None else dt.date.fromisoformat(settings[name])
        draws = settings["draws"]
        if not isinstance(seed, int) or not isinstance(draws, int | None) or not isinstance(manifest["case"], str):
            raise TypeError("a setting of another type")
        if not 0 <= seed < 2**31 or not (draws is None or 100 <= draws <= 1_000_000):
            raise ValueError("a setting out of its range")
    except (KeyError, TypeError, ValueError) as error:
        what = f"does not say how to repeat the run ({error!r})"
        raise refuse(str(folder / "manifest.json"), "", what, "run the case again") from None
    return {"seed": seed, "draws": draws, **days}


def judge_repeat(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether two summaries of the same inputs are `identical`, whether the first `stands`, and what `moved`."""
    identical = drop_timings(was) == drop_timings(now)
    moved = [] if identical else list(_list_moved(was, now))
    return {"identical": identical, "stands": not moved, "moved": moved}


def drop_timings(result: Mapping[str, Any]) -> str:
    """Return a summary as it is written, without the seconds that it took."""
    diagnostics = {key: value for key, value in result["diagnostics"].items() if key != "seconds"}
    return json.dumps({**result, "diagnostics": diagnostics}, ensure_ascii=False)


def _list_moved(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is further from where it was than four Monte Carlo standard errors of the difference."""
    later = {(entry["force"], entry["quantity"]): entry for entry in now["estimates"]}
    for first in was["estimates"]:
        key = first["force"], first["quantity"]
        second = later.pop(key, None)
        pairs = [] if second is None else zip(EDGES, _measure(first), _measure(second), strict=True)
        for what, (one, error), (two, other_error) in pairs:
            # Counts are whole numbers: an edge that lies between two of them jumps by one.
            if abs(two - one) > ERRORS * np.hypot(error, other_error) + 1:
                yield {"force": key[0], "quantity": key[1], "what": what, "was": one, "now": two}
        if second is None:
            yield {"force": key[0], "quantity": key[1], "what": "it", "was": first["median"], "now": None}
    for key, second in later.items():
        yield {"force": key[0], "quantity": key[1], "what": "it", "was": None, "now": second["median"]}


def _measure(entry: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the median and the edges of the 90% interval, each with its Monte Carlo standard error."""
    edges = zip(entry["intervals"]["0.9"], entry["mcse_interval_90"], strict=True)
    return [(entry["median"], entry["mcse_median"]), *edges]


def list_differences(manifest: Mapping[str, Any]) -> list[str]:
    """Return the versions and the platform that are not those of a run's manifest, in words."""
    here = describe_platform()
    was, now = manifest.get("versions", {}), here["versions"]
    found = [
        f"{name} {was.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]
    if manifest.get("platform") != here["platform"]:
        found.append(f"{manifest.get('platform')} then, {here['platform']} now")
    return found


def tell_verdict(report: Mapping[str, Any]) -> list[str]:
    """Return the verdict in sentences."""
    if report["identical"]:
        found = ["The run stands: repeated, it gives the same summary byte for byte, timings apart."]
    elif report["stands"]:
        found = ["The run stands within Monte Carlo error: every median and 90% interval is where it was."]
    else:
        found = ["The run DOES NOT STAND: repeated, it gives other numbers."]
    for entry in report["moved"]:
        name = f"{entry['force']}.{entry['quantity']}"
        one, two = ("none" if value is None else f"{value:,g}" for value in (entry["was"], entry["now"]))
        found.append(f"{name}: {entry['what']} was {one} and is {two}.")
    if report["differs"]:
        found.append(f"Other than then: {'; '.join(report['differs'])}.")
    return found
