"""The pages of a memo: Markdown, HTML and typst's source from templates, PDF by typst, DOCX by `word`.

A template is given text, lists and tables by name, and nothing that can be asked to do something: no path, no file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import BaseLoader, ChoiceLoader, FunctionLoader, PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sim.errors import quote_value, refuse
from sim.report.memo.asked import Asking
from sim.report.memo.blocks import Link, Memo, Picture, Section, Table
from sim.report.memo.numbers import offer_numbers
from sim.report.memo.widths import count_lines, loosen, share_width, tie_end
from sim.system.reading import decode_text, read_bytes
from sim.words import escape_cell

MAX_TEMPLATE = 1_000_000  # bytes
SANS_NETWORK = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
NO_LOOKUP = '<meta http-equiv="x-dns-prefetch-control" content="off">'  # of the hosts of links, before any is clicked
LINE = 100  # letters of what stands under a row
LOW, SHORT = 30, 14  # lines of a row, and of a table, that a page has room for
PAGE = 6.5  # inches between the margins of typst's page
# What leads elsewhere by itself; a browser calls at the address of a frame before it asks whether it may show it.
_ELEMENT = re.compile(r"<(?:meta|link|i?frame|fencedframe|object|embed|portal)(?=[\s/>])", re.IGNORECASE)
_HARMLESS = re.compile(
    r"""<meta(?:\s+(?:charset=["']?utf-8["']?|http-equiv="(?:Content-Security-Policy|x-dns-prefetch-control)"|"""
    r"""(?:name|property|content|lang)=(?:"[^"]*+"|'[^']*+')))*+\s*+/?>""",
    re.IGNORECASE,
)
_OPENING = re.compile(r"\s*(?:<!doctype[^>]*>)?", re.IGNORECASE)


def set_page(memo: Memo, form: str, pictures: Mapping[str, bytes], templates: Path | None = None) -> bytes:
    """Return a page of a memo.

    Parameters
    ----------
    memo : Memo
        From `compose_memo`.
    form : {"md", "html", "docx", "pdf"}
    pictures : mapping of str to bytes
        The figures as PNG, by file name; others are left out. For PDF they lie in `figures` here, too.
    templates : Path, optional
        A folder whose templates stand for ours.
    """
    if form == "docx":
        from sim.report.memo.word import write_docx

        return write_docx(memo, pictures, templates)
    if form == "pdf":
        return _compile_pdf(render_template(memo, "typ", pictures, templates))
    return render_template(memo, form, pictures, templates).encode()


def render_template(memo: Memo, name: str, pictures: Mapping[str, bytes], templates: Path | None = None) -> str:
    """Return a memo as Markdown, HTML, or typst's source."""
    ours: BaseLoader = PackageLoader("sim.report.memo")
    environment = ImmutableSandboxedEnvironment(  # a template from elsewhere formats, and runs nothing
        loader=ChoiceLoader([FunctionLoader(lambda asked: _load(templates, asked)), ours]) if templates else ours,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=name == "html",
    )
    environment.filters.update(
        cell=escape_cell,
        typst=quote_typst,
        address=quote_address,
        widths=share_page,
        loose=loosen,
        tied=tie_end,
        asked=dump_asking,
    )
    environment.tests["low"] = lambda table: max(_count_page(table)) <= LOW  # of which no row is parted
    environment.tests["short"] = lambda table: sum(_count_page(table)) <= SHORT  # which stays on a page
    environment.tests["link"] = lambda cell: isinstance(cell, Link)
    environment.globals["estimate"] = offer_numbers(memo.numbers, f"memo.{name}.j2")
    shown = replace(memo, sections=tuple(_with_figures(section, pictures) for section in memo.sections))
    addresses = {file: _embed(content) if name == "html" else f"figures/{file}" for file, content in pictures.items()}
    page = environment.get_template(f"memo.{name}.j2").render(memo=shown, figures=addresses)
    return guard_page(page) if templates and name == "html" else page


def _load(templates: Path, name: str) -> str | None:
    """Return a template of a folder, of which no name leads out; None where it has none of this name."""
    path = templates / name
    if not path.exists() or name.startswith("/") or ".." in path.parts:
        return None
    return decode_text(read_bytes(path, MAX_TEMPLATE, inside=templates), name)


def _with_figures(section: Section, pictures: Mapping[str, bytes]) -> Section:
    """Leave out the figures that are not there."""
    kept = (block for block in section.blocks if not isinstance(block, Picture) or block.file in pictures)
    return replace(section, blocks=tuple(kept))


def dump_asking(asking: Asking) -> str:
    """Return what the page's script reads as JSON; of an attribute, which the template escapes."""
    counts = [{"name": count.name, "points": count.points} for count in asking.counts]
    without = [each.told for each in asking.without]
    data = {"counts": counts, "words": asking.words, "headlines": asking.headlines, "without": without}
    return json.dumps(data, ensure_ascii=False)


def share_page(table: Table) -> list[float]:
    """Return the widths of a table's columns on a page of typst's, as shares."""
    return [round(width, 3) for width in share_width(table, PAGE, _choose_size(table))]


def _choose_size(table: Table) -> float:
    return 7.5 if len(table.header) > 6 else 8.5


def _count_page(table: Table) -> list[int]:
    """Return about how many lines each row of a table takes on a page of typst's, with what stands under it."""
    folded, told = table.fold()
    if table.under:
        under = (sum(len(str(text)) for _, text in row) // LINE + 1 for row in told)
        return [lines + more for lines, more in zip(_count_page(folded), (0, *under), strict=True)]
    return count_lines(table, share_page(table), _choose_size(table))


def quote_address(url: str) -> str:
    """Return an address that ends where it ends, in brackets of Markdown."""
    return quote(url, safe="/:?#@!$&'*+,;=%~-._")


def quote_typst(text: object) -> str:
    """Return text as a string literal of typst, of which nothing is taken for markup."""
    flat = " ".join(re.split(r"[ \t\r\n\f\v]+", str(text))).strip(" ")  # a space that does not break stays one
    return json.dumps(flat, ensure_ascii=False).replace("\\/", "/")


def _embed(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def guard_page(page: str) -> str:
    """Return a page of a user's template under a policy: it loads nothing, and runs no script but our own.

    The policy stands before all else that the page says, which can only add to it. A page that leads elsewhere by
    itself, which no policy forbids, is refused; where its elements begin and end is not asked, for of that browsers and
    parsers think differently.
    """
    for found in _ELEMENT.finditer(page):
        if not _HARMLESS.match(page, found.start()):
            what = f"holds {quote_value(page[found.start() :][:60])}, which may ask the network by itself"
            raise refuse("memo.html.j2", "", what, "take it out, and put styles into the page")
    ours = (files("sim.report.memo") / "templates" / "memo.html.j2").read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", ours, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode() if script else ""
    policy = f"{SANS_NETWORK}; script-src 'sha256-{digest}'"
    opening = _OPENING.match(page)
    end = opening.end() if opening else 0
    guard = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">{NO_LOOKUP}'
    return f"{page[:end]}{guard}{page[end:]}"


def _find_fonts() -> list[str]:
    """Return the folder of the figures' font, so that text and figures are in one face."""
    spec = find_spec("matplotlib")
    folders = (spec.submodule_search_locations if spec else None) or []
    return [str(Path(folder) / "mpl-data" / "fonts" / "ttf") for folder in folders]


def _compile_pdf(source: str) -> bytes:
    """Set typst's source; it may read what lies in the folder that this process works in, and no packages."""
    import typst

    here = str(Path.cwd())
    nowhere = f"{here}/packages"
    compile_source: Any = typst.compile_with_warnings  # of an input as bytes its types say nothing of paths as text
    pages, warnings = compile_source(
        source.encode(), root=here, font_paths=_find_fonts(), package_path=nowhere, package_cache_path=nowhere
    )
    missing = [warning.message for warning in warnings if "font" in warning.message]
    if missing:
        raise refuse("memo.typ.j2", "", f"asks for a font that is missing: {missing[0]}", "")
    return bytes(pages)
