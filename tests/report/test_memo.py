"""The memo: the same numbers in four formats, hostile text that stays text, templates, and nothing half written."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from threading import Thread

import pytest
from examples import CASE, format_claims
from fuzzing import make_report
from program import call_here
from summaries import edit_result

from sim.contract.check import dump_record, parse_sensitivity
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
from sim.report.robustness import find_base, lead_scenario, show_scenario
from sim.report.table import show_estimate, show_range
from sim.runs.run import run_case, write_run

HOSTILE = "<script>document.title='hit'</script>|**x**\n# h [a](javascript:1) #panic() $x$ \\[ =cmd|' /C calc'!A0"
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

    def change(data):
        data["title"] = HOSTILE
        for claim in data["claims"]:
            claim |= {"phrase": HOSTILE, "report": HOSTILE, "note": HOSTILE, "url": "javascript:alert(1)"}
        for source in data["sources"]:
            source["label"] = HOSTILE

    write_memo(compose_memo(edit_result(kursk_run.result, change)), place, FORMATS)
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


PROBE = """<script>
const table = document.querySelector("table"), buttons = table.querySelectorAll("th button");
const read = place => [...table.tBodies[0].rows].map(row => row.cells[place].textContent).join(";");
const found = [read(1)];
for (const times of [1, 2]) { buttons[1].click(); found.push(read(1)); }
document.title = "sorted " + JSON.stringify(found);
</script></body>"""


def open_page(page, profile):
    """Open a page in headless Chromium; return the process, whose output is the page as it stands then."""
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: the page is not tried in a browser")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
               "--enable-logging=stderr", f"--user-data-dir={profile}"]  # fmt: skip
    return subprocess.run(
        [CHROMIUM, *options, "--virtual-time-budget=20000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def run_scripts(text, tmp_path):
    """Return the title and the log of a page after its scripts have run in headless Chromium."""
    page = tmp_path / "memo.html"
    page.write_text(text, encoding="utf-8")
    done = open_page(page, tmp_path / "profile")
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stdout[:300]
    return html.unescape(title[1]), done.stderr


@pytest.mark.browser
def test_the_page_works_in_a_browser(hostile, tmp_path):
    """In headless Chromium: no error in the console, no script of a claim's, no request, and a column that sorts."""
    text = (hostile / "memo.html").read_text(encoding="utf-8").replace("</body>", PROBE)
    title, log = run_scripts(text, tmp_path)
    assert "CONSOLE" not in log, log
    assert title.startswith("sorted "), title
    before, up, down = json.loads(title.removeprefix("sorted "))
    numbers = [[float(cell.replace(",", "")) for cell in text.split(";")] for text in (before, up, down)]
    assert numbers[1] == sorted(numbers[0])
    assert numbers[2] == sorted(numbers[0], reverse=True)
    assert numbers[1] != numbers[2]


WILD = """<!doctype html><html><head><title>{{ memo.title }}</title>
<style>@import url("HOST/style"); body { background: url("HOST/background") }</style>
<script src="HOST/script"></script><script>document.title = "hit"</script></head>
<body onload="document.title = 'hit'"><img src="HOST/picture" onerror="document.title = 'hit'">
<svg><image href="HOST/drawing"/></svg><input type="image" src="HOST/button"><video src="HOST/video"></video>
<script>fetch("HOST/fetch")</script></body></html>"""


@pytest.mark.browser
def test_a_users_template_asks_for_nothing_in_a_browser(kursk_folder, tmp_path):
    """Of a page that tries every way nobody is called, and no script runs; without its policy all of that happens."""
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def setup(self):
            asked.append("a call, whatever is asked in it")
            super().setup()

        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    run = shutil.copytree(kursk_folder, tmp_path / "run")
    (tmp_path / "house").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        text = WILD.replace("HOST", f"http://127.0.0.1:{server.server_port}")
        (tmp_path / "house" / "memo.html.j2").write_text(text, encoding="utf-8")
        done = call_here("memo", run, "--format", "html", "--template", tmp_path / "house")
        assert done.returncode == 0, done.stderr
        guarded, bare = (run / "memo.html"), tmp_path / "bare.html"
        bare.write_text(re.sub("<meta [^>]*>", "", guarded.read_text(encoding="utf-8")), encoding="utf-8")
        shown = open_page(guarded, tmp_path / "one").stdout
        assert asked == []
        assert "<title>hit</title>" not in shown
        assert "<video" in shown
        assert "<title>hit</title>" in open_page(bare, tmp_path / "two").stdout
        assert set(asked) >= set(re.findall("HOST(/[a-z]+)", WILD))
        server.shutdown()


ASK = """<script>
const slider = document.getElementById("above"), chance = document.getElementById("chance"), told = [];
for (const place of [0, 100, 200]) {
  slider.value = place;
  slider.dispatchEvent(new Event("input"));
  told.push(chance.textContent);
}
const mark = document.querySelector(".mark");
mark.focus();
told.push(document.querySelector(".said").textContent === mark.getAttribute("aria-label"));
const bar = document.querySelector(".bar"), path = bar.closest(".path");
path.hidden = false;
bar.focus();
told.push(path.querySelector(".said").textContent);
document.title = JSON.stringify(told);
</script></body>"""


@pytest.mark.browser
def test_the_page_can_be_asked(kursk_run, tmp_path):
    """The slider reads chances off the percentiles, in our words; a claim says itself under the keyboard."""
    text = render_memo(compose_memo(kursk_run.result), "html").replace("</body>", ASK)
    title, _ = run_scripts(text, tmp_path)
    low, middle, high, said, spell = json.loads(title)
    assert "almost certain (above 99%)" in low
    assert re.search(r"\(\d+%\)", middle)
    assert "almost no chance (below 1%)" in high
    assert said
    assert "1 January 2025 to 31 March 2025 alone: about 3,000 deployed" in spell.replace("\N{NO-BREAK SPACE}", " ")


SWITCH = """<script>
const without = document.getElementById("without"), told = [];
for (const option of without.options) {
  without.value = option.value;
  without.dispatchEvent(new Event("change"));
  told.push([option.textContent, document.getElementById("told").textContent]);
}
const stops = [...document.querySelectorAll("select, input, a[href], button, [tabindex='0']")].filter(each => {
  each.focus();
  return document.activeElement === each;
});
const missed = ["which", "above", "without"].filter(id => !stops.includes(document.getElementById(id)));
const wide = document.documentElement.scrollWidth > window.innerWidth;
document.title = JSON.stringify([told, missed, wide]);
</script></body>"""


def leave_out(result):
    """Return a sensitivity report in which two sources are left out in turn."""
    report = make_report(json.loads(json.dumps(dump_record(result))))
    scenario = report["scenarios"][0]
    report["scenarios"] = [
        {**scenario, "what": name, "label": f"without {name}", "quantities": [
            {**each, "median": each["median"] * factor, "intervals": {
                level: [edge * factor for edge in edges] for level, edges in each["intervals"].items()
            }} for each in scenario["quantities"]
        ]}
        for name, factor in (("The ministry", 2), ("The agency", 3))
    ]  # fmt: skip
    return parse_sensitivity(report, "sensitivity.json")


@pytest.mark.browser
def test_sources_are_switched_off_one_at_a_time(kursk_run, tmp_path):
    """To the numbers of the sensitivity report, by the keyboard too; and no page is wider than its window."""
    report = leave_out(kursk_run.result)
    text = render_memo(compose_memo(kursk_run.result, sensitivity=report), "html").replace("</body>", SWITCH)
    told, missed, wide = json.loads(run_scripts(text, tmp_path)[0])
    (count,) = report.headlines
    expected = [("with every source", show_scenario(find_base(report)))]
    expected += [
        (each.label, show_scenario(lead_scenario(each, count.force, count.quantity))) for each in report.scenarios
    ]
    assert [(label, said) for label, said in told] == [(label, f"Killed: {said}") for label, said in expected]
    assert len({said for _, said in told}) == 3
    assert (missed, wide) == ([], False)


@pytest.mark.browser
def test_a_printed_page_is_what_stands_on_the_screen(kursk_run, tmp_path):
    """On paper there are no controls: what was last asked stands as text, and heads come again on each page."""
    if CHROMIUM is None or not shutil.which("pdftotext"):
        pytest.skip("Chromium or pdftotext is missing: the page is not printed")
    page = tmp_path / "memo.html"
    page.write_text(render_memo(compose_memo(kursk_run.result), "html"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--no-first-run"]
    order = [CHROMIUM, *options, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'memo.pdf'}"]
    subprocess.run([*order, page.as_uri()], capture_output=True, check=True, timeout=120)
    told = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "memo.pdf", "-"], capture_output=True, text=True, check=True
    )
    pages = told.stdout.split("\f")
    (first,) = (each for each in pages if "Ask the answer" in each)
    assert re.search(r"Killed, more than [\d,]+: roughly even chance \(\d+%\)\.", first)
    assert "How likely more: the number that a count exceeds with each probability" in told.stdout
    assert "Point at a mark" not in told.stdout
    assert sum("Where it was read" in each for each in pages) > 3  # of two tables


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


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["whole", "brief", "dark", "examined"])
def test_axe_finds_nothing(kursk_run, tmp_path, kind):
    """Contrast, names, headings, alternative texts: what axe-core knows of WCAG (`make browser` installs it)."""
    axe = ROOT / "build/axe/node_modules/axe-core/axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is missing: run make browser where npm is")
    report = leave_out(kursk_run.result) if kind == "examined" else None
    text = render_memo(compose_memo(kursk_run.result, brief=kind == "brief", sensitivity=report), "html")
    if kind == "dark":  # what a reader in dark mode has
        text = text.replace("@media (prefers-color-scheme: dark)", "@media screen")
        assert text.count("@media screen") == 1
    source = axe.read_text(encoding="utf-8").replace("</script>", "<\\/script>")
    run = "axe.run().then(found => { document.title = JSON.stringify(found.violations.map(each => each.id)); });"
    title, _ = run_scripts(text.replace("</body>", f"<script>{source}</script><script>{run}</script></body>"), tmp_path)
    assert json.loads(title) == []


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
