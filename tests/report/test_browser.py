"""The HTML memo in headless Chromium: what it asks for, what can be asked of it, on paper, and what axe finds."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fuzzing import make_report
from program import call_here
from summaries import make_hostile

from sim.contract.check import dump_record, parse_sensitivity
from sim.report.memo import render_memo
from sim.report.memo.content import compose_memo
from sim.report.robustness import find_base, lead_scenario, show_scenario

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

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
def test_the_page_works_in_a_browser(kursk_run, tmp_path):
    """In headless Chromium: no error in the console, no script of a claim's, no request, and a column that sorts."""
    memo = compose_memo(make_hostile(kursk_run.result))
    text = render_memo(memo, "html").replace("</body>", PROBE)
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
