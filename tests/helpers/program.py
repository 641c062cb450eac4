"""The program, called as a user would: as it is installed, or in this process, which has loaded what it needs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from sim.cli.app import app

PROGRAM = Path(sys.executable).parent / "truetoll"


def call(*arguments, cwd=None):
    """Run the installed program: for what depends on its being a process."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False)


def call_here(*arguments, cwd=None):
    """Run a command in this process; an error that the program does not tell of is raised."""
    with chdir(cwd or Path.cwd()):
        done = CliRunner().invoke(app, [*map(str, arguments)], prog_name="truetoll", catch_exceptions=False)
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
