"""Cases and answers in Python: tables in memory become cases, and a run answers what it is asked."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sim

ROWS = [
    {"source": "ministry", "quantity": "killed", "published": dt.date(2024, 5, 20), "value": 60},
    {"source": "ministry", "quantity": "wounded", "published": "20 May 2024", "value": 1_200},
]
GIVEN = {"forces": "north", "sources": {"ministry": "own"}, "start": "2024-05-01"}


def make_frame(**columns):
    return pd.DataFrame(ROWS).assign(**columns)


class Polars:
    """A table as those of polars are: known by its method, so that nobody needs polars who has none."""

    def __init__(self, rows):
        self.rows = rows

    def to_dicts(self):
        return self.rows


@pytest.mark.parametrize(
    "table",
    [
        ROWS,
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS, index=["x", "y"]),
        pa.Table.from_pylist([*ROWS[:1], {**ROWS[1], "published": dt.date(2024, 5, 20)}]),
        Polars(ROWS),
        make_frame(published=pd.to_datetime(["2024-05-20", "2024-05-20"]), low=[np.nan, None], note=[pd.NA, pd.NaT]),
    ],
    ids=["rows", "frame", "labels", "arrow", "polars", "kinds"],
)
def test_a_table_in_memory_becomes_a_case(table):
    case = sim.Case.from_frame(table, **GIVEN)
    assert [(claim.force, claim.value, claim.published.isoformat()) for claim in case.claims] == [
        ("north", 60, "2024-05-20"),
        ("north", 1_200, "2024-05-20"),
    ]
    assert case.file.forces["north"].outcomes == ("killed", "wounded")
    assert len({claim.id for claim in case.claims}) == 2
    more = case.with_claims(pd.DataFrame([{**ROWS[0], "id": "late", "published": "2024-05-25", "value": 80}]))
    assert [claim.id for claim in more.without(claim="late").claims] == [claim.id for claim in case.claims]


@pytest.mark.parametrize(
    ("table", "given", "told"),
    [
        (make_frame(value=[1, -2]), {}, "claims, row 1, column value"),
        (make_frame(value=[1, "some"]), {}, "claims, row 1, column value: 'some' is not a number"),
        (
            make_frame(published=["03/04/2024", "2024-05-20"]),
            {},
            "claims, row 0, column published: '03/04/2024' may be",
        ),
        (make_frame(colour="red"), {}, "has an unknown column 'colour'"),
        (pd.DataFrame(ROWS)["value"], {}, "60 is no row; give a DataFrame"),
        (pd.DataFrame(ROWS).iloc[0], {}, "'ministry' is no row; give a DataFrame"),
        (pd.concat([pd.DataFrame(ROWS)] * 2, axis=1), {}, "claims: has the column 'published' twice"),
        (pa.array([1, 2]), {}, "1 is no row; give a DataFrame"),
        (Polars([{**ROWS[0], "value": "some"}]), {}, "claims, row 0, column value: 'some' is not a number"),
        (make_frame(source=["ministry", "x"]), {}, "row 1, column source: 'x' is not in [sources]"),
        (pd.DataFrame(), {}, "claims: has no row"),
        (5, {}, "claims, row 0: 5 is no row"),
        ("claims.csv", {}, "'claims.csv' is no row"),
        ([[1, 2]], {}, "claims, row 0: [1, 2] is no row"),
        (ROWS, {"sources": {"ministry": "friend"}}, "sources.ministry.role"),
        (ROWS, {"sources": ["ministry"]}, "sources: ['ministry'] gives no roles"),
        (ROWS, {"forces": 5}, "forces"),
        (ROWS, {"forces": {"north": 5}}, "forces.north"),
        (ROWS, {"start": "soon"}, "case, start: 'soon' is not a day"),
        (ROWS, {"colour": 1}, "colour"),
        (ROWS, {"title": "a\x00b"}, "case, title: 'a\\x00b' is refused: holds a control character; take it out"),
        (ROWS, {"sources": {"ministry": {"role": "own", "label": "\x1b[2J"}}}, "sources.ministry.label"),
    ],
)
def test_a_fault_names_its_row_and_is_no_type_error(table, given, told):
    with pytest.raises(sim.InputError) as caught:
        sim.Case.from_frame(table, **{**GIVEN, **given})
    assert told in str(caught.value)
    case = sim.Case.from_frame(ROWS, **GIVEN)
    if not given and "has no row" not in told:
        with pytest.raises(sim.InputError):
            case.with_claims(table)


def test_rows_without_an_id_never_take_one_that_is_there():
    """A DataFrame counts its rows from zero, whatever rows the case has already."""
    case = sim.Case.from_frame(pd.DataFrame(ROWS), **GIVEN)
    for day in ("2024-05-25", "2024-05-26", "2024-05-27"):
        more = pd.DataFrame([{**ROWS[0], "published": day, "value": 80}])
        case = case.with_claims(more)
        if day == "2024-05-25":
            case = case.without(claim="claim-0")
    assert len({claim.id for claim in case.claims}) == len(case.claims) == 4


@pytest.mark.parametrize("day", ["2009-09", 20090905, 1.5, "soon"])
def test_a_day_that_is_none_is_told(day):
    with pytest.raises(sim.InputError, match=r"as_of: .* is not a day"):
        sim.run("vietnam", as_of=day)


@pytest.mark.parametrize("case", [5, None, ["kursk"]])
def test_what_is_no_case_is_told(case):
    with pytest.raises(sim.InputError, match="is no case"):
        sim.run(case)


def test_a_run_is_asked_for_draws_and_probabilities(kursk_run):
    killed, wounded = kursk_run.draws("killed"), kursk_run.draws("wounded")
    assert np.array_equal(kursk_run.draws("casualties"), killed + wounded)
    assert np.array_equal(kursk_run.draws("dprk.killed / 2"), killed / 2)
    derived = kursk_run.sample.derived
    assert derived
    assert all(np.array_equal(kursk_run.draws(name), value, equal_nan=True) for name, value in derived.items())
    assert kursk_run.probability("killed > 1500") == (killed > 1_500).mean()
    assert kursk_run.probability("100 < killed <= wounded / 3") == ((killed > 100) & (killed <= wounded / 3)).mean()
    above = {entry.above: entry.probability for entry in kursk_run.result.exceedance if entry.quantity == "killed"}
    assert above
    assert all(
        kursk_run.probability(f"killed > {number}") == pytest.approx(share, abs=1e-4) for number, share in above.items()
    )


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda run: run.draws("dead"), "'dead' is no quantity of the case; use killed, wounded"),
        (lambda run: run.draws("killed >"), "has an unexpected '>'"),
        (lambda run: run.draws(5), "5 is no text"),
        (lambda run: run.probability("killed"), "compares nothing"),
        (lambda run: run.probability("killed > "), "ends too early"),
        (lambda run: run.probability("__import__('os') > 1"), "has an unexpected"),
        (lambda run: run.probability("0 * killed / 0 > 1"), "is undefined in every draw"),
        (lambda run: run.figure("pie"), "no figure is called 'pie'; use losses-over-time"),
        (lambda run: run.figure("headline", "rok"), "'rok' is no force"),
        (lambda run: run.memo("rtf"), "'rtf' is not available; use md, html, docx, pdf"),
        (lambda run: run.memo("md", words="mine"), "'mine' is not available"),
    ],
)
def test_what_a_run_cannot_answer_is_told(ask, told, kursk_run):
    with pytest.raises(sim.InputError) as caught:
        ask(kursk_run)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: sim.run("vietnam", seed="x"), "seed: 'x' is refused; give a whole number"),
        (lambda: sim.run("vietnam", seed=-1), "seed: -1 is refused"),
        (lambda: sim.run("vietnam", seed=1.5), "seed: 1.5 is refused"),
        (lambda: sim.run("vietnam", seed=True), "seed: True is refused"),
        (lambda: sim.run("vietnam", draws=0), "draws: 0 is refused"),
        (lambda: sim.run("vietnam", draws="x"), "draws: 'x' is refused"),
        (lambda: sim.run("vietnam", prior=4), "prior: 4 is no prior set"),
        (lambda: sim.sensitivity("vietnam", seed=None), "seed: None is refused"),
        (lambda: sim.sensitivity("vietnam", jobs=0), "jobs: 0 is refused"),
        (lambda: sim.backtest(None, "truth.csv"), "claims: None is no table"),
        (lambda: sim.backtest("a", "b", seed="x"), "seed: 'x' is refused"),
        (lambda: sim.read_case("vietnam", dates="foo"), "dates: 'foo' is no order"),
        (
            lambda: sim.Case.from_frame(ROWS, forces="n", sources=["m"]),
            "case, sources: ['m'] gives no roles; give a mapping",
        ),
        (lambda: sim.Case.from_frame(ROWS, forces="n", sources=None), "case, sources: None gives no roles"),
        (lambda: sim.read_case("vietnam").without(claim=pd.Series(["a"])), "case: "),
        (lambda: sim.run("vietnam", as_of=3), "as_of: 3 is not a day"),
        (lambda: sim.Case.from_frame(ROWS, forces="n", sources={"m": 5}), "case, sources.m.role: 5 is refused"),
    ],
)
def test_arguments_of_no_use_are_told_in_one_line(ask, told):
    with pytest.raises(sim.InputError) as caught:
        ask()
    assert str(caught.value).startswith(told)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("day", [pd.Timestamp("2024-05-01 03:00", tz="UTC"), np.datetime64("2024-05-01"), "2024-05-01"])
def test_days_and_roles_of_pandas_are_taken(day):
    """What is missing is as if it were not given."""
    roles = pd.Series(dict.fromkeys({row["source"] for row in ROWS}, "own"))
    case = sim.Case.from_frame(ROWS, forces="n", sources=roles, start=day, end=pd.NaT, as_of=None)
    assert (str(case.start), case.file.end) == ("2024-05-01", None)
    assert str(case.with_settings(start=np.datetime64("2024-04-30")).start) == "2024-04-30"


def test_a_case_that_was_read_can_be_checked():
    case = sim.read_case("kursk")
    assert sim.check_case(case).warnings == sim.check_case("kursk").warnings


def test_a_run_gives_figure_memo_and_groups_for_arviz(kursk_run):
    figure = kursk_run.figure("losses-over-time")
    assert figure.axes
    assert kursk_run.memo().startswith("# ")
    page = kursk_run.memo("html")
    assert "data:image/png" in page
    tree = kursk_run.to_inferencedata()
    assert {"posterior", "prior", "observed_data"} <= set(tree.children)
    used = [claim for claim in kursk_run.result.claims if claim.used]
    assert tree["observed_data"].sizes["claim"] == len(used)
    median = tree["prior"]["count"].sel(force="dprk", quantity="killed").median()
    assert median == np.median(kursk_run.prior.headline["dprk", "killed"])


def test_shares_of_known_numbers_and_ratios_come_from_a_table():
    """A number in `of` may be one of Python's; a ratio names the other force."""
    rows = [
        {"source": "m", "force": "north", "quantity": "tanks", "published": "2024-05-20", "value": 0.25} | said
        for said in ({"unit": "share", "of": 300}, {"unit": "ratio", "of": "south.tanks"})
    ]
    case = sim.Case.from_frame(
        pd.DataFrame(rows), forces={"north": ["tanks"], "south": ["tanks"]}, sources={"m": "independent"}
    )
    assert [claim.central for claim in case.claims] == [75, 0.25]
    assert case.claims[1].topics == (("north", "tanks"), ("south", "tanks"))
