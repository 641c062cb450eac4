"""The command that drafts rows from articles."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.console import DONE, guarded, parse_day, say, show
from sim.cli.options import JsonOption, QuietOption
from sim.errors import Fault, InputError, escape_controls, refuse


@guarded
def draft(
    articles: Annotated[
        list[Path] | None,
        typer.Argument(metavar="ARTICLE...", help="Text, HTML or PDF; - reads standard input.", show_default=False),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The case that the rows are added to; made where it is not.", show_default=False
        ),
    ] = None,
    review: Annotated[bool, typer.Option("--review", help="Walk through the rows that are not confirmed yet.")] = False,
    published: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The articles' day, where they say none.", show_default=False),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(help="The language of the articles; else it is told by their words.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Draft rows of claims.csv from articles; each is excluded until a person confirms it.

    Example: truetoll draft article.txt --into ./mycase --review
    """
    if review and into is None:
        raise refuse("--review", "", "has no case to walk through", "give --into DIR")
    if not articles and not review:
        raise refuse("ARTICLE", "", "is missing", "give the file of an article, or - for standard input")
    if review and articles and any(str(path) == "-" for path in articles):
        raise refuse("--review", "", "reads your answers where the article comes from", "save the article to a file")
    drafted = _draft_all(articles or [], published, language)
    if into is None:
        _describe(drafted, quiet=quiet or as_json)
        _show_rows(drafted, as_json=as_json)
        return DONE
    if drafted:
        _enter(drafted, into, as_json=as_json, quiet=quiet)
    if review:
        _review(into, as_json=as_json, quiet=quiet)
    return DONE


def _draft_all(articles: list[Path], published: str | None, name: str | None) -> list[tuple[Any, list[Any]]]:
    from dataclasses import replace

    from sim.draft.articles import read_article
    from sim.draft.drafting import draft_rows
    from sim.draft.grammar.language import read_language

    given, day = read_language(name) if name else None, parse_day(published, "--published")
    drafted: list[tuple[Any, list[Any]]] = []
    faults: list[Fault] = []
    for path in articles:
        try:
            article = read_article(path, given)
            article = replace(article, published=day or article.published)
            rows = draft_rows(article, read_language(article.language))
        except InputError as error:
            faults += error.faults
            continue
        if not rows:
            faults.append(
                Fault(
                    article.file,
                    "",
                    "says no number of losses, or of those sent",
                    "write its rows by hand, if it has any",
                )
            )
        drafted.append((article, rows))
    if faults:
        raise InputError(faults)
    return drafted


def _describe(drafted: list[tuple[Any, list[Any]]], *, quiet: bool) -> None:
    from sim.draft.articles import describe_article

    for article, rows in drafted:
        say(f"{describe_article(article)}, {len(rows)} rows drafted", quiet=quiet)


def _show_rows(drafted: list[tuple[Any, list[Any]]], *, as_json: bool) -> None:
    from sim.draft.entering import describe_drafts, format_rows

    rows = [row for _, each in drafted for row in each]
    if as_json:
        show(json.dumps({"schema": 1, "rows": describe_drafts(rows)}, ensure_ascii=False))
    else:
        show(format_rows(rows).rstrip("\n"))


def _enter(drafted: list[tuple[Any, list[Any]]], folder: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.draft.entering import enter_drafts

    written, entered, known = enter_drafts(drafted, folder)
    _describe(drafted, quiet=quiet or as_json)
    if as_json:
        show(json.dumps({"schema": 1, "written": [str(path) for path in written], "entered": entered, "known": known}))
    more = f"; {known} were there already" if known else ""
    say(f"{entered} rows entered, none of them used before you confirm it{more}", quiet=quiet or as_json)
    say("Written: " + ", ".join(str(path) for path in written), quiet=quiet or as_json)


def _review(folder: Path, *, as_json: bool, quiet: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from sim.draft.reviewing import review_drafts

    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def ask() -> str | None:
        line = sys.stdin.readline()
        return line if line else None

    def tell(line: str, marks: tuple[tuple[int, int], ...]) -> None:
        if console.is_terminal:
            text = Text(escape_controls(line))
            for start, end in marks if len(text) == len(line) else ():
                text.stylize("bold reverse", start, end)
            console.print(text)
            return
        for start, end in reversed(marks):
            line = f"{line[:start]}[{line[start:end]}]{line[end:]}"
        say(line)

    kept, dropped, left = review_drafts(folder, ask, tell)
    if as_json:
        show(json.dumps({"schema": 1, "kept": kept, "dropped": dropped, "left": left}))
    say(f"{kept} kept, {dropped} dropped, {left} still to confirm", quiet=quiet or as_json)
