"""Claims as spreadsheets keep them are read as they are; what has two readings is refused with both."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from sheets import make_ods, make_xlsx
from typer.testing import CliRunner

from sim.case.check import check_case
from sim.case.folder import KINDS, format_claims, read_case
from sim.cli.app import app
from sim.errors import InputError
from sim.report.blank import write_workbook_case
from sim.system.sheets.cells import CellReader, TwoReadings
from sim.system.sheets.grids import split_grid

CASES = Path(__file__).parents[3] / "shared" / "cases"
TOML = """schema = 1
start = 2024-05-01
end = 2024-05-31
[forces.x]
outcomes = ["killed", "wounded"]
[sources.a]
role = "independent"
"""
HEADER = ["id", "source", "quantity", "published", "value"]


def lay(folder, content, name="claims.csv", toml=TOML):
    folder.mkdir(exist_ok=True)
    (folder / "case.toml").write_text(toml, encoding="utf-8")
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read_values(folder):
    return [(claim.value, claim.published.isoformat()) for claim in read_case(folder).claims]


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("id;source;quantity;published;value\nr;a;killed;2024-05-20;1500\n", 1500, "semicolons"),
        ("id\tsource\tquantity\tpublished\tvalue\nr\ta\tkilled\t2024-05-20\t1500\n", 1500, "tabs"),
        ("sep=;\nid;source;quantity;published;value\nr;a;killed;2024-05-20;1500\n", 1500, "semicolons"),
        ("id;source;quantity;published;value\nr;a;killed;2024-05-20;1.500\n", 1500, "parts thousands"),
        ("id;source;quantity;published;value\nr;a;killed;2024-05-20;1.234.500\n", 1_234_500, "parts thousands"),
        ('id,source,quantity,published,value\nr,a,killed,2024-05-20,"1,500"\n', 1500, "parts thousands"),
        ("id,source,quantity,published,value\nr,a,killed,2024-05-20,1 500\n", 1500, "spaces"),
        ("id,source,quantity,published,value,,\nr,a,killed,2024-05-20,1500,,\n,,,,,,\n", 1500, ""),
        ("id,source,quantity,published,value,note,url\nr,a,killed,2024-05-20,1500\n", 1500, ""),
        ("id,source,quantity,published,value,note\nr,a,killed,2024-05-20,1500,“so it was said”\n", 1500, ""),
        ("id,source,quantity,published,value\nr,a,killed,20 May 2024,1500\n", 1500, ""),
        ('id,source,quantity,published,value\nr,a,killed,"May 20, 2024",1500\n', 1500, ""),
        ("id,source,quantity,published,value\nr,a,killed,20.05.2024,1500\n", 1500, "day first"),
        ("id,source,quantity,published,value\nr,a,killed,20/05/2024,1500\n", 1500, "day first"),
        ("id,source,quantity,published,value\nr,a,killed,2024/5/20,1500\n", 1500, ""),
        ("id,source,quantity,published,value\nr,a,killed,20. Mai 2024,1500\n", 1500, ""),
        ("id,source,quantity,published,value\nr,a,killed,45432,1500\n", 1500, "the spreadsheet's count"),
        ("\n\nid,source,quantity,published,value\nr,a,killed,2024-05-20,1500\n", 1500, ""),
        ("Our table,,,,\n\nid,source,quantity,published,value\nr,a,killed,2024-05-20,1500\n", 1500, "begins in row 3"),
        ("Id,Source,Quantity,Published,Value\nr,a,killed,2024-05-20,1500\n", 1500, ""),
        ("id,source,,quantity,published,value\nr,a,,killed,2024-05-20,1500\n", 1500, ""),
        ("“id”,source,quantity,published,value\n“r”,a,killed,2024-05-20,“1500”\n", 1500, ""),
        ('"sep=;"\r\nid;source;quantity;published;value\r\nr;a;killed;2024-05-20;1500\r\n', 1500, "semicolons"),
    ],
)
def test_a_table_of_any_usual_form_is_read_and_what_was_assumed_is_said(text, value, said, tmp_path):
    folder = lay(tmp_path / "case", text)
    assert read_values(folder) == [(value, "2024-05-20")]
    told = [str(warning) for warning in check_case(f"{folder}/").warnings if warning.kind == "table"]
    assert len(told) == bool(said)
    assert said in " ".join(told)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_any_usual_encoding_is_read(encoding, tmp_path):
    text = "id,source,quantity,published,value,phrase\nr,a,killed,2024-05-20,1500,“Verluste – größer”\n"
    (claim,) = read_case(lay(tmp_path / "case", text.encode(encoding))).claims
    assert claim.phrase == "“Verluste – größer”"


@pytest.mark.parametrize(
    ("row", "readings"),
    [
        ("r,a,killed,2024-05-20,1.500", "may be 1500 or 1.5; persons have no fractions"),
        ("r,a,killed,03/04/2024,1500", "may be 2024-04-03 or 2024-03-04"),
        ("r,a,killed,5-May-24,1500", "may be of 2024 or of 1924"),
    ],
)
def test_two_readings_are_refused_with_both(row, readings, tmp_path):
    with pytest.raises(InputError, match=re.escape(readings)):
        read_case(lay(tmp_path / "case", f"{','.join(HEADER)}\n{row}\n"))


def test_what_a_case_writes_is_read_again(tmp_path):
    """A number with a fraction of three digits, which a user must write with one more, included."""
    numbers = [58.001, 1.5, 1500.0, 0.125, 12.125, 1234.567]
    rows = "\n".join(f"r{n},a,killed,2024-05-20,{number:.4f}" for n, number in enumerate(numbers))
    case = read_case(lay(tmp_path / "case", f"{','.join(HEADER)}\n{rows}\n"))
    assert [claim.value for claim in case.claims] == numbers
    again = read_case(lay(tmp_path / "again", format_claims(case.claims)))
    assert again.claims == case.claims


def test_the_person_says_how_days_are_meant(tmp_path):
    text = f"{','.join(HEADER)}\nr,a,killed,03/05/2024,1500\n"
    folder = lay(tmp_path / "case", text)
    done = CliRunner().invoke(app, ["check", f"{folder}/", "--dates", "day-first"])
    assert done.exit_code == 0, done.stderr
    assert read_case(folder, "day-first").claims[0].published.isoformat() == "2024-05-03"
    lay(folder, text, toml='dates = "month-first"\n' + TOML.replace("2024-05-01", "2024-03-01"))
    assert read_case(folder).claims[0].published.isoformat() == "2024-03-05"
    assert CliRunner().invoke(app, ["check", f"{folder}/", "--dates", "sideways"]).exit_code == 3


def test_one_cell_shows_how_the_others_are_written():
    reader = CellReader(
        [{"value": "1.234,5", "published": "25/04/2025"}, {"value": "1.500", "published": "03/04/2025"}]
    )
    assert (reader.read("value", "1.500"), reader.read("published", "03/04/2025")) == ("1500", "2025-04-03")
    reader = CellReader([{"log_sd": "0.25"}], separator="")
    assert reader.read("value", "1,500") == "1500"
    with pytest.raises(TwoReadings):
        reader.read("value", "1.500")
    assert reader.read("log_sd", "1.500") == "1.500"


def test_a_workbook_is_read_as_it_is(tmp_path):
    import datetime as dt

    rows = [HEADER, ["r", "a", "killed", dt.datetime(2024, 5, 20), 1500], ["s", "a", "wounded", "2024-05-21", 20]]
    folder = lay(tmp_path / "case", make_xlsx(rows, formulas=[("E3", "=E2*2", 3000)]), "claims.xlsx")
    assert read_values(folder) == [(1500, "2024-05-20"), (3000, "2024-05-21")]
    assert any("formulas are read as what they last came to" in str(each) for each in check_case(f"{folder}/").warnings)
    rows[1][-1] = ""
    lay(folder, make_xlsx(rows, formulas=[("E2", "=1/0", "#DIV/0!"), ("F2", "=1/0", "#DIV/0!")]), "claims.xlsx")
    with pytest.raises(InputError, match="row 2, column value"):
        read_case(folder)
    lay(folder, make_xlsx(rows, formulas=[("E2", "=5+5", "")]), "claims.xlsx")
    with pytest.raises(InputError, match="has formulas without what they came to"):
        read_case(folder)


def test_an_ods_is_read_as_it_is(tmp_path):
    folder = lay(tmp_path / "case", make_ods(HEADER, ["r", "a", "killed", "2024-05-20", 1500]), "claims.ods")
    assert read_values(folder) == [(1500, "2024-05-20")]


def test_a_sheet_of_sources_stands_in_the_place_of_the_tables(tmp_path):
    rows = [[*HEADER], ["r", "b", "killed", "2024-05-20", 15]]
    sheets = [("sources", [["key", "label", "role"], ["b", "The other side", "adversary, independent"]])]
    folder = lay(tmp_path / "case", make_xlsx(rows, sheets), "claims.xlsx")
    assert read_case(folder).sources["b"].role == ("adversary", "independent")
    sheets = [("sources", [["key", "label", "role"], ["a", "Twice", "own"]])]
    with pytest.raises(InputError, match=r"'a' is in case\.toml too"):
        read_case(lay(folder, make_xlsx(rows, sheets), "claims.xlsx"))


def test_a_sheet_has_roles_towards_each_force(tmp_path):
    toml = TOML.replace("[forces.x]", '[forces.y]\noutcomes = ["killed"]\n[forces.x]')
    rows = [[*HEADER, "force"], ["r", "b", "killed", "2024-05-20", 15, "y"]]
    sheets = [("sources", [["key", "role.x", "role.y", "role"], ["b", "own", "adversary, independent", ""]])]
    folder = lay(tmp_path / "case", make_xlsx(rows, sheets), "claims.xlsx", toml)
    assert read_case(folder).sources["b"].role == {"x": ("own",), "y": ("adversary", "independent")}
    sheets = [("sources", [["key", "role.x", "role"], ["b", "own", "own"]])]
    with pytest.raises(InputError, match="has a role, and roles towards forces"):
        read_case(lay(folder, make_xlsx(rows, sheets), "claims.xlsx", toml))


@pytest.mark.parametrize("text", ["id,value\n" + "\n" * 2_000_001, "id,value\n" + "," * 2_000_001, '"\n",' * 2_000_001])
def test_a_table_of_blank_lines_or_of_nothing_but_marks_is_refused_before_it_is_parsed(text):
    """Fifty million of them take a minute, or gigabytes."""
    with pytest.raises(InputError, match=r"beyond 2000000 lines|more than 2000000 marks"):
        split_grid(text, "claims.csv")


@pytest.mark.parametrize("name", ["claims.xlsm", "claims.xls", "CLAIMS.XLSX", "Claims.csv"])
def test_claims_in_a_file_of_another_name_are_told(name, tmp_path):
    with pytest.raises(InputError, match=f"holds '{name}', and none of claims.csv") as caught:
        read_case(lay(tmp_path / "case", make_xlsx([HEADER]), name))
    assert len(str(caught.value).splitlines()) == 1


def zip_of(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def lock(raw):
    """Return a zip whose parts say that they are locked by a password."""
    out = io.BytesIO(raw)
    with zipfile.ZipFile(out, "a") as archive:
        for part in archive.infolist():
            part.flag_bits |= 1
        archive.comment = b"locked"  # so that the list of parts is written anew
    return out.getvalue()


FAR = b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
WIDE = (
    b'<table:table-row table:number-rows-repeated="1048576">'
    b'<table:table-cell table:number-columns-repeated="16384" office:value-type="float"/>'
)


def rewrite(book, old, new):
    """Return a workbook with a text in the place of another, in the names and the content of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in archive.namelist():
            made.writestr(name.replace(old, new), archive.read(name).replace(old.encode(), new.encode()))
    return out.getvalue()


LAST = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('r="XFD1048576"', "r='XFD1048576'"),
        ('r="XFD1048576"', 'r = "XFD1048576"'),
        ("XFD", "xfd"),
        ("<v>1", "<!-- --><v>1"),
        ("sheet1.xml", "sheet1.dat"),
        ("sheet1.xml", "sheet1.XML"),
    ],
    ids=range(6),
)
def test_a_cell_that_lies_far_out_takes_no_memory_however_it_is_written(old, new, tmp_path):
    """Its parser asks for half a terabyte at once, and ends the process that it is in."""
    book = rewrite(rewrite(make_xlsx([HEADER]), "</sheetData>", LAST), old, new)
    with pytest.raises(InputError, match="ends its process") as caught:
        read_case(lay(tmp_path / "case", book, "claims.xlsx"))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (zip_of(xl__vbaProject_dot_bin=b"x"), "holds macros"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "locked by a password; save it without",
        ),
        (lock(make_xlsx([HEADER])), "locked by a password; save it without"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "of an older office program"),
        (b"PK\x03\x04" + b"x" * 600, "is no workbook"),
        (zip_of(xl__worksheets__sheet1_dot_xml=FAR), "spans 1048576 rows and 16384 columns"),
        (zip_of(content_dot_xml=WIDE), "spans 1048576 rows and 16384 columns"),
        (zip_of(a_dot_xml=b" " * 210_000_000), "unpacks to more than 200 MB"),
        (make_xlsx([]), "has no cell that is filled"),
        (zip_of(META__dash=b"x"), "is no workbook"),
    ],
    ids=range(10),
)
def test_what_a_workbook_may_not_hold_is_refused_in_one_line(content, problem, tmp_path):
    with pytest.raises(InputError, match=re.escape(problem)) as caught:
        read_case(lay(tmp_path / "case", content, "claims.xlsx"))
    assert len(str(caught.value).splitlines()) == 1


def test_two_files_of_claims_are_one_too_many(tmp_path):
    folder = lay(tmp_path / "case", f"{','.join(HEADER)}\nr,a,killed,2024-05-20,1\n")
    lay(folder, make_xlsx([HEADER]), "claims.xlsx")
    with pytest.raises(InputError, match=r"claims\.csv and claims\.xlsx"):
        read_case(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_workbook_is_the_case_of_the_template(kind, tmp_path):
    write_workbook_case(tmp_path / "book", kind)
    CliRunner().invoke(app, ["new", str(tmp_path / "text"), "--like", kind])
    book, text = read_case(tmp_path / "book"), read_case(tmp_path / "text")
    assert book.sources == text.sources
    assert [claim.model_copy(update={"row": 0}) for claim in book.claims] == [
        claim.model_copy(update={"row": 0}) for claim in text.claims
    ]
    with zipfile.ZipFile(tmp_path / "book" / "claims.xlsx") as archive:
        assert b"dataValidation " in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.skipif(not CASES.is_dir(), reason="the small cases are not part of the project")
def test_the_small_cases_of_spreadsheets():
    with pytest.raises(InputError, match=r"may be 1500 or 1\.5"):
        read_case(CASES / "dots")
    assert [claim.value for claim in read_case(CASES / "excel").claims] == [255, 240]


@pytest.mark.parametrize(
    ("cell", "column", "share", "separator", "meant"),
    [
        ("0,333", "value", True, ";", "0.333"),
        ("0,333", "value", True, ",", "0.333"),
        ("0,125", "log_sd", False, ",", "0.125"),
        ("1,234", "log_sd", False, ";", "1.234"),
        ("33,333%", "value", True, ";", "0.33333"),
        ("0,333", "value", False, ",", "0.333"),
        ("1,234", "value", False, ",", "1234"),
    ],
)
def test_a_fraction_of_three_digits_is_no_thousand(cell, column, share, separator, meant):
    assert CellReader([{column: cell}], separator).read(column, cell, share=share) == meant


def test_a_workbook_whose_parts_are_damaged_is_refused_in_one_line(tmp_path):
    whole = make_xlsx([HEADER, ["r", "a", "killed", "2024-05-20", 1500]])
    place = whole.index(b"xl/worksheets/sheet1.xml") + 60
    damaged = whole[:place] + b"\xff" * 40 + whole[place + 40 :]
    with pytest.raises(InputError, match="is no workbook"):
        read_case(lay(tmp_path / "case", damaged, "claims.xlsx"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_that_is_packed_otherwise_is_refused_in_one_line(method, tmp_path):
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_xlsx([HEADER, ["r", "a", "killed", "2024-05-20", 1500]]))) as old,
        zipfile.ZipFile(out, "w", method) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(InputError, match=f"is packed by method {method}") as caught:
        read_case(lay(tmp_path / "case", out.getvalue(), "claims.xlsx"))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("1,300", "1300"), ("1 300", "1300"), ("300", "300"), ("casualties", "casualties"), ("b.killed",) * 2],
)
def test_what_a_share_is_of_is_a_number_or_a_name(cell, meant):
    assert CellReader([{"of": cell}]).read("of", cell, share=True) == meant
