"""Hostile and broken input: taken, refused in a line for each fault, or not to be trusted; soon, and within memory."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from fuzzing import check_contract, hold_to_contract, list_doors, run_here, try_input
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutators import mutate

from sim.case.folder import find_case
from sim.system.reading import MAX_ROWS

PROGRAM = Path(sys.executable).parent / "truetoll"
SHORT = 4  # of so many tries one is made in `make test`; all of them with `make test-full`
EXAMPLES = {
    "case": 400, "claims": 400, "priors": 250, "record": 200, "truths": 300, "memo": 500, "compare": 300,
    "manifest": 100, "report": 200, "plot": 10, "draws": 10, "figure": 30, "store": 200, "template-md": 8,
    "template-pdf": 8, "template-docx": 4, "economist": 200, "radford": 200, "ucdp": 200, "xlsx": 200, "ods": 200,
    "separated": 300, "map": 200, "table": 300, "guess": 100, "text": 200, "page": 100, "pdf": 200, "drafts": 100,
    "drafted": 200, "since": 200, "kept-case": 100, "kept-claims": 100, "kept-priors": 100, "verified": 200,
    "sources": 200, "sites": 200, "curve": 200, "template-html": 8,
}  # fmt: skip
CONFINED = ("pdf", "xlsx", "ods", "page")  # each try starts a process: one in SHORT of what the others have
HEADER = "id,source,quantity,published,value,origin,statement\n"


@pytest.fixture(scope="module")
def run(kursk_folder):
    """Return the folder of a finished run of the shipped case."""
    return kursk_folder


@pytest.fixture
def case(tmp_path):
    """Return a copy of the shipped case."""
    return Path(shutil.copytree(find_case("kursk"), tmp_path / "case"))


def call(*arguments):
    """Run a command in this process, which must not wait for anything."""
    words = [*map(str, arguments)]
    with ended_after(60):
        return subprocess.CompletedProcess(words, *run_here(words))


@contextmanager
def ended_after(seconds):
    """End what waits for so long, by an exception that no command catches, where the system has such an alarm."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def end(*_):
        pytest.fail(f"takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(folder):
    """Hold `truetoll check` to the contract; return its exit status."""
    return hold_to_contract(["check", f"{folder}/"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_broken_files_are_taken_or_refused(name, run, full, tmp_path):
    door = list_doors(run)[name]
    door.lay(tmp_path)
    whole = (tmp_path / door.file).read_bytes()
    assert try_input(door, whole, tmp_path) == 0

    share = 1 if full else SHORT**2 if name in CONFINED else SHORT

    @settings(
        max_examples=-(-EXAMPLES[name] // share),
        deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck,
    )  # fmt: skip
    @given(st.integers(0, 2**32 - 1))
    def try_one(seed):
        try_input(door, mutate(whole, random.Random(seed), Path(door.file).suffix), tmp_path)  # noqa: S311 - not a secret

    try_one()


TOML = {
    "a bomb of powers": ('"casualties / deployed"', '"9**9**9**9 * casualties"', 0),
    "deep brackets": ('"casualties / deployed"', f'"{"(" * 400}1{")" * 400}"', 3),
    "deep lists": ("schema = 1", f"schema = {'[' * 100_000}", 3),
    "deep tables": ("schema = 1", f"schema = 1\nx = {'{a=' * 60}1{'}' * 60}", 3),
    "a key of many parts": ("schema = 1", f"schema = 1\n{'a.' * 200_000}a = 1", 3),
    "a number of many digits": ("schema = 1", f"schema = {'9' * 10_000}", 3),
    "a number beyond floats": ("bin_days = 7", "bin_days = 1e400", 3),
    "a key twice": ("schema = 1", "schema = 1\nschema = 1", 3),
    "an escape for a terminal": ("title  = ", 'note = "\\u001b[2J"\ntitle = ', 3),
    "the first year": ("start  = 2024-11-01", "start = 0001-01-01", 3),
    "the last year": ("start  = 2024-11-01", "start = 9999-12-31", 3),
    "a wave without end": ("to = 2024-12-15", "to = 2499-12-15", 3),
    "an infinite prior": ("lower = 1800", "lower = -inf", 3),
    "a prior out of proportion": (
        "bin_days = 7",
        'bin_days = 7\npriors.lull = { dist = "HalfNormal", sigma = 1e308 }',
        3,
    ),
    "a negative deviation": ("bin_days = 7", 'bin_days = 7\npriors.lull = { dist = "HalfNormal", sigma = -1 }', 3),
    "a path that is none": ('prior  = "default"', 'prior = "a/\\u0000b"', 3),
    "a path too long": ('prior  = "default"', f'prior = "{"a" * 300}/b"', 3),
    "a force with a slash": ("[forces.dprk]", '[forces."../../dprk"]', 3),
    "a long title": ("title  = ", f'title = "{"x" * 900_000}" #', 3),
}


@pytest.mark.parametrize("name", TOML)
def test_a_hostile_case_is_told(name, case):
    was, now, status = TOML[name]
    text = (case / "case.toml").read_text(encoding="utf-8")
    assert was in text, f"the shipped case has no {was!r} to change"
    (case / "case.toml").write_text(text.replace(was, now), encoding="utf-8")
    assert check(case) == status


CSV = {
    "a cell too long": HEADER + f"a,nis,killed,2025-01-01,{'9' * 200_000},,\n",
    "a quote left open": HEADER + '"' * 300_001,
    "semicolons": HEADER.replace(",", ";") + "a;nis;killed;2025-01-01;5;;\n",
    "a decimal comma": HEADER + 'a,nis,killed,2025-01-01,"1,5",,\n',
    "a spreadsheet's day": HEADER + "a,nis,killed,31.1.2025,5,,\nb,nis,killed,45688,5,,\n",
    "a NUL byte": HEADER + "a,nis,killed,2025-01-01,5\0,,\n",
    "an escape for a terminal": HEADER + "\x1b]0;x\x07,nis,killed,2025-01-01,5,,\n",
    "wide digits": HEADER + "a,nis,killed,2025-01-01,\uff15,,\n",
    "numbers that are none": HEADER + "".join(f"a{x},nis,killed,2025-01-01,{x},,\n" for x in ("nan", "inf", "1e400")),
    "the last year": HEADER + "a,nis,killed,9999-12-31,5,,\n",
    "a path for an id": HEADER + "../../a,nis,killed,2025-01-01,5,,\n",
    "text to the right": HEADER + "\u202ea,nis,killed,2025-01-01,5,,\n",
    "nothing but commas": "," * 100_000,
    "a breath of thousands": HEADER + "".join(f"a{n},nis,killed,2025-01-01,5,,s\n" for n in range(3_000)),
    "a circle of thousands": HEADER
    + "".join(f"a{n},nis,killed,2025-01-01,5,a{(n + 1) % 9_000},\n" for n in range(9_000)),
}


@pytest.mark.parametrize("name", CSV)
def test_hostile_claims_are_refused(name, case):
    (case / "claims.csv").write_text(CSV[name], encoding="utf-8", newline="")
    assert check(case) == 3


def test_marks_that_spreadsheets_leave_are_taken(case):
    """A byte-order mark, and lines that end as on Windows or on old Macs."""
    whole = (case / "claims.csv").read_text(encoding="utf-8")
    for ending in ("\r\n", "\r"):
        (case / "claims.csv").write_text("\ufeff" + whole.replace("\n", ending), encoding="utf-8", newline="")
        assert check(case) == 0


def test_what_turns_text_is_written_out(case):
    """A mark that turns the direction of text may stand in a note; the terminal is shown its number."""
    whole = (case / "claims.csv").read_text(encoding="utf-8")
    (case / "claims.csv").write_text(whole.replace("labourers, not troops", "not\u202etroops\u2028x"), encoding="utf-8")
    done = call("check", f"{case}/")
    assert done.returncode == 0
    assert "not\\u202etroops" in done.stdout


def test_a_folder_may_be_named_in_any_bytes(case):
    for name in (b"caf\xe9", b"a\x1b[2J", "\u202eb".encode(), b"-rf"):
        other = Path(os.fsdecode(os.fsencode(case.parent) + b"/" + name))
        shutil.copytree(case, other)
        done = subprocess.run([PROGRAM, "check", f"{other}/", "--json"], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout)["claims"] == 36


# Names that shells, terminals, file systems and pages trip over; of Windows' own, and too long ones, too.
NAMES = (
    "-rf", "a\nb", "a\rb", "\u202eabc", "\U0001f4a3", "e\u0301" * 20, "x" * 255, "y" * 5_000, "CON", "nul.md", " ", "~",
    "$(id)", "a;b", "a\x1b[2J", "caf\udce9", "'\"", "%s%n", "{}", "#", "?q", "<img>", "=1+1", "|x", "*", "\u2028",
    "con:x",
)  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_of_a_run_or_of_a_file_is_taken_or_told(name, run, tmp_path, monkeypatch):
    """And a memo and a case that are written under it lie where it says, and nowhere else."""
    monkeypatch.chdir(tmp_path)
    other = Path("run") if len(name) > 200 else Path(f"run-{name}")
    shutil.copytree(run, other)
    before = {path.name for path in tmp_path.iterdir()}
    for words, made in (
        (["memo", "--out", f"{name}.html", "--", str(other)], f"{name}.html"),
        (["new", "--", f"new-{name}"], f"new-{name}"),
        (["compare", "--json", "--", str(run), f"run-{name}"], None),
        (["priors", "show", "--", f"{name}.toml"], None),
    ):
        status = hold_to_contract(words)
        if made and status == 0:
            before.add(made)
        assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_what_is_no_plain_file_is_not_waited_for(case, run, tmp_path):
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for other in (pipe, loop, Path("/dev/zero"), tmp_path):
        folder = Path(shutil.copytree(case, tmp_path / f"{other.name}-case"))
        (folder / "claims.csv").unlink()
        (folder / "claims.csv").symlink_to(other)
        assert call("check", f"{folder}/").returncode == 3
        folder = Path(shutil.copytree(run, tmp_path / f"{other.name}-run"))
        (folder / "summary.json").unlink()
        (folder / "summary.json").symlink_to(other)
        assert call("memo", folder).returncode == 3
    assert call("import", "ucdp", pipe, tmp_path / "made").returncode == 3
    (case / "case.toml").unlink()
    (case / "case.toml").symlink_to(pipe)
    assert call("check", f"{case}/").returncode == 3
    for name, words in (("manifest.json", ("memo",)), ("unknowns.npy", ("simulate", "kursk", "--run"))):
        folder = Path(shutil.copytree(run, tmp_path / f"run-{name}"))
        (folder / name).unlink()
        (folder / name).symlink_to(pipe)
        assert call(*words, folder).returncode == 3


def _measure(folder, *arguments):
    """Return status, and the most memory in MB that the program took; a minute is enough on any machine."""
    script = (
        "import re, sim.cli.app\n"
        "try: sim.cli.app.main()\n"
        "finally:\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "    open('used', 'w').write(peak)\n"
    )
    words = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=60, check=False)
    check_contract(done.returncode, done.stdout, done.stderr)
    return done.returncode, int((folder / "used").read_text(encoding="utf-8")) / 1000


def _write_rows(case, count):
    rows = (f"a{n},nis,killed,2025-{n % 3 + 1:02}-{n % 28 + 1:02},{n * 7_919 % 99_991 + 1},,\n" for n in range(count))
    (case / "claims.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    text = (case / "case.toml").read_text(encoding="utf-8")
    (case / "case.toml").write_text("\n".join(x for x in text.splitlines() if "lulls" not in x), encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read where Linux tells it")
@pytest.mark.parametrize(("count", "status"), [(1_000_000, 3), (MAX_ROWS, 0)])
def test_as_many_rows_as_there_may_be_take_little_memory(count, status, case, full):
    """Of those that are taken one in SHORT is made in `make test`, in memory that shrinks with them."""
    share = 1 if full or status else SHORT
    _write_rows(case, count // share)
    found, memory = _measure(case, "check", "./")
    assert found == status
    assert memory < 100 + 400 / share


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read where Linux tells it")
@pytest.mark.parametrize(
    "text", ["[" + "[]," * 3_300_000 + "[]]", "[" * 10_000_000, '{"schema": ' + "1" * 9_000_000 + "}"]
)
def test_ten_megabytes_of_a_run_take_little_memory(text, run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "summary.json").write_text(text, encoding="utf-8")
    status, memory = _measure(tmp_path, "memo", "./run")
    assert status == 3
    assert memory < 500


@pytest.mark.parametrize(("name", "size"), [("case.toml", 2_000_000), ("claims.csv", 60_000_000)])
def test_a_file_beyond_its_limit_is_refused(name, size, case):
    (case / name).write_bytes(b"#" * size)
    assert "is larger than" in call("check", f"{case}/").stderr


def _edit(run, tmp_path, change):
    folder = Path(shutil.copytree(run, tmp_path / "edited"))
    result = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    change(result)
    (folder / "summary.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def test_a_force_cannot_lead_out_of_the_folder(run, tmp_path):
    """Figures are named after forces, where there are several."""

    def change(result):
        result["forces"].append({"force": "../../../out", "label": "x"})

    assert call("plot", _edit(run, tmp_path, change)).returncode == 3
    assert not list(tmp_path.rglob("*out*"))


def test_a_link_among_the_figures_is_not_written_through(run, tmp_path):
    folder, kept = Path(shutil.copytree(run, tmp_path / "edited")), tmp_path / "kept"
    kept.write_text("mine", encoding="utf-8")
    (folder / "figures" / "claims.svg").unlink()
    (folder / "figures" / "claims.svg").symlink_to(kept)
    (folder / "figures" / "claims.csv").unlink()
    (folder / "figures" / "claims.csv").symlink_to(kept)
    assert call("plot", folder, "--format", "svg").returncode == 0
    assert kept.read_text(encoding="utf-8") == "mine"
    shutil.rmtree(folder / "figures")
    (folder / "figures").symlink_to(tmp_path)
    assert call("plot", folder).returncode == 3


def test_a_place_that_is_taken_is_told(run, tmp_path):
    folder, file = Path(shutil.copytree(run, tmp_path / "edited")), tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    (folder / "memo.md").unlink()
    (folder / "memo.md").mkdir()
    assert call("memo", folder).returncode == 3
    shutil.rmtree(folder / "figures")
    (folder / "figures").write_text("mine", encoding="utf-8")
    assert call("plot", folder).returncode == 3
    for words in (("new", file), ("new", file / "x"), ("sbc", "kursk", "--n", 1, "--jobs", 1, "--results", file)):
        assert call(*words).returncode == 3
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_picture_that_is_none_is_told(run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "edited"))
    (folder / "figures" / "page-one.png").write_text("none", encoding="utf-8")
    for form in ("docx", "pdf"):
        assert call("memo", folder, "--format", form).returncode == 3


def test_a_memo_of_thousands_of_claims_is_cut_for_paper(run, tmp_path):
    def change(result):
        used = next(claim for claim in result["claims"] if claim["used"])
        result["claims"] += [{**used, "id": f"more-{n}", "note": "x" * 20} for n in range(1_500)]

    folder = _edit(run, tmp_path, change)
    assert call("memo", folder, "--format", "md,docx").returncode == 0
    import docx

    page = docx.Document(str(folder / "memo.docx"))
    assert any("the first 1000 of 1514" in paragraph.text for paragraph in page.paragraphs)
    assert "the first 1000" not in (folder / "memo.md").read_text(encoding="utf-8")


def test_draws_are_those_that_the_run_wrote(run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "edited"))
    with (folder / "unknowns.npy").open("ab") as file:
        file.write(b"x")
    done = call("simulate", "kursk", "--n", 5, "--run", folder)
    assert done.returncode == 3
    assert "is not the file that manifest.json tells of" in done.stderr
