"""Reading claims: every rule has a fault, every fault a place, a value and a remedy; nothing else escapes."""

from __future__ import annotations

import pytest
from examples import CASE, UNBOUNDED, format_claims
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.case.claims import Claim, parse_claims
from sim.case.folder import read_case
from sim.errors import InputError
from sim.system.reading import read_text

LULLED = UNBOUNDED.replace('lulls = [{ from = 2024-02-03, to = 2024-02-20, claim = "quiet" }]\n', "")
BAD_ROWS = {
    "negative": ({"value": -3}, "column value", "negative"),
    "not a number": ({"value": "3 00"}, "column value", "not a number"),
    "infinite": ({"value": "1e400"}, "column value", "finite"),
    "full-width digits": ({"value": "\uff11\uff12"}, "column value", "not a number"),
    "not a day": ({"value": 3, "as_of": "spring"}, "column as_of", "not a day"),
    "impossible day": ({"value": 3, "as_of": "2024-02-30"}, "column as_of", "not a day"),
    "before start": ({"value": 3, "as_of": "2023-12-31"}, "column as_of", "before start"),
    "unknown source": ({"value": 3, "source": "who"}, "column source", "not in [sources]"),
    "unknown quantity": ({"value": 3, "quantity": "morale"}, "column quantity", "no quantity"),
    "unknown qualifier": ({"value": 3, "qualifier": "roughly"}, "column qualifier", "not allowed"),
    "unknown force": ({"value": 3, "force": "y"}, "column force", "not in [forces]"),
    "no value": ({}, "column value", "empty"),
    "range without high": ({"qualifier": "range", "low": 3}, "column high", "empty"),
    "low above high": ({"qualifier": "range", "low": 5, "high": 3}, "column low", "above high"),
    "low beside about": ({"value": 4, "low": 3}, "column low", "though the qualifier"),
    "share above one": ({"value": 1.2, "unit": "share"}, "column value", "above 1"),
    "share of itself": ({"value": 0.2, "unit": "share", "of": "killed"}, "column of", "quantity itself"),
    "share of none": ({"value": 0.2, "unit": "share", "of": "0"}, "column of", "no number of things"),
    "share of fewer than none": ({"value": 0.2, "unit": "share", "of": "-3"}, "column of", "no number of things"),
    "share of a number, above one": ({"value": 1.2, "unit": "share", "of": "300"}, "column value", "above 1"),
    "share of words": ({"value": 0.2, "unit": "share", "of": "300 men"}, "column of", "no quantity of x"),
    "ratio of nothing": ({"value": 3, "unit": "ratio"}, "column of", "empty"),
    "ratio of itself": ({"value": 3, "unit": "ratio", "of": "x.killed"}, "column of", "quantity itself"),
    "ratio of an unknown force": ({"value": 3, "unit": "ratio", "of": "y.killed"}, "column of", "not in [forces]"),
    "ratio of an unknown quantity": ({"value": 3, "unit": "ratio", "of": "morale"}, "column of", "no quantity of x"),
    "ratio of a number": ({"value": 3, "unit": "ratio", "of": "300"}, "column of", "number though"),
    "ratio of zero": ({"value": 0, "unit": "ratio", "of": "wounded"}, "column value", "zero though"),
    "range of ratios from zero": (
        {"qualifier": "range", "low": 0, "high": 2, "unit": "ratio", "of": "wounded"}, "column low", "zero though"
    ),
    "negative ratio": ({"value": -3, "unit": "ratio", "of": "wounded"}, "column value", "negative"),
    "counted ratio": (
        {"value": 3, "unit": "ratio", "of": "wounded", "qualifier": "counted"}, "column qualifier", "counted though"
    ),
    "ratio of a place": ({"value": 3, "unit": "ratio", "of": "wounded", "part": "north"}, "column part", "of a share"),
    "of a count": ({"value": 2, "of": "deployed"}, "column of", "for a count"),
    "interval without since": ({"value": 2, "measure": "interval"}, "column since", "empty"),
    "since after as_of": ({"value": 2, "measure": "interval", "since": "2024-04-02"}, "column since", "after as_of"),
    "since of a total": ({"value": 2, "since": "2024-03-02"}, "column since", "though the measure"),
    "stock of losses": ({"value": 2, "measure": "stock"}, "column measure", "the missing alone"),
    "unknown origin": ({"value": 2, "origin": "nobody"}, "column origin", "no other row"),
    "own origin": ({"value": 2, "origin": "c0"}, "column origin", "no other row"),
    "unknown replaces": ({"value": 2, "replaces": "c9"}, "column replaces", "no other row"),
    "published early": ({"value": 2, "as_of": "2024-03-31", "published": "2024-03-01"}, "column published", "before"),
    "no digits": ({"value": 2, "digits": 0}, "column digits", "greater than or equal to 1"),
    "bad id": ({"value": 2, "id": "a b"}, "column id", "not an id"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_with_place_value_and_remedy(name, write):
    row, place, problem = BAD_ROWS[name]
    with pytest.raises(InputError) as caught:
        read_case(write([row]))
    faults = [str(fault) for fault in caught.value.faults]
    assert any(place in fault and problem in fault and "row 2" in fault and "; " in fault for fault in faults), faults
    assert all("\n" not in fault for fault in faults)


def test_all_faults_of_a_file_are_listed_at_once(write):
    rows = [row for row, _, _ in BAD_ROWS.values()]
    with pytest.raises(InputError) as caught:
        read_case(write([{"id": f"c{n + 100}", **row} for n, row in enumerate(rows)]))
    assert len(caught.value.faults) >= len(rows)


def test_several_faults_of_one_row_and_of_the_header_are_listed_together(write):
    with pytest.raises(InputError) as caught:
        read_case(write([{"value": 1.2, "unit": "share", "since": "2024-03-02"}], extra="colour"))
    text = str(caught.value)
    assert all(part in text for part in ("unknown column 'colour'", "column value", "column since"))


def test_a_row_that_refers_to_a_faulty_row_is_not_at_fault(write):
    with pytest.raises(InputError) as caught:
        read_case(write([{"value": -1}, {"value": 3, "origin": "c0"}]))
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("value", ["1e16", "1e300", "1e-320"])
def test_what_is_no_count_is_refused(value, write):
    with pytest.raises(InputError, match="no count"):
        read_case(write([{"value": value}]))


def test_days_that_cannot_be_meant_are_refused(write):
    for day, problem in (("2400-01-01", "days after start"), ("9999-01-01", "out of reach"), ("0001-01-01", "reach")):
        with pytest.raises(InputError, match=problem):
            read_case(write([{"value": 3, "as_of": day, "published": day}]))


def test_ids_are_unique(write):
    with pytest.raises(InputError, match="is the id of row 2 too"):
        read_case(write([{"value": 3, "id": "a"}, {"value": 3, "id": "a"}]))


def test_origins_do_not_run_in_a_circle(write):
    with pytest.raises(InputError, match="leads back to itself"):
        read_case(write([{"value": 3, "origin": "c1"}, {"value": 3, "origin": "c0"}]))


def test_unknown_columns_are_refused_by_name(write):
    with pytest.raises(InputError, match="unknown column 'colour'"):
        read_case(write([{"value": 3}], extra="colour"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no header"),
        ("id,source\n", "lacks the column 'quantity'"),
        ("id;source;quantity;colour\n", "an unknown column 'colour'"),
        ("id,source,quantity,published,id\n", "twice"),
        ('id,source,quantity,published\n"a', "is not CSV"),
        ("id,source,quantity,published\na,b,c,d,e\n", "has 5 cells"),
    ],
)
def test_broken_tables_are_refused(text, problem):
    _, faults, _ = parse_claims(text, "claims.csv", Claim)
    assert any(problem in str(fault) for fault in faults), faults


def test_files_that_are_no_text_are_refused(tmp_path):
    bad = tmp_path / "claims.csv"
    bad.write_bytes(b"id,source\n\xff\xfe\n")
    with pytest.raises(InputError, match="line 2: is not UTF-8"):
        read_text(bad)
    bad.write_bytes(b"id\n\0\n")
    with pytest.raises(InputError, match="NUL"):
        read_text(bad)
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path / "missing.csv")


def test_a_missing_claims_file_is_refused(write):
    folder = write([])
    (folder / "claims.csv").unlink()
    with pytest.raises(InputError, match=r"claims.csv: cannot be read"):
        read_case(folder)


def test_an_empty_table_is_legal(write):
    assert read_case(write([])).claims == ()


def test_byte_order_mark_and_windows_lines_are_read(write):
    folder = write([{"value": 3}])
    text = (folder / "claims.csv").read_text(encoding="utf-8")
    (folder / "claims.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_case(folder).claims[0].value == 3


def test_scientific_notation_and_zero_are_legal(write):
    claims = read_case(write([{"value": "1e+03"}, {"value": 0}])).claims
    assert [claim.value for claim in claims] == [1000.0, 0.0]


BAD_CASES = {
    "start = 2024-01-01": ("start = 2025-01-01", "before start"),
    "schema = 1": ("schema = 2", "schema"),
    'role = "own"': ('role = "friend"', "sources.own.role"),
    "bounded = true": ("bounded = 3", "bounded"),
    "median = 5000": ("median = -5", "median"),
    'expr = "losses / deployed"': ('expr = "losses / morale"', "'morale' is unknown"),
    "above = 100": ("above = -1", "above"),
    "[sources.own]": ("[sources.Own]", "not a key"),
    "as_of = 2024-03-31": ('as_of = "31.3.2024"', "write it as 2024-11-01"),
    'outcomes = ["killed", "wounded", "captured"]': ('outcomes = ["killed", "casualties"]', "not a base outcome"),
    "[[thresholds]]": ("[[threshold]]", "threshold: is not a known key; use schema, title, memo, start, end,"),
    "[[thresholds]]\n": (  # a force may be called as a key is
        '[forces.waves]\noutcomes = ["killed"]\nname = "x"\n[[thresholds]]\n',
        "forces.waves.name: is not a known key; use label, outcomes,",
    ),
    "[sources.own]\n": ('[sources.own]\nname = "x"\n', "sources.own.name: is not a known key; use label, role, "),
    ", median = 5000": (
        ", size = 3, median = 5000",
        "waves.0.size: is not a known key; use name, from, to, median, log_sd",
    ),
    "[sources.foe]": (
        '[memo]\nheadline = ["killed", "morale"]\n[sources.foe]',
        "memo.headline: 'morale' is no quantity",
    ),
}


@pytest.mark.parametrize("before", BAD_CASES)
def test_a_bad_case_file_is_refused(before, write):
    after, problem = BAD_CASES[before]
    assert before in CASE
    with pytest.raises(InputError) as caught:
        read_case(write([{"value": 3}], CASE.replace(before, after)))
    assert any(problem in str(fault) for fault in caught.value.faults), caught.value
    assert all(str(fault).startswith(("case.toml", "claims.csv")) for fault in caught.value.faults)


def test_a_source_without_a_role_towards_the_force_is_refused(write):
    toml = CASE.replace('role = "adversary"', "role = {}")
    with pytest.raises(InputError, match="has no role towards x"):
        read_case(write([{"value": 3}], toml))


COLUMNS = [name for name in Claim.model_fields if name != "row"]
WORDS = (
    "", "0", "-1", "1e5", "nan", "1e999", "2024-02-01", "own", "killed", "about", "range", "share", "c0", "ratio",
    "x.wounded",
)  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=12),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=8), max_size=4))
def test_no_row_breaks_the_reader(rows):
    """Whatever the cells, the reader returns claims and faults, each on one line."""
    text = format_claims([])
    header = text.strip()
    columns = header.split(",")
    quoted = [",".join('"' + str(row.get(column, "")).replace('"', '""') + '"' for column in columns) for row in rows]
    _, faults, _ = parse_claims("\n".join([header, *quoted]) + "\n", "claims.csv", Claim)
    assert all("\n" not in str(fault) for fault in faults)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_no_text_breaks_the_reader(text):
    parse_claims(text, "claims.csv", Claim)


def test_a_ratio_of_two_forces_needs_one_role_towards_the_second(write):
    """Towards its own force a source may have several: its readings."""
    row = {"source": "mixed", "value": 3, "unit": "ratio"}
    with pytest.raises(InputError, match="row 2, column of: mixed has several roles towards a;"):
        read_case(write([{**row, "force": "b", "of": "a.killed"}], LULLED))
    read_case(write([{**row, "force": "a", "of": "b.killed"}], LULLED))


def test_a_ratio_needs_both_forces_to_have_arrived(write):
    toml = LULLED.replace('["killed"]', '["killed"]\nbounded = true\nwaves = [{ name = "w", from = 2024-03-01, '
                          'to = 2024-03-02, median = 500, log_sd = 0.1 }]')  # fmt: skip
    row = {"source": "own", "force": "a", "value": 3, "unit": "ratio", "of": "b.killed"}
    with pytest.raises(InputError, match="no wave of b has arrived by 2024-02-01"):
        read_case(write([{**row, "as_of": "2024-02-01"}], toml))
    read_case(write([{**row, "as_of": "2024-03-05"}], toml))
