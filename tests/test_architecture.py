"""The house: imports run one way, and light commands stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sim

PACKAGE = Path(__file__).parent.parent / "sim"

# Each room, and those that it may import beside the top; the docstring of a room says the same.
ROOMS = {
    "system": set(),
    "case": {"system"},
    "importers": {"case", "system"},
    "contract": {"case", "system"},
    "draft": {"case", "system"},
    "sampler": {"system"},
    "model": {"case", "system"},
    "posterior": {"contract", "model", "sampler", "case", "system"},
    "report": {"contract", "case", "system"},
    "runs": {"posterior", "report", "contract", "model", "sampler", "case", "system"},
    "calibration": {"posterior", "report", "importers", "model", "sampler", "case", "system"},
    "robustness": {"runs", "posterior", "report", "contract", "model", "sampler", "case", "system"},
}
ROOMS["cli"] = set(ROOMS)
TOP = {"errors", "words"}
DOORS, FLOORS = 13, 9  # at most so many modules in a room, and so many rooms above one another


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, path.relative_to(PACKAGE).with_suffix("").parts


def imported(path):
    """Yield the modules of the package that a file imports, at its top or in a function, without `sim`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim"):
            yield from ([node.module.split(".")[1]] if "." in node.module else [name.name for name in node.names])
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("sim."))


def test_every_module_is_in_a_room():
    """At the top stand the front door and what all rooms share; everything else has a room that says its rule."""
    assert {parts[0] for _, parts in modules() if len(parts) == 1} == TOP | {"__init__"}
    rooms = {parts[0] for _, parts in modules() if len(parts) > 1}
    assert rooms == set(ROOMS)
    assert {room for room in ROOMS if f"    {room} " in (sim.__doc__ or "")} == rooms


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_may_import(room):
    """In its docstring, the same as the table above; and it is small enough to be known at a glance."""
    rule = " ".join((ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8"))) or "").split())
    said = re.search(r"May import (.*?)\.", rule)
    assert said, rule
    named = set(ROOMS) if "every room" in said[1] else {name for name in ROOMS if f"`{name}`" in said[1]}
    assert named | {"cli"} == ROOMS[room] | {"cli"}
    doors = [path for path in (PACKAGE / room).iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    assert len([path for path in doors if path.stem != "__init__"]) <= DOORS


@pytest.mark.parametrize(
    ("path", "parts"), list(modules()), ids=lambda value: "/".join(value) if isinstance(value, tuple) else ""
)
def test_imports_run_one_way(path, parts):
    """A module imports from its own room, from those that its room may enter, and from the top."""
    if parts == ("__init__",):
        return  # the front door opens every room, when it is asked to
    room = parts[0] if len(parts) > 1 else ""
    for other in imported(path):
        assert other in {*ROOMS.get(room, set()), *TOP, room}, f"{'/'.join(parts)} imports {other}"


def test_the_house_has_no_circle():
    """Neither between rooms nor between modules, and few floors."""
    floors: dict[str, int] = {}
    for room in TopologicalSorter(ROOMS).static_order():
        floors[room] = 1 + max((floors[below] for below in ROOMS[room]), default=0)
    assert max(floors.values()) <= FLOORS
    known = {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for _, parts in modules()}
    graph: dict[str, set[str]] = {}
    for path, parts in modules():
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        targets = set()
        for node in ast.parse(
            path.read_text(encoding="utf-8")
        ).body:  # in a function an import is made when it is called
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim."):
                module = node.module.removeprefix("sim.")
                targets |= {module} | {f"{module}.{each.name}" for each in node.names}
        graph[name] = (targets & known) - {name}
    list(TopologicalSorter(graph).static_order())


def test_pymc_is_imported_by_the_model_alone():
    heavy = {
        "pymc": {"model/pymc_laws", "model/pymc_model", "posterior/engines"},
        "pytensor": {"model/arrays"},
        "nutpie": {"posterior/engines"},
        "joblib": {"system/tasks"},
        "distributed": {"system/cluster"},
        "typer": {"/".join(parts) for _, parts in modules() if parts[0] == "cli"},
    }
    for path, parts in modules():
        name = "/".join(parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [item.name for item in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for library, allowed in heavy.items():
                if any(each.split(".")[0] == library for each in names):
                    assert name in allowed, f"{name} imports {library}"


@pytest.mark.parametrize("arguments", [["--help"], ["check", "kursk"], ["run", "--help"], ["priors", "list"]])
def test_light_commands_import_no_sampler(arguments):
    code = (
        "import sys\nfrom sim.cli.app import main\nsys.argv = ['truetoll', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pymc', 'arviz', 'nutpie', 'pytensor', 'matplotlib', 'numba', 'joblib', 'distributed'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_statistics_of_draws_load_nothing_else_of_arviz():
    """Neither its whole package nor xarray and pandas; and whoever asks for the package afterwards gets all of it."""
    code = (
        "import sys\nfrom sim.sampler.diagnostics import load_statistics\nfound = load_statistics()\n"
        "loaded = {name.split('.')[0] for name in sys.modules} & {'arviz_stats', 'xarray', 'pandas'}\n"
        "assert not loaded, loaded\n"
        "import numpy as np\nfrom arviz_stats import base, psense\n"
        "draws = np.random.default_rng(1).normal(size=(4, 100))\n"
        "both = [each.ess(draws, chain_axis=0, draw_axis=1, method='bulk') for each in (found, base.array_stats)]\n"
        "assert both[0] == both[1], both\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_evaluates_text():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path


# Files longer than a person reads in one sitting, each with its reason.
LONG = {
    "case/case.py": "the records of a case's file, and what is asked of a case and changed in it",
}


def test_long_files_have_a_reason():
    """A file has at most some 300 lines, a reason aside; no reason is kept for a file that has become short."""
    long = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 340
    }
    assert long == set(LONG)
