"""The memo: the same numbers in four formats, hostile text that stays text, templates, and nothing half written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from examples import CASE, format_claims
from program import call_here
from summaries import make_hostile

from sim.contract.summary import Exceedance
from sim.posterior.sample import draw_prior
from sim.posterior.summary import summarise
from sim.posterior.verdict import choose_ladder, fit_design
from sim.report.confidence import judge_confidence
from sim.report.memo import FORMATS, render_memo, write_memo
from sim.report.memo.asking import compose_asking
from sim.report.memo.blocks import Material, Points, Terms
from sim.report.memo.content import compose_memo
from sim.report.memo.page_one import judge_threshold
from sim.report.table import show_estimate, show_range
from sim.runs.run import run_case, write_run

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def read_text(path):
    """Return the visible text of a memo in any format, blanks joined."""
    if path.suffix == ".docx":
        import docx

        document = docx.Document(str(path))
        text = "\n".join(paragraph.text for paragraph in document.paragraphs)
        text += "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    elif path.suffix == ".pdf":
        if not shutil.which("pdftotext"):
            pytest.skip("pdftotext is missing: the text of the PDF is not compared")
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    else:
        text = path.read_text(encoding="utf-8").replace("\\", "")
        text = re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(text.split())


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_the_headline(form, kursk_run, kursk_folder, tmp_path):
    shutil.copytree(kursk_folder, tmp_path / "run")
    memo = compose_memo(kursk_run.result)
    (path,) = write_memo(memo, tmp_path / "run", [form])
    text = read_text(path)
    for entry in kursk_run.result.estimates:
        if entry.quantity in ("killed", "casualties"):
            assert f"{show_estimate(entry)} {entry.quantity} (" in text
            assert f"{show_range(entry)})" in text
    for section in memo.sections:
        assert section.title in text
    assert "Not identified" in text


def test_likelihood_and_confidence_are_never_in_one_sentence(kursk_run):
    memo = compose_memo(kursk_run.result)
    sentences = [
        sentence
        for block in memo.sections[0].blocks
        for text in _list_texts(block)
        for sentence in re.split(r"(?<=\.)\s", text)
    ]
    assert any("onfidence" in sentence for sentence in sentences)
    for sentence in sentences:
        assert not ("onfidence" in sentence and re.search(r"likely|chance|probability", sentence)), sentence


def _list_texts(block):
    if isinstance(block, Terms):
        return [text for _, text in block.items]
    return block.items if isinstance(block, Points) else [getattr(block, "text", "")]


def test_confidence_follows_its_rule(kursk_run):
    assert judge_confidence(kursk_run.result)[0] == "moderate"  # most of its uncertainty is bias
    estimates = tuple(replace(entry, bias_share=0.2) for entry in kursk_run.result.estimates)
    claims = tuple(replace(claim, standardised=0.1) for claim in kursk_run.result.claims)
    result = replace(kursk_run.result, estimates=estimates, claims=claims)
    assert judge_confidence(result)[0] == "high"
    assert judge_confidence(replace(result, trusted=False))[0] == "low"
    assert judge_confidence(replace(result, claims=()))[0] == "low"
    driven = replace(estimates[0], prior_share=0.9)
    assert judge_confidence(replace(result, estimates=(driven, *estimates[1:])))[0] == "low"


@pytest.fixture(scope="module")
def hostile(kursk_run, kursk_folder, tmp_path_factory):
    """Return the folder of memos in every format whose every text is hostile."""
    place = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(kursk_folder, place)

    write_memo(compose_memo(make_hostile(kursk_run.result)), place, FORMATS)
    return place


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_stays_text(form, hostile):
    path = hostile / f"memo.{form}"
    if form == "md":
        text = path.read_text(encoding="utf-8")
        assert "<script>" not in text
        assert "[a](" not in text
        assert "\n# h" not in text
    elif form == "html":
        text = path.read_text(encoding="utf-8")
        assert text.count("<script>") == 1  # ours
        assert "&lt;script&gt;" in text
        assert 'href="javascript' not in text
    elif form == "docx":
        with zipfile.ZipFile(path) as file:
            assert "&lt;script&gt;" in file.read("word/document.xml").decode()
        assert "#panic()" in read_text(path)
    else:
        assert "panic()" in read_text(path)  # typst did not run it


def test_an_institutions_templates_stand_for_ours(kursk_run, kursk_folder, tmp_path):
    shutil.copytree(kursk_folder, tmp_path / "run")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "memo.md.j2").write_text("HOUSE {{ memo.subject }}\n", encoding="utf-8")
    write_memo(compose_memo(kursk_run.result), tmp_path / "run", ["md"], tmp_path / "house")
    assert (tmp_path / "run" / "memo.md").read_text(encoding="utf-8") == f"HOUSE {kursk_run.result.title}\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("memo.md.j2", "{{ memo.nothing }}", "has no attribute"),
        ("memo.html.j2", "{% if %}", "line 1"),
        ("memo.md.j2", "{{ memo.__class__.__mro__ }}", "unsafe"),
        ("memo.typ.j2", "#nothing()", "unknown variable"),
        ("memo.typ.j2", '#set text(font: "No Such Font", fallback: false)\nx', "font"),
        ("memo.docx", "no zip", "fails"),
    ],
)
def test_a_template_that_fails_writes_nothing(name, text, told, kursk_folder, tmp_path):
    shutil.copytree(kursk_folder, tmp_path / "run")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / name).write_text(text, encoding="utf-8")
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    done = call_here("memo", tmp_path / "run", "--format", "md,html,docx,pdf", "--template", tmp_path / "house")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1
    assert told in done.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before


def test_bad_options_are_told_in_one_line(kursk_folder, tmp_path):
    for arguments, told in (
        (["--format", "odt"], "odt is not available"),
        (["--words", "x"], "x is not available"),
        (["--template", tmp_path / "none"], "is no folder"),
    ):
        done = call_here("memo", kursk_folder, *arguments)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 1)
        assert told in done.stderr


def test_a_newer_run_is_refused(kursk_folder, tmp_path):
    shutil.copytree(kursk_folder, tmp_path / "run")
    summary = tmp_path / "run" / "summary.json"
    content = json.loads(summary.read_text(encoding="utf-8"))
    for broken, told in (({**content, "schema": 2}, "schema"), ({**content, "variance": [{}]}, "damaged")):
        summary.write_text(json.dumps(broken), encoding="utf-8")
        done = call_here("memo", tmp_path / "run")
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 1)
        assert told in done.stderr


def test_the_words_of_other_scales(kursk_run):
    entry = Exceedance(force="x", quantity="killed", above=1000, probability=0.45, words="")
    assert judge_threshold(entry) == "There is a roughly even chance (45%) that more than 1,000 were killed"
    assert judge_threshold(entry, "phia") == "It is a realistic possibility (45%) that more than 1,000 were killed"
    assert "about as likely as not" in judge_threshold(replace(entry, quantity="tanks"), "ipcc")
    assert "IPCC" in render_memo(compose_memo(kursk_run.result, scale="ipcc"))


def test_compare_tells_what_changed_and_guards(tmp_path):
    """A claim added, and another changed, are named; the same case with another seed moves nothing beyond error."""
    (tmp_path / "case").mkdir()
    toml = (
        'schema = 1\nstart = 2024-01-01\nend = 2024-03-31\n[forces.x]\noutcomes = ["killed"]\n'
        '[sources.own]\nrole = "own"\n'
    )
    (tmp_path / "case" / "case.toml").write_text(toml, encoding="utf-8")
    rows = [{"id": "a", "value": 300}, {"id": "b", "value": 500, "as_of": "2024-02-01", "published": "2024-02-02"}]
    runs = []
    for seed, written in ((1, rows[:1]), (2, rows[:1]), (1, [{"id": "a", "value": 30_000}, rows[1]])):
        (tmp_path / "case" / "claims.csv").write_text(format_claims(written), encoding="utf-8")
        runs.append(write_run(run_case(tmp_path / "case", seed=seed), tmp_path / "results"))
    done = call_here("compare", runs[0], runs[1], "--json", "--max-shift", "0.5")
    assert done.returncode == 0, done.stderr
    same = json.loads(done.stdout)
    assert same["inputs"]["settings"]["seed"] == [1, 2]
    assert not any(entry["beyond_error"] for entry in same["headlines"])
    done = call_here("compare", runs[0], runs[2], "--max-shift", "0.5")
    assert done.returncode == 5
    assert "Claims new: b." in done.stdout
    assert "Claims changed: a." in done.stdout
    text = call_here("memo", runs[2], "--since", runs[0], "--quiet")
    assert text.returncode == 0, text.stderr
    assert "Change since the last memo" in (runs[2] / "memo.md").read_text(encoding="utf-8")
    summary = json.loads((runs[1] / "summary.json").read_text(encoding="utf-8"))
    summary["estimates"] = summary["estimates"][1:]
    (runs[1] / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert call_here("compare", runs[0], runs[1], "--max-shift", "9").returncode == 5  # not every count is in both
    done = call_here("compare", runs[0], tmp_path)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 1)


def test_every_claim_on_a_path_can_be_asked(kursk_run):
    """Those on single days and spells as bars, ranges as long as they are, and none hidden by another."""
    asking = compose_asking(Material(kursk_run.result))
    shown = {panel.name: panel for panel in asking.panels}
    (bar,) = shown["Deployed"].bars
    assert shown["Deployed"].most == "3,000"
    assert "1 January 2025 to 31 March 2025 alone" in bar.label.replace("\N{NO-BREAK SPACE}", " ")
    assert bar.width > 200  # of 566, for three of six months
    assert bar.y + bar.height < shown["Deployed"].height > shown["Killed"].height
    assert not shown["Killed"].bars
    ranges = [mark for mark in shown["Deployed"].marks if mark.shape == "range"]
    assert len(ranges) == 3
    assert all(mark.reach > 5 for mark in ranges)
    for panel in asking.panels:
        for one, other in combinations(panel.marks, 2):
            assert abs(one.x - other.x) > 10 or abs(one.y - other.y) > 10 + one.reach + other.reach


def test_relays_are_their_source(design):
    """Three outlets that relay one side are one source: confidence is low, and the memo names whose claim it is."""
    toml = CASE + "".join(f'[sources.m{n}]\nrole = "independent"\n' for n in (1, 2, 3))
    rows = [{"value": 6241 + n, "qualifier": "exact", "source": f"m{n}", "origin": "own"} for n in (1, 2, 3)]
    laid = design(rows, toml)
    draws, sample, verdict, _ = fit_design(laid, 1, choose_ladder(laid))
    result = summarise(sample, draw_prior(laid, 1), draws, verdict, 1)
    assert {claim.owner for claim in result.claims} == {"own"}
    assert judge_confidence(result)[0] == "low"
    memo = render_memo(compose_memo(result))
    assert "own, as relayed by m1" in memo
    assert "6,242" in memo  # what was said is not rounded


def test_what_was_asked_is_not_rounded():
    entry = Exceedance(force="x", quantity="killed", above=12_345, probability=0.5, words="")
    assert "more than 12,345 were killed" in judge_threshold(entry)


def test_why_a_claim_is_not_used_names_no_id_that_no_table_shows(kursk_run):
    """A row that repeats another says whose and what, not the other's id."""
    result = kursk_run.result
    repeats = [claim for claim in result.claims if (claim.why_not or "").startswith("repeats ")]
    told = render_memo(compose_memo(result)).split("## Annex: claims not used")[1].split("## Annex: provenance")[0]
    assert repeats
    for claim in repeats:
        assert f"| {claim.why_not} " not in told
    assert "repeats Unattributed estimates in the press: 10,000 to 12,000, 15 Dec 2024" in told.replace("\u00a0", " ")
