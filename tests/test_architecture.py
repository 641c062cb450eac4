"""The house: imports run one way, and light commands stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sim

PACKAGE = Path(__file__).parent.parent / "sim"

# The map in the package's docstring: each module may import those before it, at the top of the file or in a function.
MAP = re.findall(r"^    (\w+) +(\S.*)$", sim.__doc__ or "", re.MULTILINE)
ORDER = [name for name, _ in MAP]


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


def test_the_map_names_every_module_once():
    assert sorted(ORDER) == sorted({name for _, name in modules()} - {"__init__"})


@pytest.mark.parametrize(("path", "name"), list(modules()), ids=lambda value: getattr(value, "stem", value))
def test_imports_run_one_way(path, name):
    order = [*ORDER[: ORDER.index("console")], "__init__", *ORDER[ORDER.index("console") :]]
    for other in imported(path):
        assert order.index(other) <= order.index(name), f"{name} imports {other}"


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


# Files longer than a person reads in one sitting, each with its reason.
LONG = {
    "kernel.py": "one file, because numba's cache on disk looks at one file only",
    "record.py": "one table of past wars, and every fault of it",
    "priors.py": "the grammar of prior sets",
    "result.py": "the shape of three files, entry by entry",
    "importers/economist.py": "one table, whose rows come in many wordings",
    "rows.py": "the rows of the likelihood, for each kind of observation",
    "evidence.py": "which claims count: echoes, revisions, statements",
    "memo/content.py": "one memo, section by section",
}


def test_long_files_have_a_reason():
    """A file has at most some 300 lines, a reason aside; no reason is kept for a file that has become short."""
    long = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 340
    }
    assert long == set(LONG)
