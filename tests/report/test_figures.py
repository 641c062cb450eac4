"""Figures: marks that hide no other, numbers beside them that touch nothing, names that are whole."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text
from summaries import edit_result

from sim.report.plots import draw_figure
from sim.report.plots.losses import Spot, place_tags

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
