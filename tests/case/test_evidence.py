"""What counts as evidence: echoes, revisions, statements, rounding, what was known by a day."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from evidence import claim_of, weigh
from examples import CASE
from hypothesis import given
from hypothesis import strategies as st

from sim.case.evidence import weigh_claims
from sim.case.folder import read_case
from sim.case.observations import observe_claim, rounding_unit
from sim.errors import InputError


@pytest.mark.parametrize(
    ("value", "qualifier", "digits", "low", "high"),
    [
        (10_000, "about", None, 9_500, 10_500),
        (3_000, "about", None, 2_500, 3_500),
        (1_000, "about", None, 950, 1_050),
        (4_700, "about", None, 4_650, 4_750),
        (11_000, "about", None, 10_500, 11_500),
        (20, "about", None, 15, 25),
        (7, "about", None, 6.5, 7.5),
        (1, "about", None, 0.5, 1.5),
        (4_712, "about", None, 4_711.5, 4_712.5),
        (3_000, "exact", None, 2_999.5, 3_000.5),
        (3_000, "about", 2, 2_950, 3_050),
        (4_700, "about", 1, 4_200, 5_200),
    ],
)
def test_a_number_is_the_reals_that_round_to_it(value, qualifier, digits, low, high):
    found = observe_claim(claim_of(value=value, qualifier=qualifier, digits=digits), "s")
    assert found.form == "cell"
    assert math.exp(found.lower) == pytest.approx(low)
    assert math.exp(found.upper) == pytest.approx(high)


def test_zero_is_the_cell_below_one_half():
    found = observe_claim(claim_of(value=0, qualifier="exact"), "s")
    assert found.form == "cell"
    assert found.lower == -math.inf
    assert found.upper == pytest.approx(math.log(0.5))


def test_at_least_zero_says_nothing(write):
    evidence = weigh(write, [{"value": 0, "qualifier": "at_least"}])
    assert not evidence.observations
    assert "says nothing" in evidence.unused["c0"]


@given(st.integers(1, 10**9))
def test_a_cell_holds_its_number_and_no_more_than_half_of_it(value):
    unit = rounding_unit(claim_of(value=value))
    assert unit is not None
    assert unit >= 1
    assert unit <= max(value, 1)
    assert value % unit == 0


def test_a_standard_error_of_the_source_makes_a_row_continuous():
    found = observe_claim(claim_of(value=412, log_sd=0.2), "s")
    assert (found.form, found.point, found.extra_sd) == ("density", pytest.approx(math.log(412)), 0.2)


def test_a_range_is_the_sources_own_80_percent():
    found = observe_claim(claim_of(low=100, high=400, qualifier="range"), "s")
    assert found.point == pytest.approx(math.log(200))
    assert found.point + 1.2815515655 * found.extra_sd == pytest.approx(math.log(400))


def test_a_narrow_cell_is_its_density_times_its_width():
    found = observe_claim(claim_of(value=4_000_000, qualifier="exact"), "s")
    assert found.form == "density"
    assert found.log_width == pytest.approx(math.log(1 / 4_000_000), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_shares_of_nothing_and_all_are_cells(value):
    found = observe_claim(claim_of(value=value, unit="share", qualifier="exact"), "s")
    assert found.form == "cell"
    edge = math.log(0.005 / 0.995)
    assert (found.upper if value == 0 else -found.lower) == pytest.approx(edge)


def test_an_echo_of_a_row_is_not_used(write):
    evidence = weigh(write, [{"value": 300}, {"value": 310, "source": "foe", "origin": "c0"}])
    assert [item.claim.id for item in evidence.observations] == ["c0"]
    assert evidence.unused == {"c1": "repeats c0"}


def test_echoes_of_a_source_are_one_claim_of_that_source(write):
    rows = [
        {"value": 300, "source": "mixed", "origin": "foe", "as_of": "2024-03-01", "published": "2024-03-09"},
        {"value": 300, "source": "own", "origin": "foe", "as_of": "2024-03-01", "published": "2024-03-05"},
    ]
    evidence = weigh(write, rows)
    assert [(item.claim.id, item.source) for item in evidence.observations] == [("c1", "foe")]
    own_row = {"value": 300, "source": "foe", "as_of": "2024-03-01", "published": "2024-03-20"}
    evidence = weigh(write, [*rows, own_row])
    assert [(item.claim.id, item.source) for item in evidence.observations] == [("c2", "foe")]


def test_exact_duplicates_are_used_once(write):
    evidence = weigh(write, [{"value": 300}, {"value": 300}])
    assert len(evidence.observations) == 1
    assert evidence.unused == {"c1": "duplicates c0"}


def test_a_replaced_row_is_shown_and_not_used(write):
    evidence = weigh(write, [{"value": 300}, {"value": 250, "replaces": "c0"}])
    assert evidence.unused == {"c0": "replaced by c1"}


def test_a_total_beside_all_its_parts_is_not_used(write):
    said = {"statement": "s"}
    rows = [
        {"value": 300, **said},
        {"value": 2700, "quantity": "wounded", **said},
        {"value": 3000, "quantity": "casualties", **said},
    ]
    evidence = weigh(write, rows)
    assert evidence.unused == {"c2": "is the sum of the parts in its statement"}
    assert {item.statement for item in evidence.observations} == {"own:s"}


def test_a_part_beside_its_total_is_a_share(write):
    said = {"statement": "s"}
    total, part = weigh(write, [{"value": 4700, "quantity": "casualties", **said}, {"value": 600, **said}]).observations
    assert (total.whole, total.statement) == ("", "")
    assert part.whole == "casualties"
    share = 1 / (1 + math.exp(-part.lower)), 1 / (1 + math.exp(-part.upper))
    assert share == (pytest.approx(550 / 4700), pytest.approx(650 / 4700))


def test_what_was_not_yet_known_changes_nothing(write):
    """A revision of next month does not undo this month's claim, nor does a later original silence its echo."""
    rows = [
        {"value": 300, "as_of": "2024-02-01", "published": "2024-02-01"},
        {"value": 250, "as_of": "2024-02-01", "published": "2024-03-30", "replaces": "c0"},
        {"value": 90, "source": "foe", "as_of": "2024-02-01", "published": "2024-02-03", "origin": "c3"},
        {"value": 90, "source": "mixed", "as_of": "2024-02-01", "published": "2024-03-30"},
    ]
    evidence = weigh(write, rows, dt.date(2024, 2, 28))
    assert [(item.claim.id, item.source) for item in evidence.observations] == [("c0", "own"), ("c2", "mixed")]
    assert evidence.hidden == ("c1", "c3")


def test_rows_keep_their_defaults(write):
    claim = read_case(write([{"value": 5, "published": "2024-02-02"}])).claims[0]
    assert (claim.as_of, claim.qualifier, claim.measure, claim.unit) == (
        dt.date(2024, 2, 2),
        "about",
        "cumulative",
        "count",
    )
    assert claim.force == "x"
    assert "[forces.x]" in CASE


def test_outlets_that_vary_the_wording_of_one_source_are_one_claim(write):
    said = {"as_of": "2024-02-01", "value": 500}
    rows = [
        {"source": "foe", "origin": "own", "qualifier": "exact", **said},
        {"source": "mixed", "origin": "own", "qualifier": "about", **said},
        {"source": "own", "qualifier": "at_least", **said},
    ]
    assert [item.claim.id for item in weigh(write, rows).observations] == ["c2"]


def test_at_most_all_says_nothing_and_a_small_share_keeps_its_wording(write):
    rows = [
        {"value": 1, "unit": "share", "qualifier": "at_most"},
        {"value": 0.003, "unit": "share", "qualifier": "at_least", "source": "foe"},
    ]
    evidence = weigh(write, rows)
    assert "says nothing" in evidence.unused["c0"]
    assert [item.form for item in evidence.observations] == ["bound"]


def test_a_zero_before_anybody_arrived_says_nothing(write):
    toml = CASE.replace("from = 2024-01-01", "from = 2024-02-10").replace("to = 2024-01-20", "to = 2024-02-20")
    rows = [{"value": 0, "qualifier": "exact", "as_of": "2024-01-10"}, {"value": 300}]
    evidence = weigh_claims(read_case(write(rows, toml)))
    assert "no wave had arrived" in evidence.unused["c0"]
    assert len(evidence.observations) == 1


def test_errors_of_the_logarithm_are_larger_on_the_logit_scale():
    """The logit changes by d log p / (1 - p)."""
    found = observe_claim(claim_of(value=0.9, unit="share", log_sd=0.05, of="deployed"), "s")
    assert found.extra_sd == pytest.approx(0.5)


def test_a_range_of_a_part_is_a_range_of_its_share(write):
    said = {"statement": "s"}
    part = {"qualifier": "range", "low": 800, "high": 900, "quantity": "wounded", **said}
    total = {"value": 1000, "quantity": "casualties", **said}
    _, found = weigh(write, [total, part]).observations
    half = (math.log(0.9 / 0.1) - math.log(0.8 / 0.2)) / 2
    assert found.extra_sd == pytest.approx(half / 1.2815515655)


WAR = """
schema = 1
start = 2008-08-08
end = 2008-08-12
[forces.x]
outcomes = ["killed", "wounded", "missing"]
[sources.own]
role = "own"
"""


def weigh_war(write, rows, toml=WAR):
    return weigh_claims(read_case(write([{"source": "own", **row} for row in rows], toml)))


def test_losses_end_with_the_war(write):
    """A claim of a later day is read as of `end`, whenever it was published; so is a headline asked for later."""
    rows = [{"value": 100, "as_of": day, "published": "2009-01-01"} for day in ("2008-08-12", "2008-09-30")]
    observed = weigh_war(write, rows[1:]).observations
    assert [item.claim.as_of for item in observed] == [dt.date(2008, 8, 12)]
    case = read_case(write([{"source": "own", **rows[0]}], WAR.replace("end =", "as_of = 2008-10-04\nend =")))
    assert case.as_of == case.end


def test_a_loss_after_the_war_is_refused(write):
    row = {"value": 3, "measure": "interval", "since": "2008-09-01", "as_of": "2008-09-30"}
    with pytest.raises(InputError, match="row 2, column since: 2008-09-01 is after end"):
        weigh_war(write, [row])
    assert weigh_war(write, [{**row, "value": 0}]).observations


def test_none_is_no_multiple_of_a_statements_error(write):
    """A zero said in one breath with other numbers is told apart from them."""
    rows = [{"value": 64}, {"value": 323, "quantity": "wounded"}, {"value": 0, "quantity": "missing"}]
    observed = weigh_war(write, [{**row, "statement": "s"} for row in rows]).observations
    assert [bool(item.statement) for item in observed] == [True, True, False]


def test_the_missing_who_are_found_are_missing_no_more(write):
    """A figure that its own source lowered later is not used; another source's, or a rise, takes nothing away."""
    days = {"2008-08-10": 20, "2008-08-11": 70, "2008-08-12": 5}
    rows = [{"value": value, "quantity": "missing", "as_of": day} for day, value in days.items()]
    evidence = weigh_war(write, rows)
    assert [item.claim.value for item in evidence.observations] == [5]
    assert set(evidence.unused.values()) == {"those missing were found since"}
    assert len(weigh_war(write, rows[:2]).observations) == 2


def test_a_correction_is_of_the_same_quantity(write):
    rows = [{"id": "a", "value": 56}, {"id": "b", "value": 72, "quantity": "wounded", "replaces": "a"}]
    with pytest.raises(InputError, match="'a' \\(row 2\\) is of killed, and this row of wounded"):
        weigh_war(write, rows)


def test_default_totals_give_way_to_the_users_own(write):
    """Where `killed` is a total of the case, what sums the outcome of that name would sum a part alone."""
    toml = WAR.replace('"killed", "wounded", "missing"', '"civilians", "fighters", "wounded"')
    case = read_case(write([], toml + '[totals]\nkilled = ["civilians", "fighters"]\n'))
    assert case.totals_of("x") == ("killed",)


DAYS = {"measure": "interval", "since": "2024-02-01", "as_of": "2024-02-03"}


def test_numbers_of_several_places_add_up_to_one(write):
    """Of one place the largest counts; those of other days, or of the whole, stand by themselves."""
    rows = [
        {"value": 30, "part": "north", **DAYS},
        {"value": 20, "part": "south", **DAYS},
        {"value": 12, "part": "north", "qualifier": "counted", **DAYS},
        {"value": 9, "part": "north", "as_of": "2024-02-03"},
        {"value": 90, **DAYS},
    ]
    evidence = weigh(write, rows)
    said = [(item.claim.id, item.claim.value, item.claim.wording.name) for item in evidence.observations]
    assert said == [("c0", 50, "part"), ("c3", 9, "part"), ("c4", 90, "about")]
    assert evidence.unused == {"c1": "is added to c0", "c2": "more is told of the same place"}


def test_the_whole_is_at_least_its_part(write):
    found = [item.form for item in weigh(write, [{"value": 30, "part": "north"}]).observations]
    assert found == ["bound"]
    assert weigh(write, [{"value": 0, "part": "north"}]).unused  # that nobody died in one place says nothing


@pytest.mark.parametrize(
    "row",
    [
        {"value": 0.3, "unit": "share"},
        {"low": 3, "high": 4, "qualifier": "range"},
        {"value": 3, "qualifier": "at_most"},
        {"value": 300, "quantity": "deployed"},
    ],
)
def test_what_is_no_number_of_a_place_is_refused(row, write):
    with pytest.raises(InputError, match="row 2, column part: 'north' is given of"):
        read_case(write([{"part": "north", **row}]))
