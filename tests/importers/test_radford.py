"""Importing the table of Radford et al. 2023: what each row becomes, what is excluded and why, and what is refused."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.case.case import CaseFile
from sim.case.check import check_case
from sim.case.claims import Claim
from sim.case.folder import read_case
from sim.case.observations import rounding_unit
from sim.errors import InputError
from sim.importers import FORMATS, Imported, format_case, import_table, read_table
from sim.importers.radford import (
    CATEGORIES,
    COLUMNS,
    NOT_OF_A_DAY,
    SOURCES,
    START,
    TOO_HIGH,
    TOO_LOW,
    URL,
)

HEADER = ",".join(COLUMNS)
TANKS = "56,647,UA Source,Cumulative,Russia,0,0,Tanks"


def write_table(folder, *rows, header=HEADER):
    file = folder / "losses.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def convert(tmp_path):
    """Return a function that imports a table of the given rows and reads the case back."""

    def convert_rows(*rows):
        return read_case(import_table("radford", write_table(tmp_path, *rows), tmp_path / "case"))

    return convert_rows


@pytest.fixture
def refusal(tmp_path):
    """Return a function that imports a table that cannot be, and returns the lines that say why."""

    def refuse_rows(*rows, header=HEADER):
        with pytest.raises(InputError) as caught:
            import_table("radford", write_table(tmp_path, *rows, header=header), tmp_path / "case")
        assert not (tmp_path / "case").exists()
        return [str(fault) for fault in caught.value.faults]

    return refuse_rows


def count_days(day, *counts, row="{day},{count},UA Source,Cumulative,Russia,0,0,Tanks"):
    """Return rows of a running count, one for each day from `day` on."""
    return [row.format(day=day + step, count=count) for step, count in enumerate(counts)]


def test_a_row_becomes_a_claim_that_leads_back_to_it(convert):
    case = convert(TANKS)
    (claim,) = case.claims
    assert claim.id == "ua-russia-tanks-2022-04-20"
    assert (claim.source, claim.speaker, claim.force, claim.quantity) == ("ua", "UA Source", "russia", "tanks")
    assert (claim.value, claim.qualifier, claim.measure, claim.since) == (647, "about", "cumulative", None)
    assert claim.as_of == claim.published == dt.date(2022, 4, 20)
    assert (claim.report, claim.url, claim.exclude, claim.note) == ("losses.csv, row 2", URL, "", "")


def test_a_count_of_one_day_is_an_interval_of_that_day(convert):
    (claim,) = convert("56,40,RU Source,Day,Ukraine,0,0,Military Deaths").claims
    assert claim.id == "ru-ukraine-killed-2022-04-20-day"
    assert (claim.measure, claim.since, claim.as_of) == ("interval", dt.date(2022, 4, 20), dt.date(2022, 4, 20))


@pytest.mark.parametrize(("day", "date"), [("1", "2022-02-24"), ("07", "2022-03-02"), ("365", "2023-02-23")])
def test_day_one_is_the_day_of_the_invasion(convert, day, date):
    assert convert(f"{day},5,OSI,Cumulative,Russia,0,0,Ships").claims[0].as_of == dt.date.fromisoformat(date)


@pytest.mark.parametrize(("flags", "qualifier"), [("0,0", "about"), ("1,0", "at_least"), ("0,1", "at_most")])
def test_the_flags_are_the_wording(convert, flags, qualifier):
    assert convert(f"9,700,Other,Cumulative,Russia,{flags},Military Deaths").claims[0].qualifier == qualifier


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [("1e+05", 100_000, 10_000), ("2e+05", 200_000, 100_000), ("1.5e+05", 150_000, 10_000), ("0", 0, None)],
)
def test_scientific_notation_is_the_number_and_not_its_precision(convert, written, value, unit):
    """R spells 100,000 so: the rounding is that of 100,000, to the nearest 10,000, and not to the nearest 100,000."""
    (claim,) = convert(f"356,{written},Other,Cumulative,Russia,0,0,Military Casualties").claims
    assert (claim.value, claim.digits) == (value, None)
    assert rounding_unit(claim) == unit
    assert claim.note == ("" if written == "0" else f"the table writes {written}")


@pytest.mark.parametrize(
    ("country", "category", "force", "quantity"),
    [
        ("Russia", "Military Deaths", "russia", "killed"),
        ("Ukraine", "Military Injuries", "ukraine", "wounded"),
        ("Ukraine", "Military Casualties", "ukraine", "casualties"),
        ("Ukraine", "Civilian Deaths", "ukraine_civilians", "killed"),
        ("Ukraine", "Civilian Injuries", "ukraine_civilians", "wounded"),
        ("Ukraine", "Civilian Casualties", "ukraine_civilians", "casualties"),
        ("Russia", "Vehicles & Fuel Tanks", "russia", "vehicles"),
        ("Ukraine", "Special Military Motor Vehicles", "ukraine", "special_vehicles"),
    ],
)
def test_a_category_is_a_quantity_of_a_force(convert, country, category, force, quantity):
    case = convert(f"9,7,Other,Cumulative,{country},0,0,{category}")
    assert (case.claims[0].force, case.claims[0].quantity) == (force, quantity)
    assert list(case.forces) == [force]
    expected = ("killed", "wounded") if quantity == "casualties" else (quantity,)
    assert case.forces[force].outcomes == expected


@pytest.mark.parametrize(
    ("category", "total", "parts"),
    [
        ("Tanks & Armored Combat Vehicles", "tanks_and_armoured_vehicles", ("tanks", "armoured_vehicles")),
        ("Aircraft (unspecified)", "aircraft", ("jets", "helicopters")),
    ],
)
def test_a_sum_of_categories_is_a_total_whose_parts_are_outcomes(convert, category, total, parts):
    case = convert(f"9,7,RU Source,Cumulative,Ukraine,0,0,{category}", "9,5,Other,Cumulative,Russia,0,0,Ships")
    assert case.file.totals == {total: parts}
    assert case.parts_of("ukraine", total) == parts
    assert case.forces["ukraine"].outcomes == parts
    assert case.parts_of("russia", total) == ()


def test_a_case_has_the_forces_and_sources_that_speak_and_no_waves(convert):
    case = convert(TANKS, "9,5,United Nations,Cumulative,Ukraine,0,0,Civilian Deaths")
    assert {key: force.label for key, force in case.forces.items()} == {
        "russia": "Russian forces",
        "ukraine_civilians": "Ukrainian civilians",
    }
    assert not any(force.bounded or force.waves for force in case.forces.values())
    assert list(case.sources) == ["ua", "un"]
    assert case.file.totals == {}
    assert (case.start, case.end, case.as_of) == (START, dt.date(2023, 2, 23), dt.date(2023, 2, 23))
    assert (case.file.bin_days, case.file.prior) == (14, "default")


@pytest.mark.parametrize(
    ("source", "roles"),
    [
        ("UA Source", ("adversary", "own", "own")),
        ("RU Source", ("own", "adversary", "adversary")),
        ("US Source", ("ally_of_adversary", "ally_of_own", "ally_of_own")),
        ("GB Source", ("ally_of_adversary", "ally_of_own", "ally_of_own")),
        ("United Nations", ("independent",) * 3),
        ("OSI", ("independent",) * 3),
        ("Other", ("independent",) * 3),
    ],
)
def test_a_source_has_its_role_by_belligerency(convert, source, roles):
    case = convert(
        f"9,7,{source},Cumulative,Russia,0,0,Tanks",
        f"9,7,{source},Cumulative,Ukraine,0,0,Tanks",
        f"9,7,{source},Cumulative,Ukraine,0,0,Civilian Deaths",
    )
    (item,) = case.sources.values()
    assert tuple(item.roles_towards(force) for force in case.forces) == tuple((role,) for role in roles)
    assert item.label


def test_an_exact_duplicate_is_kept_out_and_names_the_row_that_is_used(convert):
    rows = convert(TANKS, TANKS, TANKS.replace("647", "648"), TANKS).claims
    assert [row.id for row in rows] == ["ua-russia-tanks-2022-04-20", *(f"{rows[0].id}-{n}" for n in (2, 3, 4))]
    repeat = f"exact duplicate of {rows[0].id}"
    assert [row.exclude for row in rows] == ["", repeat, "", repeat]


def test_the_same_number_in_other_words_is_no_duplicate(convert):
    at_most = TANKS.replace(",0,0,", ",0,1,")
    assert [row.exclude for row in convert(TANKS, at_most).claims] == ["", ""]


@pytest.mark.parametrize(
    ("counts", "odd", "reason"),
    [
        ((500, 510, 520, 530, 540, 103, 560), 5, TOO_LOW),
        ((500, 510, 520, 530, 540, 104, 560), 5, ""),
        ((500, 2701, 520, 530, 540, 550, 560), 1, TOO_HIGH),
        ((500, 2700, 520, 530, 540, 550, 560), 1, ""),
        ((10, 60, 200, 900, 2000, 4000, 9000), 6, ""),
        ((500, 510, 520, 530, 10, 550), 4, ""),
    ],
)
def test_a_count_five_times_away_from_those_before_or_after_is_excluded(convert, counts, odd, reason):
    """Five days on one side are needed; growth, however fast, is no slip."""
    rows = convert(*count_days(40, *counts)).claims
    assert [row.exclude for row in rows] == [reason if at == odd else "" for at in range(len(counts))]


def test_a_bound_and_another_sources_count_are_never_slips(convert):
    running = count_days(40, 500, 510, 520, 530, 540)
    low, high = "46,9,UA Source,Cumulative,Russia,1,0,Tanks", "39,9000,UA Source,Cumulative,Russia,0,1,Tanks"
    other = "46,9,OSI,Cumulative,Russia,0,0,Tanks"
    assert not any(row.exclude for row in convert(*running, low, high, other).claims)


def test_days_count_and_not_rows(convert):
    rows = [f"40,{count},RU Source,Cumulative,Russia,0,0,Tanks" for count in (500, 510, 520, 530, 540, 550)]
    assert not any(row.exclude for row in convert(*rows, "42,9,RU Source,Cumulative,Russia,0,0,Tanks").claims)


def test_a_running_count_entered_as_that_of_a_day_is_excluded(convert):
    whole = "86,13,UA Source,Day,Russia,0,0,Ships"
    running = count_days(85, 13, 13, row="{day},{count},UA Source,Cumulative,Russia,0,0,Ships")
    assert convert(whole, *running).claims[0].exclude == NOT_OF_A_DAY


@pytest.mark.parametrize("counts", [(13,), (0, 13), (12, 14)])
def test_a_count_of_a_day_stands_where_it_may_be_the_first_or_differs(convert, counts):
    running = count_days(87 - len(counts), *counts, row="{day},{count},UA Source,Cumulative,Russia,0,0,Ships")
    assert not any(row.exclude for row in convert("86,13,UA Source,Day,Russia,0,0,Ships", *running).claims)


def test_a_known_slip_is_excluded_by_its_content(convert):
    assert [
        row.exclude.partition(":")[0]
        for row in convert(
            "87,55110,UA Source,Cumulative,Russia,0,0,Military Deaths",
            "87,55110,Other,Cumulative,Russia,0,0,Military Deaths",
            "210,55110,UA Source,Cumulative,Russia,0,0,Military Deaths",
        ).claims
    ] == ["slip", "", ""]


def test_the_report_counts_and_does_not_list_each_duplicate(tmp_path):
    lines = []
    file = write_table(tmp_path, TANKS, TANKS, TANKS, TANKS.replace("Tanks", "Jets"), TANKS.replace("Tanks", "Jets"))
    import_table("radford", file, tmp_path / "case", lines.append)
    assert lines == [
        "2 claims: 1 of jets (russia), 1 of tanks (russia)",
        "3 kept but excluded: exact duplicate of another row",
    ]


def test_the_remarks_head_the_case(convert):
    text = (convert(TANKS).folder / "case.toml").read_text(encoding="utf-8")
    head = text[: text.index("schema = 1")]
    assert all(line.startswith("# ") for line in head.splitlines())
    assert URL in head
    assert "MIT licence" in head


def test_totals_of_a_case_are_written_and_read_back(tmp_path):
    """Also where a name that is a default has other parts, and where there are none."""
    data = {"schema": 1, "start": START, "forces": {"a": {"outcomes": ["killed", "wounded", "tanks"]}}}
    for totals in ({}, {"casualties": ["killed"], "all": ["killed", "tanks"]}):
        case = CaseFile.model_validate({**data, "totals": totals})
        claim = Claim(id="x", source="s", quantity="killed", published=START, exclude="none")
        text = format_case(Imported(case, (claim,), (), ()))
        assert ("[totals]" in text) == bool(totals)
        (tmp_path / "case.toml").write_text(text, encoding="utf-8")
        (tmp_path / "claims.csv").write_text("id,source,quantity,published\n", encoding="utf-8")
        assert read_case(tmp_path).file == case


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("0,5,OSI,Day,Russia,0,0,Tanks", "days", "'0' is no day of the table's year, 1 to 365"),
        ("366,5,OSI,Day,Russia,0,0,Tanks", "days", "'366' is no day"),
        ("-1,5,OSI,Day,Russia,0,0,Tanks", "days", "'-1' is no day"),
        ("1.5,5,OSI,Day,Russia,0,0,Tanks", "days", "'1.5' is no day"),
        (",5,OSI,Day,Russia,0,0,Tanks", "days", "'' is no day"),
        ("1,,OSI,Day,Russia,0,0,Tanks", "loss_count", "'' is no count"),
        ("1,many,OSI,Day,Russia,0,0,Tanks", "loss_count", "'many' is no count"),
        ("1,-5,OSI,Day,Russia,0,0,Tanks", "loss_count", "'-5' is no count"),
        ("1,nan,OSI,Day,Russia,0,0,Tanks", "loss_count", "'nan' is no count"),
        ("1,NA,OSI,Day,Russia,0,0,Tanks", "loss_count", "'NA' is no count"),
        ("1,inf,OSI,Day,Russia,0,0,Tanks", "loss_count", "'inf' is no count"),
        ("1,2.5,OSI,Day,Russia,0,0,Tanks", "loss_count", "'2.5' is no count"),
        ("1,1.55e+01,OSI,Day,Russia,0,0,Tanks", "loss_count", "'1.55e+01' is no count"),
        ("1,1e-05,OSI,Day,Russia,0,0,Tanks", "loss_count", "'1e-05' is no count"),
        ("1,1e+99,OSI,Day,Russia,0,0,Tanks", "loss_count", "'1e+99' is no count"),
        ("1,9999999999999999,OSI,Day,Russia,0,0,Tanks", "loss_count", "is no count"),
        ("1,٥,OSI,Day,Russia,0,0,Tanks", "loss_count", "is no count"),
        ("1,5,FR Source,Day,Russia,0,0,Tanks", "claim_source", "'FR Source' is no claim_source of the table"),
        ("1,5,OSI,Week,Russia,0,0,Tanks", "time_frame", "'Week' is no time_frame of the table; use Cumulative, Day"),
        ("1,5,OSI,Day,Belarus,0,0,Tanks", "loss_country", "'Belarus' is no loss_country of the table"),
        ("1,5,OSI,Day,Russia,0,0,Trains", "category", "'Trains' is no category of the table"),
        ("1,5,OSI,Day,Russia,2,0,Tanks", "minimum", "'2' is no minimum of the table; use 0, 1"),
        ("1,5,OSI,Day,Russia,0,,Tanks", "maximum", "'' is no maximum of the table"),
        ("1,5,OSI,Day,Russia,1,1,Tanks", "maximum", "not both at least and at most"),
        ("1,5,OSI,Day,Russia,0,0,Civilian Deaths", "category", "Ukraine's civilians alone"),
        ("1,5,OSI,Day,Russia,0,0", "category", "is missing: the row ends before it"),
    ],
)
def test_a_cell_that_the_table_cannot_hold_is_refused_in_one_line(refusal, row, column, problem):
    (line,) = refusal(TANKS, row)
    assert line.startswith(f"losses.csv, row 3, column {column}: ")
    assert problem in line
    assert "; " in line
    assert "\n" not in line


def test_all_faults_are_listed_at_once(refusal):
    lines = refusal("0,x,OSI,Day,Russia,0,0,Tanks", TANKS, "1,5,OSI,Day,Russia,1,1,Trains")
    places = [line.split(":")[0].removeprefix("losses.csv, ") for line in lines]
    assert places == [
        "row 2, column days",
        "row 2, column loss_count",
        "row 4, column category",
        "row 4, column maximum",
    ]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_refused_by_name(refusal, column):
    header = ",".join(name for name in COLUMNS if name != column)
    (line,) = refusal(TANKS, header=header)
    assert f"does not name {column} once" in line


def test_a_table_without_rows_is_refused(refusal):
    (line,) = refusal("", " , , ")
    assert line == "losses.csv: has no rows; give the replication-data-pnas.csv of Radford et al. 2023"


ROWS = st.tuples(
    st.integers(1, 365),
    st.sampled_from(["0", "1", "13", "1e+05", "2.5e+06", "99999", "647"]),
    st.sampled_from(list(SOURCES)),
    st.sampled_from(["Cumulative", "Day"]),
    st.just("Ukraine"),
    st.sampled_from(["0,0", "1,0", "0,1"]),
    st.sampled_from(list(CATEGORIES)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_any_table_in_its_layout_becomes_a_case_that_reads_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    file = write_table(folder, *(",".join(map(str, row)) for row in rows))
    imported = read_table("radford", file)
    case = read_case(import_table("radford", file, folder / "case"))
    assert case.file == imported.case
    filled = (claim.model_copy(update={"row": at + 2}) for at, claim in enumerate(imported.claims))
    assert case.claims == tuple(filled)
    assert len(case.claims) == len(rows)
    assert len({claim.id for claim in case.claims}) == len(rows)
    assert {warning.kind for warning in check_case(f"{folder}/case").warnings} <= {
        "excluded",
        "echo",
        "contradiction",
        "fall",
        "days",
        "empty",
        "outcome",
        "part",
    }


def test_importing_loads_no_sampler():
    code = (
        "import sys, sim.importers.radford\n"
        "heavy = {'pymc', 'arviz', 'nutpie', 'pytensor', 'matplotlib', 'numba', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "radford" in FORMATS
