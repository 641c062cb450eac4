"""What a stranger's folder, template or draws could reach: nothing outside, and no more time or memory than is said.

Each breach that was found from outside is tried here by its kind; `tests/test_fuzz.py` breaks files at random.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fuzzing import run_here
from program import call
from strangers import SOON, WORDS, accept, harm_folder, lay_modules, make_sparse, refuse, replace_by_link

from sim.case.folder import find_case
from sim.cli.start import OBEYED
from sim.errors import InputError
from sim.report.memo.pages import guard_page
from sim.system import confinement
from sim.system.children import make_environment, order_python

ROOT = Path(__file__).parents[1]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system's limits are those of Linux")


@pytest.fixture
def run(kursk_folder, tmp_path):
    """Return a copy of a finished run, to do harm to."""
    return Path(shutil.copytree(kursk_folder, tmp_path / "run"))


@pytest.fixture
def secret(tmp_path):
    """Return a file of the user's that no stranger's file may lead to; it must be as it was."""
    path = tmp_path / "mine" / "secret.png"
    path.parent.mkdir()
    path.write_text(WORDS, encoding="utf-8")
    yield path
    assert path.read_text(encoding="utf-8") == WORDS
    assert [each.name for each in path.parent.iterdir()] == ["secret.png"]


@pytest.fixture
def case(tmp_path):
    """Return a copy of the shipped case."""
    return Path(shutil.copytree(find_case("kursk"), tmp_path / "case"))


# --- The working folder ---


def test_no_module_in_the_working_folder_is_run(tmp_path):
    """Python would look there first for each module of a process that it starts, be it ours or a library's.

    Here by the workers of a study; by a run and what it draws in `tests/cli/test_cli.py`.
    """
    case = Path(shutil.copytree(ROOT / "tests" / "cases" / "one-day", tmp_path / "case"))
    list_run = lay_modules(case, tmp_path / "marks")
    done = call("sbc", ".", "--n", "2", "--jobs", "2", "--quiet", "--results", tmp_path / "results", cwd=case)
    assert done.returncode in (0, 4), done.stderr
    assert list_run() == []


def test_a_process_that_is_started_finds_no_module_in_the_working_folder(tmp_path, monkeypatch):
    """Be it started from Python, where nobody has told all processes so."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    (tmp_path / "trap.py").touch()
    order = order_python("-c", "import sim, trap")
    done = subprocess.run(order, cwd=tmp_path, env=make_environment(), capture_output=True, text=True, check=False)
    assert "No module named 'trap'" in done.stderr


def test_processes_are_started_by_one_function_alone():
    """Which leaves the working folder out: `-c` and `-m` would put it first."""
    named = [path.name for path in (ROOT / "sim").rglob("*.py") if "sys.executable" in path.read_text("utf-8")]
    assert named == ["children.py"]


@pytest.mark.parametrize("name", OBEYED)
def test_what_libraries_obey_is_not_taken_from_the_working_folder(name, tmp_path):
    """A trace is written where numba's file says, and Matplotlib's has text set by TeX."""
    (tmp_path / name).write_text(f"chrome_trace: {tmp_path}/trace\n", encoding="utf-8")
    done = call("priors", "list", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    told = "lies in the working folder, and libraries obey it; work in another folder, or move it away"
    assert done.stderr == f"{name}: {told}\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


# --- Run folders ---

FORMATS = "md,html,docx,pdf"


@pytest.mark.parametrize("form", FORMATS.split(","))
def test_a_linked_figure_is_not_embedded(form, run, secret):
    replace_by_link(run / "figures" / "page-one.png", secret)
    refuse("it is a link", "memo", run, "--format", form)


def test_figures_may_be_no_link(run, secret):
    shutil.copytree(run / "figures", secret.parent.parent / "others")
    replace_by_link(run / "figures", secret.parent.parent / "others")
    refuse("it is a link", "memo", run, "--format", "html")
    refuse("is a link", "plot", run)


@pytest.mark.parametrize("content", [WORDS.encode(), b"\x89PNG\r\n\x1a\n" + b"x" * 100])
def test_what_is_embedded_is_a_picture(content, run):
    (run / "figures" / "page-one.png").write_bytes(content)
    refuse("is no readable image", "memo", run, "--format", "html")


def test_a_picture_is_one_to_the_last_byte(run):
    path = run / "figures" / "page-one.png"
    path.write_bytes(path.read_bytes() + WORDS.encode())
    refuse("something follows it", "memo", run, "--format", "html")


@pytest.mark.parametrize("name", ["summary.json", "manifest.json", "unknowns.npy", "inputs/claims.csv", "inputs"])
def test_no_file_of_a_run_is_read_through_a_link(name, run, secret):
    shutil.copytree(run, secret.parent.parent / "other")
    replace_by_link(run / name, secret.parent.parent / "other" / name)
    words = {"summary.json": ["memo", run], "manifest.json": ["memo", run]}
    words["unknowns.npy"] = ["simulate", "kursk", "--n", "5", "--run", run]
    refuse("it is a link", *words.get(name, ["run", "--verify", run]))


@pytest.mark.parametrize(
    "name", ["summary.json", "manifest.json", "unknowns.npy", "figures/page-one.png", "inputs/claims.csv"]
)
def test_a_sparse_file_is_refused_before_it_is_read(name, run):
    make_sparse(run / name)
    words = {"unknowns.npy": ["simulate", "kursk", "--n", "5", "--run", run]}
    words["inputs/claims.csv"] = ["run", "--verify", run]
    before = time.perf_counter()
    refuse("is larger than", *words.get(name, ["memo", run, "--format", "html"]))
    assert time.perf_counter() - before < SOON


@pytest.mark.parametrize("known", [{}, {"claims.csv": ""}, {"case.toml": "", "claims.csv": "", "a/b.toml": ""}])
def test_a_run_stands_on_its_inputs(known, run):
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps({**manifest, "inputs": known}), encoding="utf-8")
    refuse("does not name the run's files", "run", "--verify", run)


def _put_draws(run, content):
    """Put draws into a run's folder, whose manifest knows them, as whoever makes the folder can."""
    (run / "unknowns.npy").write_bytes(content)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["outputs"]["unknowns.npy"] = hashlib.sha256(content).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _make_draws(run):
    """Return draws that are none, by what is amiss."""
    whole = (run / "unknowns.npy").read_bytes()
    rows = np.load(run / "unknowns.npy").shape[0]
    yield "nothing", b""
    yield "no header", whole[128:]
    yield "a row short", whole[:-8]
    yield "a shape of terabytes", whole.replace(f"({rows},".encode(), b"(10000000000,", 1)
    yield "an object to unpickle", whole.replace(b"'<f8'", b"'|O' ", 1)
    yield "a number that is none", whole[:-8] + np.array(np.nan).tobytes()
    yield "a header without end", whole[:8] + b"\xff\xff" + whole[10:]
    yield "HDF5", (run / "posterior.nc").read_bytes()


def test_draws_are_a_table_and_nothing_else(run):
    for what, content in list(_make_draws(run)):
        _put_draws(run, content)
        before = time.perf_counter()
        refuse("has no draws", "simulate", "kursk", "--n", "5", "--run", run)
        assert time.perf_counter() - before < SOON, what


def test_hdf5_is_written_and_never_read(run):
    """Whatever its links, loops and sizes could do, they do it to nobody here."""
    (run / "posterior.nc").unlink()
    os.mkfifo(run / "posterior.nc")
    accept("simulate", "kursk", "--n", "5", "--run", run)


# --- Cases ---


@pytest.mark.parametrize("name", ["/etc/x.toml", "../mine/secret.toml", "a/../../mine/secret.toml", "..\\x.toml"])
def test_a_case_names_priors_in_its_own_folder(name, case, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "secret.toml").write_text(f'schema = 1\nnote = "{WORDS}"\n', encoding="utf-8")
    text = (case / "case.toml").read_text(encoding="utf-8")
    (case / "case.toml").write_text(text.replace('prior  = "default"', f"prior = '{name}'"), encoding="utf-8")
    for words in (["check", f"{case}/"], ["run", f"{case}/", "--results", tmp_path / "results"]):
        refuse("case.toml, prior" if "\\" not in name else "is missing", *words)
    # Who runs it may name a set of their own, wherever that lies.
    accept("simulate", f"{case}/", "--n", "5", "--prior", tmp_path / "mine" / "secret.toml")


@pytest.mark.parametrize("name", ["case.toml", "claims.csv", "set.toml"])
def test_no_file_of_a_case_is_read_through_a_link(name, case, tmp_path):
    shutil.copy(find_case("kursk").parents[2] / "priors" / "flat.toml", case / "set.toml")
    text = (case / "case.toml").read_text(encoding="utf-8")
    (case / "case.toml").write_text(text.replace('prior  = "default"', 'prior = "set.toml"'), encoding="utf-8")
    accept("check", f"{case}/")
    shutil.copytree(case, tmp_path / "other")
    replace_by_link(case / name, tmp_path / "other" / name)
    refuse("it is a link", "check", f"{case}/")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("seed", range(12))
def test_folders_that_were_harmed_leak_nothing(seed, run, case, secret):
    """Links, pipes, folders and sparse files in the places of others, at random: whatever a command makes of them."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    for _ in range(rng.choice((1, 1, 2))):
        harm_folder(run, rng, secret)
        harm_folder(case, rng, secret)
    for words in (
        ["memo", run, "--format", "md,html,docx"],
        ["compare", run, run],
        ["simulate", "kursk", "--n", "5", "--run", run],
        ["check", f"{case}/"],
        ["priors", "show", f"{case}/case.toml"],
    ):
        _, out, told = run_here([*map(str, words)])
        assert WORDS not in out + told
    for path in run.glob("memo.*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            assert WORDS.encode() not in content
            assert base64.b64encode(WORDS.encode()) not in content


# --- Templates ---

BOMBS = {
    "nested ranges": ("memo.md.j2", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
    "powers": ("memo.md.j2", "{{ 9 ** (9 ** 9) }}"),
    "lipsum": ("memo.md.j2", "{{ lipsum(n=10 ** 9) }}"),
    "a long text": ("memo.md.j2", "{{ 'x' * 10 ** 10 }}"),
    "much text": ("memo.md.j2", "{% for a in range(99999) %}{{ 'x' * 10 ** 6 }}{% endfor %}"),
    "recursion": ("memo.md.j2", "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"),
    "itself": ("memo.md.j2", "{% include 'memo.md.j2' %}"),
    "brackets": ("memo.md.j2", "{{ " + "(" * 400 + "1" + ")" * 400 + " }}"),
    "many brackets": ("memo.html.j2", "{{ " + "[" * 50_000 + "]" * 50_000 + " }}"),
    "a loop": ("memo.typ.j2", "#{ let n = 0; while true { n += 1; if n > 9000 { n = 0 } } }"),
    "a range": ("memo.typ.j2", "#range(100000000).map(n => range(n)).len()"),
    "typst's recursion": ("memo.typ.j2", "#let f(n) = f(n + 1)\n#f(0)"),
    "typst's brackets": ("memo.typ.j2", "#" + "(" * 40_000 + "1" + ")" * 40_000),
    "typst's text": ("memo.typ.j2", '#("x" * 10000000000)'),
}


@pytest.fixture
def impatient(monkeypatch):
    """Return a function that gives a confined process two seconds of the processor, where it has twenty."""
    import resource

    def hurry():
        resource.setrlimit(resource.RLIMIT_CPU, (2, 2))

    hurried = SimpleNamespace(**{**vars(subprocess), "Popen": partial(subprocess.Popen, preexec_fn=hurry)})
    return lambda: monkeypatch.setattr(confinement, "subprocess", hurried)


@linux
def test_a_confined_process_has_the_limits_that_are_said(monkeypatch, tmp_path):
    (tmp_path / "tell_limits.py").write_text(
        "import json, resource\n"
        "from sim.system.confinement import serve\n"
        "serve(lambda asked: json.dumps([resource.getrlimit(each)[0] for each in json.loads(asked)]).encode())\n",
        encoding="utf-8",
    )
    import resource

    known = {
        resource.RLIMIT_CPU: confinement.MAX_SECONDS,
        resource.RLIMIT_AS: confinement.MAX_MEMORY,
        resource.RLIMIT_FSIZE: 0,
    }
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = confinement.run_confined("tell_limits", json.dumps([*known]).encode(), tmp_path, "a file", "mend it")
    assert json.loads(told) == [*known.values()]


@linux
@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_explodes_is_told_in_one_line(name, run, full, impatient, tmp_path):
    """They have all the time that they may take with `make test-full`."""
    if not full:
        impatient()
    file, text = BOMBS[name]
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / file).write_text(text, encoding="utf-8")
    form = {"md": "md", "html": "html", "typ": "pdf"}[file.split(".")[1]]
    before = (run / "memo.md").read_bytes()
    refuse(file, "memo", run, "--format", form, "--template", tmp_path / "house")
    assert (run / "memo.md").read_bytes() == before


REACHES = {
    "write": ("memo.md.j2", "{{ (figures / 'SECRET').write_text('owned') }}"),
    "read": ("memo.md.j2", "{{ (figures / 'SECRET').read_text() }}"),
    "unlink": ("memo.md.j2", "{{ figures.parent.unlink() }}"),
    "list": ("memo.md.j2", "{{ figures.iterdir() | list }}"),
    "a filter": ("memo.html.j2", "{{ 'SECRET' | data }}"),
    "another's template": ("memo.md.j2", "{% include 'SECRET' %}"),
    "a template above": ("memo.md.j2", "{% include '../mine/secret.png' %}"),
    "attributes": ("memo.md.j2", "{{ memo.items.__self__.__class__.__base__.__subclasses__() }}"),
    "a method of a filter": ("memo.md.j2", "{{ memo | attr('__class__') }}"),
    "typst's read": ("memo.typ.j2", '#read("SECRET")'),
    "typst's read above": ("memo.typ.j2", '#read("../../../../../../../../SECRET")'),
    "typst's include": ("memo.typ.j2", '#include "SECRET"'),
    "typst's picture": ("memo.typ.j2", '#image("SECRET")'),
    "typst's package": ("memo.typ.j2", '#import "@preview/cetz:0.3.4"'),
    "a package by another name": ("memo.typ.j2", '#let n = "@pre" + "view/cetz:0.3.4"\n#import n'),
    "a local package": ("memo.typ.j2", '#import "@local/x:0.1.0"'),
}


@pytest.mark.parametrize("name", REACHES)
def test_a_template_reaches_nothing(name, run, secret, tmp_path):
    file, text = REACHES[name]
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / file).write_text(text.replace("SECRET", str(secret)), encoding="utf-8")
    form = {"md": "md", "html": "html", "typ": "pdf"}[file.split(".")[1]]
    refuse(file, "memo", run, "--format", form, "--template", tmp_path / "house")


def test_typst_reads_nothing_through_the_figures(run, tmp_path):
    """Only the pictures that a memo shows are there; not even the data beside them."""
    (tmp_path / "house").mkdir()
    for name in ("claims.csv", "../summary.json"):
        (tmp_path / "house" / "memo.typ.j2").write_text(f'#read("figures/{name}")', encoding="utf-8")
        refuse("memo.typ.j2", "memo", run, "--format", "pdf", "--template", tmp_path / "house")
    (tmp_path / "house" / "memo.typ.j2").write_text('#image("figures/page-one.png")', encoding="utf-8")
    accept("memo", run, "--format", "pdf", "--template", tmp_path / "house")


def test_a_linked_template_is_not_read(run, secret, tmp_path):
    (tmp_path / "house").mkdir()
    for name, form in (("memo.md.j2", "md"), ("memo.docx", "docx")):
        (tmp_path / "house" / name).symlink_to(secret)
        refuse("it is a link", "memo", run, "--format", form, "--template", tmp_path / "house")


def test_templates_in_a_runs_folder_are_not_picked_up(run, monkeypatch):
    (run / "memo.md.j2").write_text("owned", encoding="utf-8")
    (run / "templates").mkdir()
    (run / "templates" / "memo.md.j2").write_text("owned", encoding="utf-8")
    monkeypatch.chdir(run)
    accept("memo", run)
    assert "owned" not in (run / "memo.md").read_text(encoding="utf-8")


def test_a_users_template_asks_the_network_for_nothing(run, tmp_path):
    """Its page stands under a policy that comes before all it says; and ours still sorts its tables."""
    (tmp_path / "house").mkdir()
    template = tmp_path / "house" / "memo.html.j2"
    template.write_text('<!doctype html><script src="https://x.org/x.js"></script>{{ memo.title }}', encoding="utf-8")
    accept("memo", run, "--format", "html", "--template", template.parent)
    page = (run / "memo.html").read_text(encoding="utf-8")
    assert page.startswith(
        '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\''
    )
    assert "script-src 'sha256-" in page
    refresh = '<META HTTP-EQUIV=" re&#102;resh" content="0;https://x.org">'
    template.write_text(refresh, encoding="utf-8")
    refuse("memo.html.j2", "memo", run, "--format", "html", "--template", template.parent)
    for text in (
        refresh,
        f"<svg><style>{refresh}</style></svg>",  # which is text to a parser, and an element to a browser
        f"<!-->{refresh}-->",
        f"<!-- --!>{refresh}-->",
        f"<![CDATA[>{refresh}]]>",
        f'<p title="<meta name=">{refresh}">',
        "<meta content='>' http-equiv=refresh>",
        "<meta/http-equiv=refresh content=0;//x.org>",
        '<meta charset="iso-2022-jp">',  # in which escapes hide what is written
        '<link rel=preconnect href="//x.org">',
        "<svg><style><LINK/rel=preconnect href=//x.org></style></svg>",
        '<iframe src="//x.org"></iframe>',  # whose host is called before the policy forbids to show it
        "<html><frameset cols=*><FRAME/src=//x.org></frameset></html>",
        "<svg><foreignObject><iframe src=//x.org></iframe></foreignObject></svg>",
        '<object data="//x.org"></object>',
    ):
        with pytest.raises(InputError, match=r"memo\.html\.j2"):
            guard_page(text)
    for text in ('<meta name="viewport" content="width=device-width">', "<p>&lt;meta http-equiv=refresh&gt;</p>"):
        assert guard_page(f"<title>x</title>{text}").endswith(f"<title>x</title>{text}")
