"""Wars made up by the model itself, of any number of claims: `python tests/benchmarks/synthetic.py FOLDER CLAIMS`.

Four forces lose forty series of things over two years, and ten sources speak of them: each force's own, its ally, its
adversary, and independent ones. Where the truth comes from is the prior (`sim.posterior.simulate`), with totals kept
to counts of hundreds to hundreds of thousands; the claims come from the truth by the sources' biases, noise and
wording.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np

from sim.case.case import Case
from sim.case.folder import read_case
from sim.case.priors import read_priors
from sim.model.design import design_model
from sim.posterior.simulate import simulate_worlds, tabulate_worlds

START, DAYS = dt.date(2021, 1, 1), 730
FORCES = ("north", "south", "east", "west")
OUTCOMES = (
    "killed", "wounded", "tanks", "armoured_vehicles", "artillery", "trucks", "jets", "helicopters", "drones", "ships",
)  # fmt: skip
ROLES = ("own", "ally_of_own", "adversary", "ally_of_adversary")
QUALIFIERS, WEIGHTS = ("about", "at_least", "at_most"), (0.85, 0.1, 0.05)
COLUMNS = ("id", "source", "force", "quantity", "published", "as_of", "qualifier", "value", "digits")


def write_war(folder: Path, claims: int, seed: int = 1) -> Path:
    """Write a case of `claims` claims, with the true losses as `losses.json`, and return its folder."""
    folder.mkdir(parents=True)
    roles = {}
    for number, force in enumerate(FORCES):
        others = FORCES[number:] + FORCES[:number]
        for kind in ("state", "press"):
            roles[f"{force}_{kind}"] = dict(zip(others, ROLES, strict=True))
    roles |= {"observers": dict.fromkeys(FORCES, "independent"), "analysts": dict.fromkeys(FORCES, "independent")}
    lines = [
        "schema = 1",
        'title = "A war made up"',
        f"start = {START}",
        f"end = {START + dt.timedelta(days=DAYS - 1)}",
        "bin_days = 30",
        "[priors]",
        '"total.default" = { dist = "Normal", mu = 8.5, sigma = 1.5 }',
    ]
    for force in FORCES:
        lines += [f"[forces.{force}]", f"outcomes = {list(OUTCOMES)}".replace("'", '"')]
    for source, role in roles.items():
        said = ", ".join(f'{force} = "{name}"' for force, name in role.items())
        lines += [f"[sources.{source}]", f"role = {{ {said} }}"]
    (folder / "case.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rng = np.random.default_rng(seed)
    # The first source speaks a tenth of the time, the last a fortieth: talkative and silent ones, as in a real war.
    weights = np.linspace(4, 1, len(roles))
    rows = [
        {
            "id": f"c{number}",
            "source": str(source),
            "force": FORCES[series // len(OUTCOMES)],
            "quantity": OUTCOMES[series % len(OUTCOMES)],
            "published": (day := str(START + dt.timedelta(days=int(since)))),
            "as_of": day,
            "qualifier": str(qualifier),
            "value": 1230,
            "digits": 3,
        }
        for number, (source, series, since, qualifier) in enumerate(
            zip(
                rng.choice(list(roles), claims, p=weights / weights.sum()),
                rng.integers(len(FORCES) * len(OUTCOMES), size=claims),
                rng.integers(30, DAYS, size=claims),
                rng.choice(QUALIFIERS, claims, p=WEIGHTS),
                strict=True,
            )
        )
    ]
    _write_rows(folder, rows)
    case = read_case(folder)
    world = tabulate_worlds(*_make_world(case, seed))
    (folder / "losses.json").write_text(
        json.dumps({series: values[0] for series, values in world["truths"].items()}), encoding="utf-8"
    )
    numbers = world["claims"]
    for row in rows:
        row["value"] = round(numbers[row["id"]][0]) if row["id"] in numbers else row["value"]
    _write_rows(folder, [row for row in rows if row["id"] in numbers])
    return folder


def _make_world(case: Case, seed: int):
    design = design_model(case, read_priors(case.file.prior, overrides=case.file.priors))
    return design, simulate_worlds(design, np.random.default_rng(seed), 1)


def _write_rows(folder: Path, rows: list[dict[str, object]]) -> None:
    with (folder / "claims.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write_war(Path(sys.argv[1]), int(sys.argv[2]))
