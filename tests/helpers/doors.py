"""Doors for tables as people keep them, for maps of their columns, and for articles; `fuzzing` has the others."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheets import make_ods, make_pdf, make_xlsx

from sim.case.folder import find_case
from sim.case.priors import find_shipped_priors
from sim.draft.articles import read_article
from sim.draft.drafting import draft_rows
from sim.draft.entering import enter_drafts
from sim.draft.grammar.language import read_language

PERSONS = (
    "Side;Day;Dead;Said by;Note\nNorth;05.01.2024;1.500;ministry;42,5 %\nSouth;17/01/2024;20–30;“press”;x\n"
    "North;2024-02-01;10.500+;ministry;\nNorth;;3;ministry;\n"
)
MAP = """
title = "A table"
within = ["force"]
dates = "day-first"
decimal = ","
keep = "last"
[columns]
force = "side"
as_of = ["day", "date"]
value = "Dead"
source = "Said by"
note = "Note"
[constants]
quantity = "killed"
qualifier = "about"
[values.force]
North = "north"
South = "south"
[filters]
Side = ["North", "South"]
[forces]
north = "The north"
[sources.ministry]
role = "own"
"""
ARTICLE = (
    "Shelling kills soldiers",
    "March 12, 2031",
    "The Ardanian defence ministry said that 14 soldiers were killed and 35 wounded on Tuesday.",
    "Western officials put the number of dead at between 2,000 and 2,500 since the war began, some 1.2 million.",
)
PAGE = (
    "<!doctype html><html><head><title>{0}</title><meta property='article:published_time' content='2031-03-12'>"
    "</head><body><nav>Home</nav><article><h1>{0}</h1><p>{2}</p><ul><li>{3}</li></ul></article></body></html>"
)


@dataclass(frozen=True)
class Door:
    """A file that is read, and the command that reads it; the other files of its folder are valid.

    `lay` fills a folder; `file` is the one that is broken; `arguments` is given the folder.
    """

    file: str
    lay: Callable[[Path], None]
    arguments: Callable[[Path], list[str]]


def lay_case(folder: Path) -> None:
    for name in ("case.toml", "claims.csv"):
        shutil.copy(find_case("kursk") / name, folder / name)
    shutil.copy(find_shipped_priors() / "default.toml", folder / "set.toml")


def list_doors_of_tables() -> dict[str, Door]:
    """Return the doors of tables as people keep them, and of the maps of their columns."""

    def check(place: Path) -> list[str]:
        return ["check", f"{place}/", "--json"]

    def take(place: Path) -> list[str]:
        return ["import", "table", f"{place}/table.csv", f"{place}/made", "--map", f"{place}/map.toml"]

    def guess(place: Path) -> list[str]:
        return ["import", "table", f"{place}/table.csv", f"{place}/made", "--guess"]

    return {
        "xlsx": Door("claims.xlsx", _lay_sheet("claims.xlsx", make_xlsx), check),
        "ods": Door("claims.ods", _lay_sheet("claims.ods", lambda rows: make_ods(*rows)), check),
        "separated": Door("claims.csv", _lay_sheet("claims.csv", _separate), check),
        "map": Door("map.toml", _lay_mapped, take),
        "table": Door("table.csv", _lay_mapped, take),
        "guess": Door("table.csv", _lay_mapped, guess),
    }


def list_doors_of_articles() -> dict[str, Door]:
    """Return the doors of articles, and of the sentences that are kept beside drafted rows."""
    page = PAGE.format(*ARTICLE).encode()
    forms = {"text": ("a.txt", "\n\n".join(ARTICLE).encode()), "page": ("a.html", page),
             "pdf": ("a.pdf", make_pdf(*ARTICLE))}  # fmt: skip

    def draft(name: str) -> Callable[[Path], list[str]]:
        return lambda place: ["draft", f"{place}/{name}", "--into", f"{place}/made"]

    doors = {form: Door(name, _lay_bytes(name, content), draft(name)) for form, (name, content) in forms.items()}
    doors["drafts"] = Door(
        "case/draft.json", _lay_drafts, lambda place: ["draft", "--into", f"{place}/case", "--review"]
    )
    doors["drafted"] = Door(
        "case/claims.csv", _lay_drafts, lambda place: ["draft", f"{place}/a.txt", "--into", f"{place}/case"]
    )
    return doors


def _lay_bytes(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _lay_mapped(folder: Path) -> None:
    (folder / "table.csv").write_text(PERSONS, encoding="utf-8")
    (folder / "map.toml").write_text(MAP, encoding="utf-8")


def _lay_sheet(name: str, form: Callable[[list[list[Any]]], bytes]) -> Callable[[Path], None]:
    """Return what lays out the shipped case with its claims in a table of another form."""

    def lay(folder: Path) -> None:
        lay_case(folder)
        with (folder / "claims.csv").open(encoding="utf-8", newline="") as file:
            rows = [[_as_number(cell) for cell in row] for row in csv.reader(file)]
        (folder / "claims.csv").unlink()
        (folder / name).write_bytes(form(rows))

    return lay


def _as_number(cell: str) -> Any:
    return float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else cell


def _separate(rows: list[list[Any]]) -> bytes:
    """Return rows as a German spreadsheet saves them: semicolons, decimal commas, and letters of one byte."""
    out = io.StringIO()
    cells = ([f"{cell:.15g}".replace(".", ",") if isinstance(cell, float) else cell for cell in row] for row in rows)
    csv.writer(out, delimiter=";").writerows(cells)
    return out.getvalue().encode("cp1252", "replace")


def _lay_drafts(folder: Path) -> None:
    (folder / "a.txt").write_text("\n\n".join(ARTICLE), encoding="utf-8")
    language = read_language("english")
    article = read_article(folder / "a.txt", language)
    enter_drafts([(article, draft_rows(article, language))], folder / "case")
