"""What the tests share: small cases written to disk, designs, and runs of the shipped cases."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import CASE, Row, format_claims

from sim.case.folder import find_case, read_case
from sim.case.priors import read_priors
from sim.model.design import Design, design_model
from sim.runs.run import Run, run_case, write_run

Writer = Callable[..., Path]
ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every random try, seed and draw: see `make test-full`")


@cache
def find_group(file: str) -> str:
    """Return what a file of tests is left to one process with: all that look at the same runs of the shipped cases."""
    shares = re.search(r"\b(run_once|kursk_run|kursk_folder)\b", (ROOT / file).read_text(encoding="utf-8"))
    return "shipped" if shares else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Where processes share the tests, leave each group to one of them; `--dist loadgroup` fails with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class LoadGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return find_group(nodeid.partition("::")[0])

    return LoadGroups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the largest group, where processes share the tests, and go on from the last file to the first."""
    if hasattr(config, "workerinput"):
        files = list(dict.fromkeys(item.location[0] for item in items))
        items.sort(key=lambda item: (find_group(item.location[0]) != "shipped", -files.index(item.location[0])))


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Say whether everything is tried as often as `make test-full` does."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Return a function that writes a case of given rows and returns its folder."""

    def write_case(rows: list[Row], toml: str = CASE, extra: str = "", name: str = "case") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "case.toml").write_text(toml, encoding="utf-8")
        (folder / "claims.csv").write_text(format_claims(rows, extra), encoding="utf-8")
        return folder

    return write_case


@pytest.fixture
def design(write: Writer) -> Callable[..., Design]:
    """Return a function that lays out the model of a case of given rows."""

    def lay_out(
        rows: list[Row],
        toml: str = CASE,
        learned: str = "",
        known_by: dt.date | None = None,
        as_of: dt.date | None = None,
    ) -> Design:
        folder = write(rows, f'prior = "learned.toml"\n{toml}' if learned else toml)
        if learned:
            (folder / "learned.toml").write_text(learned, encoding="utf-8")
        case = read_case(folder)
        priors = read_priors(case.file.prior, folder, overrides=case.file.priors)
        return design_model(case, priors, known_by=known_by, as_of=as_of)

    return lay_out


def shipped_design(name: str) -> Design:
    """Return the design of a shipped case."""
    case = read_case(find_case(name))
    return design_model(case, read_priors(case.file.prior))


@pytest.fixture(scope="session")
def kursk() -> Design:
    return shipped_design("kursk")


@pytest.fixture(scope="session")
def run_once() -> Callable[..., Run]:
    """Return `run_case`, which gives again what it was asked for before: the same run of the same shipped case."""
    signature, kept = inspect.signature(run_case), {}

    def run_or_recall(*given: object, **options: object) -> Run:
        bound = signature.bind(*given, **options)
        bound.apply_defaults()
        if Path(str(bound.arguments["case"])).name != bound.arguments["case"]:  # a folder may be another by now
            return run_case(*given, **options)
        key = tuple((name, value) for name, value in bound.arguments.items() if name != "quiet")
        if key not in kept:
            kept[key] = run_case(*given, **options)
        return replace(kept[key], seconds=dict(kept[key].seconds))  # what is noted of a folder is of that one alone

    return run_or_recall


@pytest.fixture(scope="session")
def kursk_run(run_once: Callable[..., Run]) -> Run:
    """Return a run of the shipped case, as `truetoll run kursk` makes it."""
    return run_once("kursk", seed=1)


@pytest.fixture(scope="session")
def kursk_folder(kursk_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of that run, which nobody writes into."""
    return write_run(replace(kursk_run), tmp_path_factory.mktemp("results"), ["truetoll", "run", "kursk"])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20241101)
