"""The pages as data: their fenced blocks, and how a block is run or read as a reader would."""

from __future__ import annotations

import glob
import io
import math
import os
import re
import shlex
import subprocess
import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import typer
from markdown_it import MarkdownIt

from sim.cli.app import app
from sim.words import say_probability

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"sh", "console", "python", "toml", "csv", "text", "bibtex"}

# What is not run, and why. Targets of make are tried with --dry-run, commands of truetoll by reading their arguments.
NOT_RUN = {
    "make run": "makes the environment that the tests run in",
    "make test": "runs the tests",
    "make lint": "is a part of make test",
    "make lock": "asks the package registry",
    "make tables": "writes into docs/",
    "make priors": "takes minutes, and writes the default prior set",
    "make backtest": "takes minutes",
    "truetoll sensitivity": "takes a minute or two",
    "truetoll memo results/kursk/20250501-120000-seed1": "is of a run of the reader's own",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line on which it begins."""

    language: str
    text: str
    line: int


def list_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, directives of the site's builder apart; an indented one has no language."""
    return [
        Block(token.info.strip(), token.content, token.map[0] + 1)
        for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
        if token.type in ("fence", "code_block") and not token.info.startswith("{")
    ]


def list_tables(page: Path) -> list[list[list[str]]]:
    """Return the tables of a page: rows of cells, the head first."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and token.level >= 4 and tables:  # within table, section, row and cell
            tables[-1][-1].append(token.content)
    return tables


def is_run(block: Block) -> bool:
    """Say whether a shell block is run; one that holds a command of NOT_RUN is a block of such commands alone."""
    lines = _list_commands(block)
    kept = [line for line in lines if any(_starts(line, command) for command in NOT_RUN)]
    assert kept in ([], lines), f"line {block.line}: put what is not run in a block of its own"
    return not kept


def _list_commands(block: Block) -> list[str]:
    lines = (line.partition(" #")[0].strip() for line in block.text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _starts(line: str, command: str) -> bool:
    return f"{line.removeprefix('.venv/bin/')} ".startswith(f"{command} ")


def try_commands(block: Block) -> None:
    """Hold that the program, or make, takes the commands of a block that is not run."""
    for line in _list_commands(block):
        program, *arguments = shlex.split(line.removeprefix(".venv/bin/"))
        if program == "make":
            command = ["make", "--dry-run", *arguments]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        else:
            group = typer.main.get_command(app)
            context = group.make_context(program, arguments, resilient_parsing=True)
            name, command, rest = group.resolve_command(context, arguments)
            command.make_context(name, rest)


def run_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as at a prompt: both streams together, in the order in which they were written."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def run_python(text: str, folder: Path) -> None:
    """Run a block of Python in this process, which has loaded already what it imports."""
    with chdir(folder), redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a reader need not close files
        code = compile(text, "block", "exec", dont_inherit=True)
        exec(code, {"__name__": "__main__"})  # noqa: S102 - a page of our own


def run_program(command: str, folder: Path) -> tuple[int, str]:
    """Run a plain command of truetoll in this process; return its status, and what it says, both streams in order.

    `tests/cli` runs the installed program.
    """
    program, *words = shlex.split(command, comments=True)
    assert program.rpartition("/")[2] == "truetoll"
    with chdir(folder), redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        arguments = [place for word in words for place in (sorted(glob.glob(word)) or [word])]  # noqa: PTH207 - a shell's
        status = typer.main.get_command(app).main(arguments, prog_name="truetoll", standalone_mode=False)
    return int(status or 0), said.getvalue()


def is_plain(command: str) -> bool:
    """Say whether a line is one command of truetoll and nothing else for a shell to do."""
    line = command.partition(" #")[0]
    return line.removeprefix(".venv/bin/").startswith("truetoll ") and not set(line) & set("|&;<>$`\\\n")


def split_console(text: str) -> list[tuple[str, str]]:
    """Return the commands after `$ ` with the output shown below each."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", "a console block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_RUN_ID = re.compile(r"\d{8}-\d{6}")
_WORDS = "|".join(sorted({say_probability(n / 200) for n in range(201)}, key=len, reverse=True))
_CHANCE = re.compile(rf"\b(?:it is |there is an? )?({_WORDS}) \((\d+)%\)", re.IGNORECASE)
LONGER = "The first sampling did not converge; these are the draws of a longer one.\n"
NEAR = 0.15  # four Monte Carlo standard errors of the end of a wide 90% interval
# Prisoners in Kursk are a handful, or in few draws thousands: on two processors the upper end is 36 and 49, each with a
# Monte Carlo standard error of 3.5 or more.
ROUGH = {"captured": 0.5}


def same_output(shown: str, real: str, *, sampled: bool) -> bool:
    """Compare the output that a page shows with the real one.

    A line of `...` stands for any lines. Of sampled output the words must be the same, and the numbers within 15%, in a
    row of `ROUGH` within what that says; small ones within one unit, or a tenth of one. Whether the first sampling was
    enough hangs on the last digits of a machine, and is no difference; nor are the words for a chance near the edge of
    two bands, where each fits its own number.
    """
    pieces = [_clean(piece) for piece in re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)]
    if sampled:
        pieces, real = [_drop_chances(piece) for piece in pieces], _drop_chances(_clean(real.replace(LONGER, "")))
    pattern = r"(?:[^\n]*\n)*?".join(map(_write_pattern if sampled else re.escape, pieces))
    match = re.fullmatch(pattern, _clean(real))
    if match is None or not sampled:
        return match is not None
    lines = [line for piece in pieces for line in piece.splitlines()]
    said = [(number, ROUGH.get(line.split()[0], NEAR)) for line in lines for number in _NUMBER.findall(line)]
    return all(_is_near(number, real, near) for (number, near), real in zip(said, match.groups(), strict=True))


def _clean(text: str) -> str:
    lines = (" ".join(line.split()) for line in _RUN_ID.sub("RUN", text).strip().splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def _drop_chances(text: str) -> str:
    """Return text without the words for chances that are those of the number beside them, as it may be rounded."""

    def drop(found: re.Match[str]) -> str:
        chances = ((int(found[2]) + rounded) / 100 for rounded in (-0.5, 0, 0.5))
        return f"({found[2]}%)" if found[1] in map(say_probability, chances) else found[0]

    return _CHANCE.sub(drop, text)


def _write_pattern(piece: str) -> str:
    return f"({_NUMBER.pattern})".join(map(re.escape, _NUMBER.split(piece)))


def _is_near(said: str, real: str, near: float) -> bool:
    numbers = [float(number.replace(",", "")) for number in (said, real)]
    return math.isclose(*numbers, rel_tol=near, abs_tol=0.1 if "." in said else 1)
