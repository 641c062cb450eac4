"""Importing other projects' tables: what each row becomes, what is left out and why, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.case.check import check_case
from sim.case.folder import read_case
from sim.errors import InputError
from sim.importers import FORMATS, import_table, read_table
from sim.importers.economist import INSTITUTIONS

SHARED = Path(__file__).parents[3] / "shared" / "data" / "economist" / "estimates.csv"

HEADER = (
    "date,estimate_low,estimate_high,estimate,type,source,source_url,country,"
    '"ignore for chart, data from warring parties"'
)
CHART = "https://x.com/DefenceHQ/status/1876584633103507960/photo/2"
WEST = {"russia": ("ally_of_adversary",), "ukraine": ("ally_of_own",)}


def write_table(folder, *rows, header=HEADER):
    file = folder / "estimates.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def convert(tmp_path):
    """Return a function that imports a table of the given rows and reads the case back, with what was left out."""

    def convert_rows(*rows, header=HEADER):
        file = write_table(tmp_path, *rows, header=header)
        case = read_case(import_table("economist", file, tmp_path / "case"))
        return case, read_table("economist", file).left_out

    return convert_rows


@pytest.fixture
def claim(convert):
    """Return a function that imports one row and returns its claim."""

    def convert_row(row):
        case, left_out = convert(row)
        assert not left_out
        return case.claims[0]

    return convert_row


def test_a_row_becomes_a_claim_that_leads_back_to_it(convert):
    case, _ = convert("05/03/2023,,,12345,deaths,  CSIS ,https://example.org/a,Russia,")
    (claim,) = case.claims
    assert (claim.source, claim.force, claim.quantity, claim.value) == ("csis", "russia", "killed", 12345)
    assert claim.as_of == claim.published == dt.date(2023, 3, 5)
    assert (claim.report, claim.url) == ("estimates.csv, row 2", "https://example.org/a")
    assert not claim.exclude
    assert case.start == dt.date(2022, 2, 24)
    assert {key: force.label for key, force in case.forces.items()} == {
        "russia": "Russian forces",
        "ukraine": "Ukrainian forces",
    }
    assert all(force.outcomes == ("killed", "wounded") and not force.bounded for force in case.forces.values())


@pytest.mark.parametrize(
    ("numbers", "qualifier", "said"),
    [
        (",,12345", "exact", (None, 12345, None)),
        (",,0", "exact", (None, 0, None)),
        (",,12000", "about", (None, 12000, None)),
        ("9000,11000,", "range", (9000, None, 11000)),
        ("9000,11000,9500", "range", (9000, 9500, 11000)),
        ("9000,9000,", "about", (None, 9000, None)),
        ("9001,9001,9001", "exact", (None, 9001, None)),
        ("9000,,", "at_least", (None, 9000, None)),
        (",9000,", "at_most", (None, 9000, None)),
        ("8000,,9000", "about", (None, 9000, None)),
        ('"140,000",NA, ', "at_least", (None, 140000, None)),
        ('n/a,-,"1,200,000"', "about", (None, 1200000, None)),
        (",,120 000", "about", (None, 120000, None)),
        (",,120\u00a0000", "about", (None, 120000, None)),
        (",,7000.0", "about", (None, 7000, None)),
    ],
)
def test_the_wording_follows_from_which_columns_are_given(claim, numbers, qualifier, said):
    row = claim(f"05/03/2023,{numbers},casualties,CSIS,,russia,")
    assert (row.qualifier, row.number, row.exclude) == (qualifier, said, "")


@pytest.mark.parametrize(
    ("source", "numbers", "qualifier", "value"),
    [
        ("UAlosses", ",,4321", "counted", 4321),
        ("UAlosses", "4321,8000,", "counted", 4321),
        ("The Memory Book", ",,4000", "counted", 4000),
        ("BBC Russia", ",,4321", "counted", 4321),
        ("Mediazona; Meduza", "4321,,", "counted", 4321),
        ("BBC Russia", "4000,,", "at_least", 4000),
        ("BBC Russia", "4321,8000,", "range", None),
    ],
)
def test_names_are_counted_and_what_is_reckoned_from_them_is_not(claim, source, numbers, qualifier, value):
    row = claim(f"05/03/2023,{numbers},deaths,{source},,ukraine,")
    assert (row.qualifier, row.value) == (qualifier, value)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        (",,", "no number"),
        ("NA,NA,NA", "no number"),
        (",,many", "'many' is no number"),
        (",,140.000", "'140.000' is no number"),
        (",,-5", "'-5' is no number"),
        (",,1e5", "'1e5' is no number"),
        (',,"1,40"', "'1,40' is no number"),
        ("9,8,", "not in order"),
        ("10,20,30", "not in order"),
    ],
)
def test_a_row_without_a_usable_number_is_kept_and_excluded(claim, numbers, reason):
    assert reason in claim(f"05/03/2023,{numbers},deaths,CSIS,,russia,").exclude


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("03/23/2023,,,5,deaths,CSIS,,russia,", "'03/23/2023' is no day"),
        ("30/02/2023,,,5,deaths,CSIS,,russia,", "'30/02/2023' is no day"),
        (",,,5,deaths,CSIS,,russia,", "'' is no day"),
        ("05/03/3023,,,5,deaths,CSIS,,russia,", "'05/03/3023' is no day"),
        ("05/03/2023,,,5,missing,CSIS,,russia,", "the type 'missing'"),
        ("05/03/2023,,,5,desertion,CSIS,,russia,", "the type 'desertion'"),
        ("05/03/2023,,,5,deaths,CSIS,,belarus,", "the country 'belarus'"),
        ("05/03/2023,,,5,deaths, ,,russia,", "names no source"),
        ("05/03/2023,,,5,deaths,CSIS", "ends before the column source_url"),
    ],
)
def test_a_row_that_cannot_be_a_claim_is_left_out_with_a_line(convert, row, reason):
    case, left_out = convert("05/03/2023,,,5,deaths,CSIS,,russia,", row, " , ,,,,,,,")
    assert len(case.claims) == 1
    (line,) = left_out
    assert reason in line
    assert "row 3" in line
    assert f"# {line}" in (case.folder / "case.toml").read_text(encoding="utf-8")


def test_a_row_before_the_invasion_is_excluded(claim):
    assert "before the invasion" in claim("01/02/2021,,,5,deaths,CSIS,,russia,").exclude


def test_a_repeated_row_is_used_once(convert):
    rows = convert("5/3/2023,,,5,deaths,CSIS,,russia,", '05/03/2023,,, 5 ,deaths,"CSIS ",,russia,')[0].claims
    assert [row.exclude for row in rows] == ["", "says the same as row 2 of the table"]
    assert len({row.id for row in rows}) == 2


def test_an_unknown_source_waits_for_a_role(convert):
    case, _ = convert("05/03/2023,,,5,deaths,Ünknown 7 (via X),,russia,", "05/03/2023,,,5,deaths,Медиа,,russia,")
    assert all("on whose side" in row.exclude for row in case.claims)
    assert [case.label_source(row.source) for row in case.claims] == ["Ünknown 7 (via X)", "Медиа"]
    assert all(len(case.sources[row.source].role) == 5 for row in case.claims)


@pytest.mark.parametrize(
    ("source", "key", "role"),
    [
        ("Armed Forces of Ukraine", "ukraine_armed_forces", {"russia": ("adversary",), "ukraine": ("own",)}),
        ("Ukrainian estimate (leak via WSJ)", "ukraine_leak", {"russia": ("adversary",), "ukraine": ("own",)}),
        ("Russian Ministry of Defense", "russia_mod", {"russia": ("own",), "ukraine": ("adversary",)}),
        ("UK MoD", "uk_mod", WEST),
        ("UK Ministry of Defence", "uk_mod", WEST),
        ("US Sec of Def", "us_dod", WEST),
        ("Pentagon leak", "us_dod", WEST),
        ("US officials (via NYT)", "us_officials", WEST),
        ("NATO nations (via NYT)", "nato", WEST),
        ("Dutch Military Intelligence and Security Service (MIVD; a note) ", "netherlands_mivd", WEST),
        ("Lostarmour", "lostarmour", {"russia": ("ally_of_own",), "ukraine": ("ally_of_adversary",)}),
        ("The Center for Strategic and International Studies", "csis", ("independent",)),
        ("Mediazona; Meduza (cumulative)", "mediazona_meduza", ("independent",)),
        ("UAlosses", "ualosses", ("independent",)),
    ],
)
def test_one_institution_has_one_key_and_a_role_by_belligerency(convert, source, key, role):
    case, _ = convert(f"05/03/2023,,,5,deaths,{source},,russia,")
    assert case.claims[0].source == key
    assert case.claims[0].speaker == source.strip()
    assert case.sources[key].role == role
    assert list(case.sources) == [key]


def test_no_alias_belongs_to_two_institutions():
    names = [name for key, item in INSTITUTIONS.items() for name in (key, *item.aliases)]
    assert len(set(names)) == len(names)


def test_what_a_source_says_in_one_place_is_one_statement_by_force(convert):
    rows = [
        "05/03/2023,,,5,deaths,CSIS,https://example.org/a,russia,",
        "05/03/2023,,,20,casualties,CSIS,https://example.org/a,russia,",
        "05/03/2023,,,6,deaths,CSIS,https://example.org/a,ukraine,",
        "05/03/2023,,,7,deaths,CSIS,https://example.org/b,russia,",
        "05/03/2023,,,9,deaths,IISS,https://example.org/a,russia,",
    ]
    statements = [row.statement for row in convert(*rows)[0].claims]
    assert statements == ["csis-2023-03-05-russia"] * 2 + [""] * 3


@pytest.mark.parametrize(
    ("written", "source", "url", "day"),
    [
        ("23/04/2022", "NATO officials", "https://news.example/world/2022/03/24/losses/", "2022-03-24"),
        ("20/03/2022", "NATO officials", "https://news.example/world/2022/03/24/losses/", "2022-03-20"),
        ("01/02/2024", "Armed Forces of Ukraine", "https://www.mil.gov.ua/news/2024/02/06/vtrati/", "2024-02-06"),
        ("01/02/2024", "CSIS", "https://example.org/2024/13/45/x/", "2024-02-01"),
    ],
)
def test_a_day_that_its_address_contradicts_is_mended_and_marked(claim, written, source, url, day):
    row = claim(f"{written},,,500,deaths,{source},{url},russia,")
    mended = row.phrase == written
    assert row.as_of == row.published == dt.date.fromisoformat(day)
    assert mended == row.note.startswith("slip:") == (dt.datetime.strptime(written, "%d/%m/%Y").date() != row.as_of)  # noqa: DTZ007


def test_the_ministrys_chart_counts_for_the_staff_that_it_charts(convert):
    case, _ = convert(
        f"01/05/2022,,,300,casualties,UK MoD,{CHART},russia,",
        "02/05/2022,,,400,casualties,UK MoD,https://x.com/DefenceHQ/status/1,russia,",
    )
    charted, own = case.claims
    assert (charted.source, charted.origin) == ("uk_mod", "ukraine_armed_forces")
    assert (charted.measure, charted.since) == ("interval", dt.date(2022, 3, 1))
    assert (own.origin, own.measure) == ("", "cumulative")
    assert set(case.sources) == {"uk_mod", "ukraine_armed_forces"}


def test_text_beside_an_address_becomes_a_note(convert):
    case, _ = convert(
        '05/03/2023,,,5,deaths,CSIS,"https://example.org/a (without, say, pilots)",russia,yes',
        '05/03/2023,,,6,deaths,IISS,"(by letter)",russia,',
    )
    first, second = case.claims
    assert first.url == "https://example.org/a"
    assert first.note == "marked by the newspaper as from a warring party; the table says: without, say, pilots"
    assert (second.url, second.note) == ("", "the table says: by letter")


def test_the_bins_of_a_long_war_are_whole_weeks_within_the_limit(convert):
    case, _ = convert("05/03/2028,,,5,deaths,CSIS,,russia,")
    assert case.file.bin_days % 7 == 0
    assert (case.end - case.start).days / case.file.bin_days <= 60
    assert not [warning for warning in check_case(f"{case.folder}/").warnings if warning.kind == "bins"]


def test_the_report_counts_and_names_what_was_left_out(tmp_path):
    file = write_table(
        tmp_path,
        "05/03/2023,,,5,deaths,CSIS,,russia,",
        "05/03/2023,,,,deaths,CSIS,,russia,",
        "05/03/2023,,,5,missing,CSIS,,russia,",
    )
    lines = []
    assert import_table("economist", file, tmp_path / "case", lines.append) == tmp_path / "case"
    assert lines[:2] == ["1 claims: 1 of killed (russia)", "1 kept but excluded: no number"]
    assert "row 4: the type 'missing'" in lines[2]


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"no format is called 'guardian'; use .*economist"):
        import_table("guardian", tmp_path / "x.csv", tmp_path / "case")


@pytest.mark.parametrize("page", ["commands.md", "formats.md"])
def test_the_pages_name_every_format(page):
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    assert all(re.search(rf"\b{name}\b", text) for name in FORMATS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "does not name date"),
        ("date,days_since_invasion,estimate\n", "does not name estimate_low, estimate_high, type"),
        (HEADER.replace("country", "date") + "\n", "does not name date, country once"),
        (HEADER + "\n", "no row that can be a claim"),
        (HEADER + '\n"05/03/2023,,,5\n', "line 2: is not CSV"),
        (HEADER + "\n05/03/2023,,,5,missing,CSIS,,russia,\n", "no row that can be a claim"),
        (b"date\xff\n", "does not name"),
        (None, "cannot be read"),
    ],
)
def test_another_table_is_refused_in_one_line_and_leaves_nothing(tmp_path, content, problem):
    file = tmp_path / "estimates.csv"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        import_table("economist", file, tmp_path / "sub" / "case")
    (fault,) = caught.value.faults
    assert problem in str(fault)
    assert "estimates.csv" in str(fault)
    assert "; " in str(fault)
    assert not (tmp_path / "sub").exists()


def test_a_folder_that_exists_is_left_as_it_is(tmp_path):
    file = write_table(tmp_path, "05/03/2023,,,5,deaths,CSIS,,russia,")
    (tmp_path / "case").mkdir()
    with pytest.raises(InputError, match="exists already"):
        import_table("economist", file, tmp_path / "case")
    assert not list((tmp_path / "case").iterdir())


def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    file = write_table(tmp_path, "05/03/2023,,,5,deaths,CSIS,,russia,")
    write_text = Path.write_text

    def fail_at_claims(path, *arguments, **options):
        if path.name == "claims.csv":
            raise OSError(28, "No space left on device")
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", fail_at_claims)
    with pytest.raises(InputError, match="No space left on device"):
        import_table("economist", file, tmp_path / "case")
    assert [path.name for path in tmp_path.iterdir()] == ["estimates.csv"]


CELLS = st.one_of(
    st.sampled_from(["", "NA", "0", "5", "12345", "140,000", "01/05/2022", "5/3/2023", "deaths", "casualties"]),
    st.sampled_from(["UK MoD", "UAlosses", "CSIS", "russia", "ukraine", CHART, "https://a.example/2022/03/24/b (c)"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
LIKELY = st.tuples(
    st.sampled_from(["5/3/2023", "05/03/2022", "24/02/2022", "01/01/2020"]),
    *[st.sampled_from(["", "0", "7", "12345", "140,000", "NA", "x"])] * 3,
    st.sampled_from(["deaths", "casualties", "wounded", "missing"]),
    st.one_of(st.sampled_from([*INSTITUTIONS, "UK MoD"]), CELLS),
    CELLS,
    st.sampled_from(["russia", "ukraine"]),
    st.sampled_from(["", "yes"]),
)
TABLES = st.lists(st.one_of(LIKELY, LIKELY, st.lists(CELLS, min_size=1, max_size=10)), min_size=1, max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=TABLES)
def test_any_table_becomes_a_case_that_reads_or_is_refused(tmp_path_factory, rows):
    """No table makes a case that `check` would refuse, and none of its rows gets lost."""
    folder = tmp_path_factory.mktemp("any")
    quoted = [",".join('"' + cell.replace('"', '""').replace("\0", "") + '"' for cell in row) for row in rows]
    file = write_table(folder, *quoted)
    try:
        import_table("economist", file, folder / "case")
    except InputError as error:
        assert all("\n" not in str(fault) for fault in error.faults)  # noqa: PT017
        return
    case = read_case(folder / "case")
    imported = read_table("economist", file)
    assert case.claims == tuple(row.model_copy(update={"row": at + 2}) for at, row in enumerate(imported.claims))
    assert case.file == imported.case
    filled = [row for row in rows if any(cell.isprintable() and cell.strip() for cell in row)]
    assert len(imported.claims) + len(imported.left_out) >= len(filled)
    check_case(f"{folder}/case")


def test_importing_loads_no_sampler():
    code = (
        "import sys, sim.importers.economist\n"
        "heavy = {'pymc', 'arviz', 'nutpie', 'pytensor', 'matplotlib', 'numba', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def newspaper(tmp_path_factory):
    if not SHARED.is_file():
        pytest.skip("the newspaper's table is not beside the project (../shared/data/economist/estimates.csv)")
    return read_case(import_table("economist", SHARED, tmp_path_factory.mktemp("economist") / "ukraine"))


def test_the_newspapers_table_becomes_a_case_without_faults(newspaper):
    """Every row is a claim that is used; the warnings are mended days and numbers that two sources share."""
    assert read_table("economist", SHARED).left_out == ()
    report = check_case(f"{newspaper.folder}/")
    assert report.claims == report.used > 100
    assert {warning.kind for warning in report.warnings} <= {"slip", "echo"}
    assert {claim.source for claim in newspaper.claims} <= set(INSTITUTIONS)


def test_every_number_of_the_newspapers_table_is_in_the_case(newspaper):
    """Digits are digits: the numbers of each row, in order, stripped of separators, are those of its claim or note."""
    import csv

    with SHARED.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == len(newspaper.claims)
    for row, claim in zip(rows, newspaper.claims, strict=True):
        cells = (row["estimate_low"], row["estimate"], row["estimate_high"])
        said = {int(cell.replace(",", "")) for cell in cells if cell}
        kept = {number for number in claim.number if number is not None}
        assert kept <= said, claim.id
        assert all(f"{number}" in claim.note for number in said - kept), claim.id
        assert claim.force == row["country"]
        assert {"killed": "deaths"}.get(claim.quantity, claim.quantity) == row["type"]


def test_the_days_of_the_newspapers_table_are_mended_where_their_address_contradicts_them(newspaper):
    slips = {claim.row: claim.as_of.isoformat() for claim in newspaper.claims if claim.note.startswith("slip:")}
    assert slips == {2: "2024-02-06", 80: "2024-09-17", 81: "2024-09-17", 102: "2022-03-24", 103: "2022-03-24"}


def test_the_chart_sums_whole_months_from_march_2022(newspaper):
    """Each step of its sums is a whole number of casualties a day: the first holds 31 days, so March alone."""
    charted = sorted((claim.as_of, claim.value) for claim in newspaper.claims if claim.origin)
    before = 0.0
    for day, value in charted:
        assert (value - before) % (day - dt.timedelta(days=1)).day == 0
        before = value
    assert charted[0][0] == dt.date(2022, 4, 1)
