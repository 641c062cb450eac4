"""What the tests share: small cases written to disk, designs, and runs of the shipped cases."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
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


# The files that take longest, the longest first: begun with, so that no process waits for another at the end.
LONGEST = (
    "tests/calibration/test_backtest.py",
    "tests/calibration/test_sbc.py",
    "tests/robustness/test_sensitivity.py",
    "tests/test_fuzz.py",
    "tests/model/test_pymc_model.py",
    "tests/test_docs.py",
    "tests/calibration/test_learn.py",
    "tests/calibration/test_bywar.py",
    "tests/test_faults.py",
    "tests/test_strangers.py",
    "tests/runs/test_run.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, whole files at a time, begin with the files that take longest."""
    if hasattr(config, "workerinput"):
        ranks = {file: rank for rank, file in enumerate(LONGEST)}
        items.sort(key=lambda item: ranks.get(item.location[0].replace(os.sep, "/"), len(ranks)))


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[], Any]], Any]:
    """Return a function that makes a thing under a name, or gives what was made, by whichever process of the tests."""
    shares = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if shares else base) / "made-once"
    folder.mkdir(exist_ok=True)

    def make(name: str, how: Callable[[], Any]) -> Any:
        path = folder / hashlib.sha256(name.encode()).hexdigest()
        with path.with_suffix(".lock").open("ab") as lock:
            if shares:
                from fcntl import LOCK_EX, flock

                flock(lock, LOCK_EX)
            if not path.exists():
                path.write_bytes(pickle.dumps(how()))
            return pickle.loads(path.read_bytes())  # noqa: S301 - our own

    return make


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have libraries, and the programs that the tests start and kill, leave their temporary files among pytest's."""
    place = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", place)
        patch.setattr("tempfile.tempdir", place)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled(request: pytest.FixtureRequest, make_once: Callable[..., Any]) -> None:
    """Where processes share the tests, have one compile while the other waits: both would compile the same."""
    if hasattr(request.config, "workerinput"):
        from sim.posterior.fit import prepare_density

        make_once("compiled", lambda: bool(prepare_density()))


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
def run_once(make_once: Callable[..., Any]) -> Callable[..., Run]:
    """Return `run_case`, which gives again what it was asked for before: the same run of the same shipped case."""
    signature, kept = inspect.signature(run_case), {}

    def run_or_recall(*given: object, **options: object) -> Run:
        bound = signature.bind(*given, **options)
        bound.apply_defaults()
        if Path(str(bound.arguments["case"])).name != bound.arguments["case"]:  # a folder may be another by now
            return run_case(*given, **options)
        key = repr([(name, value) for name, value in bound.arguments.items() if name != "quiet"])
        if key not in kept:
            kept[key] = make_once(key, lambda: run_case(*given, **options))
        return replace(kept[key], seconds=dict(kept[key].seconds))  # what is noted of a folder is of that one alone

    return run_or_recall


@pytest.fixture(scope="session")
def kursk_run(run_once: Callable[..., Run]) -> Run:
    """Return a run of the shipped case, as `truetoll run kursk` makes it."""
    return run_once("kursk", seed=1)


@pytest.fixture(scope="session")
def kursk_folder(kursk_run: Run, make_once: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of that run, which nobody writes into."""

    def write_it() -> Path:
        return write_run(replace(kursk_run), tmp_path_factory.mktemp("results"), ["truetoll", "run", "kursk"])

    return make_once("kursk_folder", write_it)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20241101)
