"""Figures: marks that hide no other, numbers beside them that touch nothing, names that are whole."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager, get_data_path
from matplotlib.colors import to_hex, to_rgb
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from summaries import edit_result

from sim.report.finding import write_title
from sim.report.labels import OTHERS, PALETTE, colour_sources, label_sources, name_number, name_unit
from sim.report.memo import compose_memo
from sim.report.memo.blocks import Picture, show_figures
from sim.report.plots import draw_figure, fonts
from sim.report.plots.fonts import BASE
from sim.report.plots.forests import plot_claims
from sim.report.plots.frame import cut_text, measure_text
from sim.report.plots.keys import put_before
from sim.report.plots.losses import MAX_NUMBERED, Spot, choose_tagged, place_tags, plot_losses
from sim.report.plots.style import choose_ticks, use_style
from sim.report.table import show_range

FLAT = np.array([[0.0, -100.0], [500.0, -100.0]])  # a median that is far from all


def find_boxes(places, texts):
    """Return the box of each tag, as left, right, bottom, top."""
    return [
        (x - 2.4 * len(text), x + 2.4 * len(text), y - 3.5, y + 3.5) for (x, y), text in zip(places, texts, strict=True)
    ]


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


@pytest.mark.parametrize("seed", range(20))
def test_tags_touch_no_mark_and_no_tag(seed):
    """Of up to five marks beside each other, some of them ranges, as in a month of many statements."""
    random = np.random.default_rng(seed)
    spots = [
        Spot(100.0 + 7.0 * place, low, low + random.choice([0.0, 20.0]))
        for place, low in enumerate(random.uniform(40, 60, random.integers(2, 6)))
    ]
    texts = [str(number + 1) for number in range(len(spots))]
    boxes = find_boxes(place_tags(spots, texts, FLAT), texts)
    for one, other in combinations(boxes, 2):
        assert not overlap(one, other)
    for box, spot in ((box, spot) for box in boxes for spot in spots):
        assert not overlap(box, (spot.x - 3, spot.x + 3, spot.low - 3, spot.high + 3))


def test_a_tag_leaves_the_median_when_it_can():
    spot = Spot(100.0, 50.0, 50.0)
    ((x, y),) = place_tags([spot], ["1"], np.array([[0.0, 50.0], [500.0, 50.0]]))
    assert abs(y - 50.0) > 3.5
    ((x, y),) = place_tags([spot], ["1"], FLAT)
    assert (x > 100.0, y) == (True, 50.0)


def read_words(canvas):
    return " ".join(text.get_text().replace("\n", " ") for text in canvas.findobj(Text))


def test_a_long_name_is_wrapped_and_not_cut(kursk_run):
    name = "self_propelled_anti_aircraft_guns_and_missile_systems"
    long = edit_result(kursk_run.result, lambda data: [
        each.update(quantity=name) for part in ("bias", "claims") for each in data[part] if each["quantity"] == "killed"
    ])  # fmt: skip
    for figure in ("biases", "claims"):
        assert name.replace("_", " ") in read_words(draw_figure(long, figure))


def test_what_was_said_of_spells_has_the_number_of_its_source(kursk_run):
    canvas = draw_figure(kursk_run.result, "losses-over-time")
    spells = [axes for axes in canvas.axes if any(text.get_text() == "in these days alone" for text in axes.texts)]
    assert len(spells) == 1
    assert any(text.get_text().isdecimal() for text in spells[0].texts)


def make_many(result, sources):
    """Return a run in which each of so many sources has spoken of the killed once."""
    names = [
        f"The Ministry of Defence, Department for Public Information, Bureau {number}" for number in range(sources)
    ]

    def edit(data):
        claim = next(each for each in data["claims"] if each["quantity"] == "killed" and each["qualifier"] == "about")
        data["sources"] += [{**data["sources"][0], "source": f"s{n}", "label": name} for n, name in enumerate(names)]
        data["claims"] = [
            {**claim, "id": f"c{n}", "source": f"s{n}", "owner": f"s{n}", "value": 200.0 + 20 * n,
             "as_of": f"2025-0{1 + n % 4}-{1 + n % 28:02}"}
            for n in range(sources)
        ]  # fmt: skip

    return edit_result(result, edit)


def test_twenty_sources_have_twenty_colours_in_every_figure(kursk_run):
    many = make_many(kursk_run.result, 20)
    colours = [colour for source, colour in colour_sources(many).items() if source.startswith("s")]
    assert (len(colours), len(set(colours)), OTHERS in colours) == (20, 20, False)
    canvas = draw_figure(many, "losses-over-time")
    drawn = {to_hex(line.get_markerfacecolor()).upper() for axes in canvas.axes for line in axes.lines}
    assert set(colours) <= drawn


def test_colours_are_told_apart_and_seen_on_white():
    """In OKLab (Ottosson 2020), where two colours of a distance of .02 are just told apart."""
    linear = np.array([to_rgb(colour) for colour in PALETTE])
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    to_cones = [
        0.41222147,
        0.53633254,
        0.05144599,
        0.2119035,
        0.68069955,
        0.10739696,
        0.08830246,
        0.28171884,
        0.6299787,
    ]
    to_lab = [
        0.21045426,
        0.79361779,
        -0.00407205,
        1.9779985,
        -2.42859221,
        0.45059371,
        0.025904,
        0.78277177,
        -0.80867577,
    ]
    lab = np.cbrt(linear @ np.reshape(to_cones, (3, 3)).T) @ np.reshape(to_lab, (3, 3)).T
    assert min(np.linalg.norm(one - other) for one, other in combinations(lab, 2)) > 0.09
    assert all(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) > 2.2)


def test_every_source_of_a_key_has_its_number_beside_a_mark(kursk_run):
    """Who sees no colours reads the numbers, and so each of the key must stand somewhere."""
    canvas = draw_figure(make_many(kursk_run.result, 60), "losses-over-time")
    words = [text.get_text() for text in canvas.texts]
    numbers = {word.partition(" ")[0] for word in words if "Ministry" in word}
    assert numbers == {str(number) for number in range(1, 21)}
    assert numbers <= {text.get_text() for axes in canvas.axes for text in axes.texts}
    assert "40 further sources" in words
    assert canvas.get_figheight() < 7  # the key stands in columns


def test_of_very_many_marks_each_source_keeps_the_number_of_its_last():
    texts = ["1"] * 50 + ["2"] * 3 + [""] * 20 + ["1"] * 2
    kept = choose_tagged(texts)
    assert sum(map(bool, kept)) <= MAX_NUMBERED
    assert kept[-2:] == ["1", "1"]
    assert kept[50:53] == ["2"] * 3
    assert not any(kept[53:73])
    assert choose_tagged(["1"] * 5) == ["1"] * 5


def test_a_ratio_is_no_mark_among_counts_and_says_what_it_is_of(kursk_run):
    """A share of a known number is one, so many times it."""
    force = kursk_run.result.forces[0].force
    said = next(each for each in kursk_run.result.claims if each.used and each.quantity == "killed" and each.value)

    def change(**fields):
        def edit(data):
            next(each for each in data["claims"] if each["id"] == said.id).update(fields)

        return edit_result(kursk_run.result, edit)

    def find_rows(result):
        drawn = plot_losses(result, force)
        return [row["value"] for row in drawn.rows if row["claim"] == said.id]

    ratio = change(unit="ratio", of="wounded", value=0.25)
    assert find_rows(kursk_run.result) == [said.value]
    assert find_rows(ratio) == []
    assert find_rows(change(unit="share", of="4000", value=0.25)) == [1000]
    assert "killed as a ratio to wounded" in " ".join(read_words(plot_claims(ratio, force).canvas).split())


def test_bars_of_single_days_have_the_number_of_their_source(kursk_run):
    def edit(data):
        spell = next(each for each in data["claims"] if each["measure"] == "interval")
        day = {"since": "2025-01-02", "as_of": "2025-01-02", "quantity": "killed"}
        data["claims"].append({**spell, **day, "id": "day"})

    canvas = draw_figure(edit_result(kursk_run.result, edit), "losses-over-time")
    days = [axes for axes in canvas.axes if any(text.get_text() == "in these days alone" for text in axes.texts)]
    assert [sum(text.get_text().isdecimal() for text in axes.texts) for axes in days] == [1, 1]


def test_an_axis_of_less_than_a_decade_has_three_ticks_and_whole_ones_where_people_are_counted(kursk_run):
    assert choose_ticks(120, 420) == [150, 200, 300, 400]
    assert choose_ticks(80, 420) == [100, 200, 300]
    assert choose_ticks(9, 60_000, 4) == [10, 100, 1_000, 10_000]
    few = edit_result(kursk_run.result, lambda data: [
        each.update(dots=[2.0] * 20, median=2.0, intervals={level: [1.4, 2.6] for level in each["intervals"]})
        for each in data["estimates"]
    ])  # fmt: skip
    numbers = {text.get_text() for axes in draw_figure(few, "headline").axes for text in axes.get_xticklabels()}
    assert numbers
    assert all("." not in number for number in numbers)


def test_a_caption_tells_of_what_is_there(kursk_run):
    """Of shapes of marks, of hollow ones, of items and of an axis that several forces share."""

    def plain(data):
        data["claims"] = [each for each in data["claims"] if each["used"] and each["qualifier"] == "about"]
        data["estimates"] = [each for each in data["estimates"] if each["quantity"] == "killed"]

    every, few = kursk_run.result, edit_result(kursk_run.result, plain)
    for name, told in (
        ("claims", "an arrow for at least, at most and counted, a bar for a range"),
        ("losses-over-time", "hollow marks repeat others"),
    ):
        assert told in read_words(draw_figure(every, name))
        assert told[:9] not in read_words(draw_figure(few, name))
    assert "Persons by 30" in read_words(draw_figure(every, "headline"))
    assert "the same for the same count" not in read_words(draw_figure(every, "headline"))
    assert name_unit(["killed", "tanks"]) == "Persons or items"
    assert name_unit(["tanks"]) == "Items"


def double(result, factor):
    """Return the summary with a second force, whose counts are so many times as large."""

    def grow(data):
        data["forces"].append({**data["forces"][0], "force": "south", "label": "Southern army"})
        data["estimates"] += [
            {**each, "force": "south", "dots": [dot * factor for dot in each["dots"]],
             "intervals": {level: [edge * factor for edge in edges] for level, edges in each["intervals"].items()}}
            for each in data["estimates"]
        ]  # fmt: skip

    return edit_result(result, grow)


def test_forces_share_an_axis_unless_one_would_be_lost_on_it(kursk_run):
    for factor, told, shared in ((10, ", the same for the same count.", True), (10_000, ", of each its own.", False)):
        canvas = draw_figure(double(kursk_run.result, factor), "headline")
        assert told in read_words(canvas)
        limits = [axes.get_xlim() for axes in canvas.axes]
        assert len(limits) == 4
        assert (len(set(limits)) == 2) == shared


def test_sources_and_forces_of_one_name_are_told_apart(kursk_run):
    def rename(data):
        for entry in (*data["sources"][:2], *data["forces"]):
            entry["label"] = "The ministry"

    same = edit_result(double(kursk_run.result, 2), rename)
    labels = label_sources(same)
    assert len(set(labels.values())) == len(labels)
    captions = [block.caption for block in show_figures(same, "biases", "Biases")]
    assert len(set(captions)) == 2


def test_the_figure_of_every_count_says_what_is_known_best(kursk_run):
    words = read_words(draw_figure(kursk_run.result, "estimates"))
    assert "North Korean troops: most is known of the deployed, least of the captured" in words
    alone = edit_result(kursk_run.result, lambda data: data.update(estimates=[
        each for each in data["estimates"] if each["quantity"] == "killed"
    ]))  # fmt: skip
    (killed,) = alone.estimates
    assert f"North Korean troops: {show_range(killed)} killed" in read_words(draw_figure(alone, "estimates"))


def test_page_one_has_the_finding_once(kursk_run):
    """In its heading; its figure is the headline's without a title, and nothing else of it is lost."""
    finding = write_title(kursk_run.result)
    headline, first = (draw_figure(kursk_run.result, name) for name in ("headline", "page-one"))
    assert finding in read_words(headline)
    assert read_words(headline).replace(finding, "").split() == read_words(first).split()
    assert first.get_figheight() < headline.get_figheight()
    assert "page-one.png" in {block.file for block in compose_memo(kursk_run.result).sections[0].blocks
                              if isinstance(block, Picture)}  # fmt: skip


def test_a_name_is_cut_between_words():
    (line,) = cut_text("The Ministry of Defence, Department for Public Information, Bureau 12", 2.6, lines=1)
    first, last = line.split(" … ")
    assert first in ("The Ministry", "The Ministry of")
    assert last in ("Bureau 12", "Information, Bureau 12")


def test_a_title_tells_of_a_number_of_things():
    assert (name_number("killed"), name_number("light_tanks")) == ("number killed", "number of light tanks")


@pytest.fixture
def bare_fonts(monkeypatch):
    """Leave matplotlib the figures' own font alone, as where its list was made before others came."""
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [entry for entry in manager.ttflist if entry.name == BASE])
    fonts.add_new_fonts.cache_clear()
    yield Path(get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"
    fonts.add_new_fonts.cache_clear()


def test_a_font_that_came_since_is_found(bare_fonts, monkeypatch):
    """Matplotlib keeps its list of fonts: whoever installs one for a name had to delete that list."""
    known = {path: FT2Font(path).get_charmap() for path in (font_manager.findfont(BASE), str(bare_fonts))}
    base, new = (set(letters) for letters in known.values())
    letter = next(chr(code) for code in sorted(new - base) if chr(code).isprintable())
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    assert fonts.find_missing([letter]) == ([], {letter})
    fonts.add_new_fonts.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(bare_fonts), str(bare_fonts.parent / "gone.ttf")])
    assert fonts.find_missing([letter, "a"]) == (["STIXGeneral"], set())


def test_a_font_without_a_bold_face_is_not_told_of(caplog):
    with use_style(["STIXSizeThreeSym"]), caplog.at_level("WARNING"):
        measure_text("⎛ Name", bold=True)
    assert not caplog.records


def test_the_number_of_a_name_written_from_the_right_stands_on_its_left():
    assert put_before("2", "وكالة") == "\N{LEFT-TO-RIGHT MARK}2 وكالة"
    assert put_before("3", "Министерство") == "3 Министерство"
    assert put_before("", "CSIS") == "CSIS"
