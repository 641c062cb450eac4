"""Workbooks and PDFs as other programs write them, made from rows and lines."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="claims">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)


def make_xlsx(
    rows: Sequence[Sequence[Any]],
    sheets: Iterable[tuple[str, Sequence[Sequence[Any]]]] = (),
    formulas: Iterable[tuple[str, str, Any]] = (),
) -> bytes:
    """Return a workbook with a sheet of claims and others; days are days of the sheet, formulas have a value."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, cells in (("claims", rows), *sheets):
            sheet = book.add_worksheet(name)
            for n, row in enumerate(cells):
                for m, cell in enumerate(row):
                    if hasattr(cell, "year"):
                        sheet.write_datetime(n, m, cell, day)
                    else:
                        sheet.write(n, m, cell)
            for place, formula, value in formulas:
                sheet.write_formula(place, formula, None, value)
    return out.getvalue()


def make_ods(*rows: Sequence[Any]) -> bytes:
    """Return a workbook of OpenDocument, with the thousands of empty columns that LibreOffice writes."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="float" office:value="{cell}"/>' if isinstance(cell, int | float)
            else f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            for cell in row
        )
        + '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        for row in rows
    )  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", _ODS.format(rows=cells))
    return out.getvalue()


def make_pdf(*lines: str) -> bytes:
    """Return a PDF with a page of text, nothing in it packed, so that a change of a byte changes what it says."""
    shown = "".join(f"({line}) Tj 0 -20 Td\n" for line in lines)
    content = f"BT /F1 12 Tf 50 700 Td\n{shown}ET".encode("latin-1")
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        start,
    )
    return bytes(out)
