"""Any table becomes a case by a map of its columns; what is left out is counted by reason."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile

import pytest
from typer.testing import CliRunner

from sim.case.check import check_case
from sim.case.folder import read_case
from sim.cli.app import app
from sim.errors import InputError
from sim.importers import import_any, import_table, read_table
from sim.importers.counts import find_unit
from sim.importers.mapping import list_maps, read_map
from sim.importers.ucdp_order import ORDER

ACLED = """event_id_cnty;event_date;year;event_type;actor1;country;source;fatalities;notes
UKR1;05 January 2024;2024;Battles;A;Ukraine;Paper;10;x
UKR2;20 January 2024;2024;Battles;A;Ukraine;Paper;5;x
UKR3;03 March 2024;2024;Battles;A;Ukraine;Paper;7;x
UKR4;;2024;Battles;A;Ukraine;Paper;4;x
"""
ORYX = """country,equipment_type,destroyed,abandoned,captured,damaged,type_total,date_recorded
Russia,Tanks,10,1,2,3,16,2022-03-01
Russia,All Types,20,1,2,3,26,2022-03-01
Ukraine,Aircraft,4,0,0,0,4,2022-03-01
Ukraine,Kites,1,0,0,0,1,2022-03-01
"""
WIKI = """Breakdown,Casualties,Time period,Source
Northern forces,"42,000–45,000 killed[12]",31 May 2024,Northern army
Northern forces,~12 captured,31 May 2024,Southern army
Southern forces,"10,500+ killed",31 May 2024,Northern army
Southern forces,unknown,31 May 2024,Southern army
Western forces,"Nearly 10,000 killed, 30,000+ wounded[3]",24 February 2022 – 1 June 2024[4],Western army[5]
Western forces,"Killed: 1.2 thousand; missing: ~40",until 1 June 2024,Eastern army
Western forces,3,000 killed or captured,1 June 2024,Eastern army
"""
UCDP = "id,conflict_name,date_start,date_end,best,high,low"


def lay(folder, text, name="table.csv"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def bring(folder, text, chosen=None, name="table.csv"):
    """Import a table; return the claims of the case as (force, quantity, qualifier, number), and what was told."""
    told = []
    case = import_any(lay(folder, text, name), folder / "case", chosen, told.append)
    check_case(f"{case}/")
    claims = read_case(case).claims
    return [(each.force, each.quantity, each.qualifier, each.value or (each.low, each.high)) for each in claims], told


@pytest.mark.parametrize("chosen", ["acled", None])
def test_events_of_acled_are_one_count(chosen, tmp_path):
    rows, told = bring(tmp_path, ACLED, chosen)
    assert rows == [("all", "killed", "counted", 26)]
    case = read_case(tmp_path / "case")
    assert (case.start.isoformat(), case.claims[0].as_of.isoformat()) == ("2024-01-05", "2024-03-03")
    assert any("1 of killed (all)" in line for line in told)


def test_events_are_summed_by_month_where_the_map_says_so(tmp_path):
    file = tmp_path / "map.toml"
    file.write_text(
        'sum = "month"\n[columns]\nvalue = "fatalities"\nas_of = "event_date"\n'
        '[constants]\nquantity = "killed"\nqualifier = "counted"\n'
    )
    rows, told = bring(tmp_path, ACLED, str(file))
    assert rows == [("unknown", "killed", "counted", 15), ("unknown", "killed", "counted", 7)]
    assert any(re.search(r"1 row left out, which count 4: has no day \(row 5\)", line) for line in told)


@pytest.mark.parametrize("chosen", ["oryx", None])
def test_lists_of_oryx_are_read_by_kind(chosen, tmp_path):
    rows, told = bring(tmp_path, ORYX, chosen)
    assert rows == [
        ("russia", "tanks", "counted", 16),
        ("ukraine", "aircraft", "counted", 4),
        ("ukraine", "kites", "counted", 1),
    ]
    assert any("1 row left out, which count 26" in line for line in told)


@pytest.mark.parametrize("chosen", ["wikipedia", None])
def test_tables_of_wikipedia_are_read_with_their_wording(chosen, tmp_path):
    rows, _ = bring(tmp_path, WIKI, chosen)
    assert rows == [
        ("northern_forces", "killed", "range", (42_000, 45_000)),
        ("northern_forces", "captured", "about", 12),
        ("southern_forces", "killed", "at_least", 10_500),
        ("western_forces", "killed", "about", 10_000),
        ("western_forces", "wounded", "at_least", 30_000),
        ("western_forces", "killed", "about", 1_200),
        ("western_forces", "missing", "about", 40),
    ]
    assert {claim.as_of.isoformat() for claim in read_case(tmp_path / "case").claims} == {"2024-05-31", "2024-06-01"}
    assert read_case(tmp_path / "case").sources["western_army"].label == "Western army"


def test_a_map_is_guessed_and_written_to_be_mended(tmp_path):
    text = "Date\tCountry\tDead\tWounded\tSource\n2024-05-01\tNorth\t10\t30\tArmy\n02/13/2024\tNorth\t\t5\tArmy\n"
    rows, _ = bring(tmp_path, text)
    assert rows == [
        ("north", "killed", "about", 10),
        ("north", "wounded", "about", 30),
        ("north", "wounded", "about", 5),
    ]
    written = tmp_path / "case" / "map.toml"
    assert read_map(str(written)).wide == {"killed": ("Dead",), "wounded": ("Wounded",)}
    import_any(tmp_path / "table.csv", tmp_path / "again", str(written))
    assert read_case(tmp_path / "again").claims == read_case(tmp_path / "case").claims


def test_a_map_filters_and_sets(tmp_path):
    file = tmp_path / "map.toml"
    file.write_text(
        'dates = "day-first"\n[columns]\nvalue = "n"\nas_of = "when"\n[constants]\nsource = "us"\nquantity = "killed"\n'
        '[filters]\nside = ["north"]\n[sources.us]\nlabel = "Ourselves"\nrole = "independent"\n'
    )
    rows, told = bring(tmp_path, "when,side,n\n03/04/2024,North,5\n03/04/2024,South,6\n", str(file))
    assert rows == [("unknown", "killed", "about", 5)]
    assert any("which count 6: side is filtered out" in line for line in told)
    claim = read_case(tmp_path / "case").claims[0]
    assert (claim.as_of.isoformat(), claim.source) == ("2024-04-03", "us")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = 'x'\n", "names no column of a number"),
        (
            "[columns]\nvalue = 'n'\nas_of = 'nowhere'\n",
            "'nowhere' is no column of table.csv; say --as-of 2024-05-31, or use when, n",
        ),
        ("[columns]\ncolour = 'n'\n", "colour"),
        ("[columns]\nvalue = 'n'\nas_of = 'when'\n[filters]\nside = ['x']\n", "'side' is no column of table.csv"),
        ("[columns]\nvalue = 'n'\nas_of = 'when'\n[constants]\ncolour = 'red'\n", "'colour' is no column"),
        ("[columns]\nvalue = 'when'\nas_of = 'n'\n", "has no row that can be a claim"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_in_one_line_and_nothing_is_written(text, problem, tmp_path):
    file = tmp_path / "map.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        bring(tmp_path, "when,n\n2024-05-01,x\n", str(file))
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # Oryx, a vehicle a row
            "country,origin,system,status,url,date_recorded\nRussia,USSR,1 T-72,destroyed,u/1,2022-03-01\n"
            "Russia,USSR,2 T-72,captured,u/2,2022-03-05\nUkraine,USSR,1 BMP,damaged,u/3,2022-03-05\n",
            [("russia", "equipment", "counted", 2)],
        ),
        (  # Oryx, a vehicle a row with its kind
            ",system,country,origin,status,url,class,Date\n1,T-72,Russia,USSR,captured,u/1,Tanks,03/19/2022\n"
            '2,(Unknown),Russia,Russia,destroyed,u/2,"Trucks, Vehicles, and Jeeps",03/19/2022\n'
            "3,BMP-2,Ukraine,USSR,destroyed,u/3,NA,03/19/2022\n4,BM-21,Russia,USSR,damaged,u/4,Tanks,03/19/2022\n",
            [("russia", "tanks", "counted", 1), ("russia", "vehicles", "counted", 1),
             ("ukraine", "equipment", "counted", 1)],
        ),
        (  # Oryx, a model a row
            ",country,system,abandoned,captured,damaged,destroyed,total,Date\n1,Russia,Truck,2,11,6,133,152,08/27/2023\n"
            "1,Russia,Truck,2,11,6,134,153,08/28/2023\n2,Russia,Crane,0,0,0,1,1,08/28/2023\n",
            [("russia", "equipment", "counted", 154)],
        ),
        (  # things that nobody lists so are no dead
            "date,country,vehicle_type,count\n2024-05-01,North,pickup,3\n",
            [("north", "equipment", "about", 3)],
        ),
        (  # a ministry's daily table
            "date,day,aircraft,helicopter,tank,APC,field artillery,MRL,drone\n2022-02-25,2,10,7,80,516,49,4,0\n",
            [
                ("unknown", "tanks", "about", 80), ("unknown", "armoured_vehicles", "about", 516),
                ("unknown", "artillery", "about", 49), ("unknown", "rocket_launchers", "about", 4),
                ("unknown", "aircraft", "about", 10), ("unknown", "helicopters", "about", 7),
                ("unknown", "drones", "about", (None, None)),
            ],
        ),
        (  # a list of names, of which one has no day
            "Name,Rank,Unit,Date of death\nA,Sgt,1st,12/05/2024\nB,Pvt,1st,25/05/2024\nC,Pvt,2nd,\n",
            [("all", "killed", "counted", 3)],
        ),
        (  # events of somebody else
            "incident_id,incident_date,location,country,deaths_low,deaths_high,deaths,source\n"
            "1,2024-05-01,X,Here,1,4,2,Paper\n2,2024-05-09,Y,Here,2,2,2,Radio\n",
            [("all", "killed", "counted", 4)],
        ),
    ],
)  # fmt: skip
def test_tables_of_every_kind_are_guessed(text, expected, tmp_path):
    assert bring(tmp_path, text)[0] == expected


def test_of_a_list_that_grows_the_last_state_is_kept(tmp_path):
    later = ORYX.splitlines()[1].replace("16,", "20,").replace("03-01", "04-01")
    rows, told = bring(tmp_path, ORYX + later + "\n", "oryx")
    assert rows == [
        ("ukraine", "aircraft", "counted", 4),
        ("ukraine", "kites", "counted", 1),
        ("russia", "tanks", "counted", 20),
    ]
    assert any("an earlier state of the same list (row 2)" in line for line in told)


@pytest.mark.parametrize(("cell", "value"), [("1.234 million", 1_234_000), ("2.5 k", 2_500), ("20k", 20_000)])
def test_of_millions_and_thousands_a_point_is_decimal(cell, value, tmp_path):
    """Nobody writes a thousand million with a point in it: such a number has one reading."""
    given = '[columns]\nvalue = "n"\nas_of = "when"\n[constants]\nquantity = "killed"\n'
    (tmp_path / "map.toml").write_text(given)
    rows, _ = bring(tmp_path, f"when,n\n2024-05-01,{cell}\n", str(tmp_path / "map.toml"))
    assert rows == [("unknown", "killed", "about", value)]


@pytest.mark.parametrize("cell", ["1.500", "1.500 killed"])
def test_a_number_of_two_readings_is_refused_unless_the_map_says_which(cell, tmp_path):
    text = f"when,n\n2024-05-01,{cell}\n"
    given = '[columns]\nvalue = "n"\nas_of = "when"\n[constants]\nquantity = "killed"\n'
    (tmp_path / "map.toml").write_text(given)
    with pytest.raises(InputError, match=r"table\.csv, row 2: a cell may be 1500 or 1\.5"):
        bring(tmp_path, text, str(tmp_path / "map.toml"))
    (tmp_path / "map.toml").write_text('decimal = ","\n' + given)
    assert bring(tmp_path, text, str(tmp_path / "map.toml"))[0] == [("unknown", "killed", "about", 1500)]


def test_days_of_two_readings_are_refused_unless_it_is_said_which(tmp_path):
    call = CliRunner().invoke
    events = str(lay(tmp_path, f"{UCDP}\n1,Here,03/04/2020,04/04/2020,10,20,5\n", "events.csv"))
    table = str(lay(tmp_path, "date,country,killed\n03/04/2020,Here,5\n"))
    for n, given in enumerate((["ucdp", events], ["table", table, "--guess"])):
        command = ["import", given[0], given[1], str(tmp_path / f"case{n}"), *given[2:]]
        done = call(app, command)
        assert (done.exit_code, "may be 2020-04-03 or 2020-03-04" in done.stderr) == (3, True)
        assert call(app, [*command, "--dates", "month-first"]).exit_code == 0
        case = read_case(tmp_path / f"case{n}")
        assert case.start.isoformat() == "2020-03-04"
    assert call(app, ["import", "radford", table, str(tmp_path / "no"), "--dates", "day-first"]).exit_code == 3


def test_events_without_a_header_are_read_in_the_order_of_the_dataset(tmp_path):
    row = [""] * len(ORDER)
    for name, cell in {
        "id": "7", "conflict_name": "Here", "date_start": "2020-01-05", "date_end": "1/6/2020 0:00", "best": "10",
        "high": "20", "low": "5",
    }.items():  # fmt: skip
        row[ORDER.index(name)] = cell
    other = [*row]
    other[ORDER.index("date_end")] = "1/26/2020 0:00:00"
    imported = read_table("ucdp", lay(tmp_path, ",".join(row) + "\n" + ",".join(other) + "\n"))
    assert (imported.claims[0].value, imported.claims[0].as_of.isoformat()) == (20, "2020-01-26")
    assert any("without a header" in line for line in imported.remarks)


def test_the_command_wants_a_map_or_a_guess(tmp_path):
    file = str(lay(tmp_path, ACLED))
    call = CliRunner().invoke
    assert call(app, ["import", "table", file, str(tmp_path / "case")]).exit_code == 3
    done = call(app, ["import", "table", file, str(tmp_path / "case"), "--map", "nobody"])
    assert (
        done.exit_code,
        "give a file, or one of acled, oryx, oryx_systems, oryx_totals, ucdp, wikipedia" in done.stderr,
    ) == (
        3,
        True,
    )
    assert call(app, ["import", "table", file, str(tmp_path / "case"), "--guess", "--quiet"]).exit_code == 0
    assert call(app, ["import", "ucdp", file, str(tmp_path / "new"), "--guess"]).exit_code == 3


def test_every_shipped_map_is_whole():
    assert list_maps() == ["acled", "oryx", "oryx_systems", "oryx_totals", "ucdp", "wikipedia"]
    assert all(read_map(name) for name in list_maps())


@pytest.mark.parametrize(
    "text",
    [
        "id,conflict_name,date_start,date_end,best_est,high_est,low_est\n1,Here,2020-01-05,2020-01-05,10,20,5\n",
        "id;conflict_name;date_start;date_end;best;high;low\n1;Here;2020-01-05;2020-01-05;10;20;5\n",
        f"{UCDP}\n1,Here,25/01/2020,25/01/2020,10,20,5\n",
        "Id,Conflict Name,Date Start,Date End,Best,High,Low\n1,Here,2020-01-05,2020-01-05,10,20,5\n",
        f"{UCDP}\n1,Here,2020-01-05 00:00:00.000,2020-01-05 00:00:00.000,10,20,5\n",
    ],
)
def test_ucdp_is_read_however_it_was_saved(text, tmp_path):
    assert read_table("ucdp", lay(tmp_path, text)).claims[0].value == 10
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("GEDEvent.csv", text)
    assert read_table("ucdp", lay(tmp_path, out.getvalue(), "ged.zip")).claims[0].value == 10
    for n, chosen in enumerate(("ucdp", None)):
        (tmp_path / str(n)).mkdir()
        assert bring(tmp_path / str(n), text, chosen)[0] == [("all", "killed", "counted", 10)]


def test_ucdp_says_of_how_many_dead_what_is_mended_and_left_out_are(tmp_path):
    rows = ["1,Here,2020-01-05,2020-01-05,10,9,5", "2,Here,2020-01-06,2020-01-06,,8,2", "3,Here,soon,soon,7,8,2"]
    imported = read_table("ucdp", lay(tmp_path, "\n".join([UCDP, *rows]) + "\n"))
    assert imported.claims[0].value == 15
    assert imported.claims[0].log_sd == pytest.approx(math.log(18 / 7) / (2 * 1.28155), rel=1e-3)
    assert imported.left_out == ("1 event left out, which count 7: a day cannot be read (row 4)",)
    told = " ".join(imported.remarks)
    assert "1 event mended, which count 10: best lies outside low and high" in told
    assert "1 event mended, which count 5: no best estimate" in told
    with pytest.raises(InputError, match="a day cannot be read"):
        read_table("ucdp", lay(tmp_path, f"{UCDP}\n{rows[2]}\n"))
    with pytest.raises(InputError, match="put the header of its release above the rows"):
        import_table("ucdp", lay(tmp_path, f"{rows[0]}\n{rows[1]}\n"), tmp_path / "none")


def test_what_a_wide_row_leaves_out_is_counted_over_its_columns(tmp_path):
    text = 'Date,Country,Dead,Wounded,Source\n2024-05-01,North,10,30,Army\n,North,3,"1,500",Army\n'
    _, told = bring(tmp_path, text)
    assert any("which count 1,503: has no day (row 3)" in line for line in told)


@pytest.mark.parametrize("chosen", ["oryx", None])
def test_a_table_without_a_day_is_given_one(chosen, tmp_path):
    text = "".join(line.rpartition(",")[0] + "\n" for line in ORYX.splitlines())
    file = str(lay(tmp_path, text))
    call, given = CliRunner().invoke, ["--map", chosen] if chosen else ["--guess"]
    command = ["import", "table", file, str(tmp_path / "case"), *given]
    done = call(app, command)
    assert (done.exit_code, "say --as-of 2024-05-31, or " in done.stderr) == (3, True)
    assert call(app, [*command, "--as-of", "2023-10-22"]).exit_code == 0
    assert {str(claim.as_of) for claim in read_case(tmp_path / "case").claims} == {"2023-10-22"}
    if chosen is None:  # the map that is written holds the day
        again = ["import", "table", file, str(tmp_path / "again"), "--map", str(tmp_path / "case" / "map.toml")]
        assert call(app, again).exit_code == 0
    assert call(app, ["import", "ucdp", file, str(tmp_path / "no"), "--as-of", "2023-10-22"]).exit_code == 3


def test_a_guessed_map_holds_the_day_that_was_given(tmp_path):
    file, day = str(lay(tmp_path, "country,killed\nNorth,5\n")), ["--as-of", "2023-10-22"]
    call = CliRunner().invoke
    assert call(app, ["import", "table", file, str(tmp_path / "one"), "--guess", *day]).exit_code == 0
    again = ["import", "table", file, str(tmp_path / "two"), "--map", str(tmp_path / "one" / "map.toml")]
    assert call(app, again).exit_code == 0
    assert read_case(tmp_path / "two").claims == read_case(tmp_path / "one").claims


def test_deaths_by_kind_are_no_list_of_oryx(tmp_path):
    """A table of deaths may have the columns country, type, date and total; equipment has how it was lost, too."""
    rows, _ = bring(tmp_path, "country,type,date,total\nNorth,killed,2024-05-01,5\n")
    assert rows == [("north", "killed", "about", 5)]
    assert "oryx" not in read_case(tmp_path / "case").sources


UNITS = """Side,Date,Killed ({}),Wounded
North,2024-05-01,1.2,30
"""


@pytest.mark.parametrize(
    ("unit", "killed"),
    [
        ("\u00d710,000", 12_000), ("x1000", 1_200), ("in thousands", 1_200), ("in tens of thousands", 12_000),
        ("thousands", 1_200), ("'000s", 1_200), ("in 1,000s", 1_200), ("\u4e07", 12_000), ("millions", 1_200_000),
    ],
)  # fmt: skip
def test_a_unit_in_a_header_is_taken_at_its_word_and_said(unit, killed, tmp_path):
    """Unless the map says otherwise, which it must where it is one's own."""
    text = UNITS.format(unit).replace(f"Killed ({unit})", f'"Killed ({unit})"')
    claims, told = bring(tmp_path, text)
    assert claims == [("north", "killed", "about", killed), ("north", "wounded", "about", 30)]
    assert f"counts in units of {round(killed / 1.2):,}" in told[0]
    (tmp_path / "own.toml").write_text(
        f'[columns]\nforce = "Side"\nas_of = "Date"\n[wide]\nkilled = "Killed ({unit})"\n[constants]\nsource = "x"\n'
    )
    with pytest.raises(InputError, match=r"says units of .* add to the map: .scale"):
        import_any(tmp_path / "table.csv", tmp_path / "other", str(tmp_path / "own.toml"))
    with (tmp_path / "own.toml").open("a") as file:
        file.write(f'[scale]\n"Killed ({unit})" = 10\n')
    case = import_any(tmp_path / "table.csv", tmp_path / "other", str(tmp_path / "own.toml"))
    assert [claim.value for claim in read_case(case).claims] == [12]


@pytest.mark.parametrize("header", ["Killed in action", "Killed per 1,000", "Killed (2023)", "Killed (100)", "Max 10"])
def test_what_looks_like_a_unit_in_a_header_is_none(header):
    assert find_unit(header) == (1.0, header)


def test_a_table_of_more_days_than_a_case_may_have_is_refused_before_it_is_written(tmp_path):
    text = "side,date,killed\nA,1889-05-01,3\nB,2024-01-01,50\nB,2023-01-01,5\n"
    with pytest.raises(InputError, match=r"spans 1889-05-01 to 2024-01-01 \(row 3\), more than 40,000 days; .*--first"):
        bring(tmp_path, text)
    assert not (tmp_path / "case").exists()
    told = []
    day = dt.date(2022, 1, 1)
    case = import_any(tmp_path / "table.csv", tmp_path / "case", None, told.append, span=(day, None))
    assert [claim.value for claim in read_case(case).claims] == [50, 5]
    assert "1 row left out, which count 3: before 2022-01-01, the map's first day (row 2)" in told
    again = import_any(tmp_path / "table.csv", tmp_path / "again", str(case / "map.toml"))
    assert (again / "claims.csv").read_bytes() == (case / "claims.csv").read_bytes()
