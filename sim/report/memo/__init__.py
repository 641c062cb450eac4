"""The memo in four formats: one content, rendered by templates that an institution can replace.

`content` says what a memo says; `word` writes DOCX; Markdown, HTML and PDF (by typst) come from the templates
`memo.md.j2`, `memo.html.j2`, `memo.typ.j2`.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
)
from jinja2.sandbox import SandboxedEnvironment

from sim.errors import refuse
from sim.report.memo.content import compose_memo
from sim.system.writing import replace_files
from sim.words import escape_cell

FORMATS = ("md", "html", "docx", "pdf")
MOST_ROWS, MOST_TEXT = 1_000, 5_000  # rows of a table, characters of a cell or point, in DOCX and PDF

__all__ = ["FORMATS", "compose_memo", "render_memo", "write_memo"]


def write_memo(
    memo: dict[str, Any], folder: Path, formats: Sequence[str] = ("md",), templates: Path | None = None
) -> list[Path]:
    """Write a memo in some formats: all of them or, where one fails, none.

    Parameters
    ----------
    memo : dict
        From `compose_memo`.
    folder : Path
        Of the run; its figures are in `figures`.
    formats : sequence of {"md", "html", "docx", "pdf"}
    templates : Path, optional
        A folder whose `memo.md.j2`, `memo.html.j2`, `memo.typ.j2` or `memo.docx` stand for ours.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        Where a template fails, or a format does.
    """
    pages = {name: _render(memo, name, folder, templates) for name in formats}
    with replace_files(folder) as draft:
        for name, page in pages.items():
            (draft / f"memo.{name}").write_bytes(page)
    return [folder / f"memo.{name}" for name in pages]


def _render(memo: dict[str, Any], name: str, folder: Path, templates: Path | None) -> bytes:
    if name == "docx":
        from sim.report.memo.word import write_docx

        return write_docx(_shorten(memo), folder / "figures", templates)
    if name == "pdf":
        return _compile_pdf(render_memo(_shorten(memo), "typ", folder, templates), folder)
    return render_memo(memo, name, folder, templates).encode()


def _shorten(memo: dict[str, Any]) -> dict[str, Any]:
    """Return a memo without what takes minutes and gigabytes to set, in pages that nobody turns."""

    def cut(text: Any) -> str:
        return str(text) if len(str(text)) <= MOST_TEXT else f"{str(text)[: MOST_TEXT - 1]}…"

    def shorten(block: dict[str, Any]) -> dict[str, Any]:
        short = {**block}
        if block["kind"] == "points":
            short["items"] = [cut(item) for item in block["items"][:MOST_ROWS]]
        elif block["kind"] == "table":
            short["rows"] = [[cut(cell) for cell in row] for row in block["rows"][:MOST_ROWS]]
            if len(block["rows"]) > MOST_ROWS:
                short["caption"] += f" (the first {MOST_ROWS} of {len(block['rows'])}; all are in memo.md)"
        return short

    sections = [{**section, "blocks": [shorten(block) for block in section["blocks"]]} for section in memo["sections"]]
    return {**memo, "sections": sections}


def render_memo(
    memo: dict[str, Any], name: str = "md", folder: Path | None = None, templates: Path | None = None
) -> str:
    """Return a memo as Markdown, HTML, or typst's source.

    `folder` is the run's: a figure that is not in it is left out. Without it Markdown points at all of them.
    """
    ours: BaseLoader = PackageLoader("sim.report.memo")
    environment = SandboxedEnvironment(  # a template from elsewhere formats, and runs nothing
        loader=ChoiceLoader([FileSystemLoader(templates), ours]) if templates else ours,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=name == "html",
    )
    environment.filters.update(cell=escape_cell, typst=quote_typst, data=_embed)
    figures = None if folder is None else folder / "figures"
    shown = {**memo, "sections": [_with_figures(section, figures) for section in memo["sections"]]}
    template = f"memo.{name}.j2"
    try:
        return environment.get_template(template).render(memo=shown, figures=figures)
    except (TemplateError, TypeError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{templates or 'sim/report/memo/templates'}/{template}" + (f", line {line}" if line else "")
        raise refuse(where, "", f"fails ({error})", "mend the template, or leave out --template") from error


def _with_figures(section: dict[str, Any], figures: Path | None) -> dict[str, Any]:
    """Leave out the figures that are not in the folder."""
    kept = [
        block
        for block in section["blocks"]
        if block["kind"] != "figure" or figures is None or (figures / block["file"]).is_file()
    ]
    return {**section, "blocks": kept}


def quote_typst(text: Any) -> str:
    """Return text as a string literal of typst, of which nothing is taken for markup."""
    return json.dumps(" ".join(str(text).split()), ensure_ascii=False).replace("\\/", "/")


def _embed(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _compile_pdf(source: str, folder: Path) -> bytes:
    import typst

    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "memo.typ"
        page.write_text(source, encoding="utf-8")
        figures = folder / "figures"
        if figures.is_dir():
            (Path(place) / "figures").symlink_to(figures.resolve())
        remedy = "mend the template, or leave out pdf"
        try:
            pages, warnings = typst.compile_with_warnings(str(page), root=place)
        except (RuntimeError, OSError) as error:
            raise refuse("memo.typ.j2", "", f"fails ({' '.join(str(error).split())[:200]})", remedy) from error
    missing = [warning.message for warning in warnings if "font" in warning.message]
    if missing:
        raise refuse("memo.typ.j2", "", f"asks for a font that is missing ({missing[0]})", remedy)
    return bytes(pages)
