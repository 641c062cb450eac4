"""The house: imports run one way, and light commands stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sim"

# Each module may import those before it, at the top of the file or inside a function.
ORDER = [
    "errors", "interruption", "whole", "files", "words", "expressions", "claims", "priors", "case", "rules", "result",
    "read", "inputs", "timeline", "evidence", "check", "new", "importers", "parameters", "arrays", "likelihood",
    "state", "rows", "beliefs", "model", "machine", "kernel", "packing", "nuts", "chains", "diagnostics", "fit",
    "posterior", "simulate", "store", "cluster", "tasks", "sbc", "scores", "baselines", "record", "learn", "backtest",
    "quarters", "shares", "value", "summary", "trace", "table", "robustness", "plots", "confidence", "memo", "artist",
    "runs", "variants", "conflict", "powers", "sensitivity", "compare", "verify", "__init__", "console", "cli_many",
    "cli", "start",
]  # fmt: skip


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield path, parts[0]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("sim."))


def test_every_module_has_its_place():
    assert {name for _, name in modules()} == set(ORDER)


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: getattr(value, "stem", value))
def test_imports_run_one_way(path, name):
    for other in imported(path):
        assert ORDER.index(other) <= ORDER.index(name), f"{name} imports {other}"


def test_pymc_is_imported_by_the_model_alone():
    heavy = {
        "pymc": {"model"},
        "pytensor": {"arrays", "model"},
        "nutpie": set(),
        "joblib": {"tasks"},
        "distributed": {"cluster"},
        "typer": {"cli", "cli_many", "console"},
    }
    for path, name in modules():
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
        "import sys\nfrom sim.cli import main\nsys.argv = ['truetoll', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pymc', 'arviz', 'nutpie', 'pytensor', 'matplotlib', 'numba', 'joblib', 'distributed'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_evaluates_text():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path
