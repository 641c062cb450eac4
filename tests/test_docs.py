"""Every block of every page runs, and shows what the program really prints; the site is built without a warning."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from pages import (
    LANGUAGES,
    NOT_RUN,
    PAGES,
    ROOT,
    Block,
    is_plain,
    is_run,
    list_blocks,
    list_tables,
    run_program,
    run_python,
    run_shell,
    same_output,
    split_console,
    try_commands,
)
from tables import PAGES as GENERATED

from sim.case.claims import Claim
from sim.case.evidence import weigh_claims
from sim.case.families import FAMILIES
from sim.case.folder import read_case
from sim.case.observations import rounding_unit
from sim.case.prior_keys import PRIOR_KEYS
from sim.case.wordings import WORDINGS
from sim.report.plots import draw_figures
from sim.report.table import show_text
from sim.runs.run import Run
from sim.words import say_probability, show_count

DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a reader who has made the environment and reads a page from its beginning to its end."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "priors").symlink_to(ROOT / "priors")
    return tmp_path


@pytest.fixture(autouse=True)
def _runs_once(run_once, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit a shipped case once, however many pages run it, and draw its figures here, where all is loaded.

    As SVG alone: a figure is laid out the same, whatever it is written as, and no page asks for one of a run's folder.
    """
    monkeypatch.setattr("sim.runs.run.run_case", run_once)
    monkeypatch.setattr("sim.system.figure_process.start_figure_process", nullcontext)

    def draw(result, place, names=None, formats=("svg",)):
        return draw_figures(result, place, names, formats)

    monkeypatch.setattr("sim.report.plots.draw_figures", draw)


def run_block(block: Block, folder: Path) -> None:
    if block.language == "sh":
        if not is_run(block):
            try_commands(block)
            return
        lines = block.text.splitlines()
        if all(map(is_plain, lines)):
            for line in lines:
                status, said = run_program(line, folder)
                assert status == 0, said
        else:
            done = run_shell(f"set -euo pipefail\n{block.text}", folder)
            assert done.returncode == 0, done.stdout
    elif block.language == "console":
        for command, shown in split_console(block.text):
            real = run_program(command, folder)[1] if is_plain(command) else run_shell(command, folder).stdout
            assert same_output(shown, real, sampled="check" not in command), f"{command}\n{real}"
    elif block.language == "python":
        run_python(block.text, folder)
    elif block.language == "toml":
        (folder / "case").mkdir(exist_ok=True)
        (folder / "case" / "case.toml").write_text(block.text, encoding="utf-8")
    elif block.language == "csv":
        (folder / "case" / "claims.csv").write_text(block.text, encoding="utf-8")
        read_case(folder / "case")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_of_a_page_runs(page, folder):
    for block in list_blocks(page):
        assert block.language in LANGUAGES, f"line {block.line}: {block.language or 'no language'}"
        try:
            run_block(block, folder)
        except AssertionError as error:
            raise AssertionError(f"{page.name}, block of line {block.line}: {error}") from error


def test_output_that_differs_is_found():
    shown = "killed 622 298 to 1,270\n...\nlast\n"
    assert same_output(shown, "killed   640  301 to 1,300\nmore\nlast\n", sampled=True)
    assert not same_output(shown, "killed   760  301 to 1,300\nmore\nlast\n", sampled=True)
    assert not same_output(shown, "wounded  622  298 to 1,270\nmore\nlast\n", sampled=True)
    assert not same_output(shown, "killed 622 298 to 1,270\nmore\n", sampled=True)
    assert not same_output(shown, "killed 640 301 to 1,300\nmore\nlast\n", sampled=False)
    shown = "It is unlikely (22%) that many died; there is a roughly even chance (45%) of more.\n"
    near = shown.replace("there is a roughly even chance (45%)", "it is unlikely (44%)")
    assert same_output(shown, near, sampled=True)
    for other in ("there is a roughly even chance (44%)", "it is unlikely (46%)", "it is unlikely (22%)"):
        assert not same_output(shown, near.replace("it is unlikely (44%)", other), sampled=True), other


def test_the_readme_shows_what_make_run_prints(kursk_run: Run):
    (shown,) = [block.text for block in list_blocks(ROOT / "README.md") if block.language == "text"]
    assert same_output(shown, show_text(kursk_run.result), sampled=True), show_text(kursk_run.result)


def test_every_other_excerpt_is_of_what_make_run_prints(kursk_run: Run):
    real = show_text(kursk_run.result)
    for page in PAGES:
        for block in list_blocks(page):
            if block.language == "text":
                assert same_output(f"...\n{block.text}...\n", real, sampled=True), f"{page.name}, line {block.line}"


def list_choices() -> list[Any]:
    """Return the choices of a page: of priors and of days each one for `make test`, and the others for test-full."""
    tables = [table for table in list_tables(DOCS / "limits.md") if table[0][0] == "what is chosen"]
    kinds, found = set(), []
    for row in (row for table in tables for row in table[1:]):
        kind = row[0].split()[3]
        found.append(pytest.param(row, id=row[0], marks=[pytest.mark.slow] if kind in kinds else []))
        kinds.add(kind)
    return found


@pytest.mark.parametrize("row", list_choices())
def test_a_choice_gives_what_the_page_on_limits_says(row, folder, monkeypatch):
    said, median, interval = row
    monkeypatch.setattr("sim.runs.run.write_run", lambda *_: folder)  # what is asked is on standard output
    _, found = run_program(f"{said.strip('`')} --quiet --json", folder)
    (killed,) = [entry for entry in json.loads(found)["estimates"] if entry["quantity"] == "killed"]
    real = f"{show_count(killed['median'])} {' to '.join(map(show_count, killed['intervals']['0.9']))}"
    assert same_output(f"{median} {interval}", real, sampled=True), real


def test_the_words_of_chance_are_the_programs():
    (bands,) = [table[1:] for table in list_tables(DOCS / "reading.md") if table[0][0] == "words"]
    for words, low, high in bands:
        assert say_probability((int(low.strip("%")) + int(high.strip("%"))) / 200) == words


def test_what_is_not_run_stands_on_a_page():
    text = "\n".join(block.text for page in PAGES for block in list_blocks(page))
    for command in NOT_RUN:
        assert re.search(rf"{command}\b", text), f"{command} is on no page any more"


@pytest.mark.parametrize("page", GENERATED)
def test_a_page_made_from_the_program_is_up_to_date(page):
    if f"typer=={version('typer')} " not in (ROOT / "requirements.lock").read_text(encoding="utf-8"):
        pytest.skip("another version of typer words usage in another way")
    assert GENERATED[page]() == (DOCS / page).read_text(encoding="utf-8"), "make tables"


def list_rows() -> list[Block]:
    return [block for block in list_blocks(DOCS / "claims.md") if block.language == "csv"]


@pytest.mark.parametrize("block", list_rows(), ids=lambda block: f"line {block.line}")
def test_every_row_of_how_to_write_claims_is_read_as_its_note_says(block, tmp_path):
    """A note that begins with `not used` is of a row that is not; one that begins with `A to B` has that cell.

    A table with a column of forces is of the case that has two.
    """
    one, two = [each.text for each in list_blocks(DOCS / "claims.md") if each.language == "toml"]
    toml = two if "force" in block.text.splitlines()[0].split(",") else one
    (tmp_path / "case.toml").write_text(toml, encoding="utf-8")
    (tmp_path / "claims.csv").write_text(block.text, encoding="utf-8")
    case = read_case(tmp_path)
    evidence, rows = weigh_claims(case), case.claims
    assert set(evidence.unused) == {claim.id for claim in rows if claim.note.startswith("not used") or claim.exclude}
    for claim in rows:
        edges = re.match(r"([\d,.]+) to ([\d,.]+)", claim.note)
        if edges:
            half = (rounding_unit(claim) or 0) / 2
            said = [float(edge.replace(",", "")) for edge in edges.groups()]
            assert [(claim.value or 0) - half, (claim.value or 0) + half] == said, claim.id


def test_how_to_write_claims_has_every_wording_and_every_column():
    heads = {name for block in list_rows() for name in block.text.splitlines()[0].split(",")}
    assert heads == set(Claim.model_fields) - {"row"}
    cells = {cell for block in list_rows() for line in block.text.splitlines()[1:] for cell in line.split(",")}
    choices = {name: set(Claim.model_fields[name].annotation.__args__) for name in ("measure", "unit")}
    for column, allowed in {**choices, "qualifier": set(WORDINGS)}.items():
        missing = allowed - {Claim.model_fields[column].default} - cells
        assert not missing, f"{column}: {missing}"


def test_the_formats_name_every_wording_family_and_key():
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    keys = [entry.key.replace("<kind>", "losses").replace("<wording>", "at_least") for entry in PRIOR_KEYS]
    for name in (*WORDINGS, *keys):
        assert f"`{name}`" in text, name
    assert all(re.search(rf"\b{family}\b", text) for family in FAMILIES)


def test_the_dependencies_are_those_of_the_project():
    """Each dependency has a line with what it is for and what would replace it, and nothing else has one."""
    said = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    for group in [*PROJECT["project"]["optional-dependencies"].values(), *PROJECT["dependency-groups"].values()]:
        said += group
    rows = [row for table in list_tables(DOCS / "dependencies.md") for row in table[1:]]
    assert sorted(row[0].strip("`") for row in rows) == sorted({re.split(r"[<>=]", name)[0] for name in said})
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in rows)


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["version"] == PROJECT["project"]["version"]
    assert cited["license"] == PROJECT["project"]["license"]
    (entry,) = [block.text for block in list_blocks(DOCS / "cite.md") if block.language == "bibtex"]
    assert f"version = {{{cited['version']}}}" in entry


def test_links_between_the_pages_of_the_root_lead_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_each_promise_of_security_names_a_test_that_is_there():
    """A row of the table names functions, or files, of which one at least tries what the row says."""
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py")}
    defined = {name for text in files.values() for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)}
    (table,) = list_tables(ROOT / "SECURITY.md")
    for row in table[1:]:
        names = re.findall(r"`([^`]+)`", row[-1])
        assert names, f"no test of {row[0]}"
        assert set(names) <= defined | set(files), f"{row[0]}: {sorted(set(names) - defined - set(files))}"


def test_the_source_archive_has_every_page_of_the_root():
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"/*.md", "/LICENSE", "/CITATION.cff", "/docs"} <= set(included)
    for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "VISION"):
        assert (ROOT / f"{name}.md").is_file()
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_site_is_built_without_a_warning_and_reads_offline(tmp_path):
    """A broken link or anchor is a warning, and a warning an error; no page takes anything from a host."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in tmp_path.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//', text), page.name
    assert "<math" in (tmp_path / "model.html").read_text(encoding="utf-8")
