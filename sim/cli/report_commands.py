"""The commands about finished runs: memo, compare, plot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.console import DONE, TRIPPED, guarded, say, show, show_written
from sim.cli.options import JsonOption, QuietOption, RunArgument
from sim.errors import refuse
from sim.system.writing import replace_files


@guarded
def memo(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="md, html, docx, pdf, separated by commas.")] = "md",
    template: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A folder of templates in place of ours, or a .docx.", show_default=False),
    ] = None,
    words: Annotated[str, typer.Option(help="Whose words for probabilities: icd203, phia or ipcc.")] = "icd203",
    since: Annotated[
        Path | None, typer.Option(metavar="RUN", help="An earlier run, to say what has changed.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where it goes; its ending says the format.", show_default=False),
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Page one alone.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Write the memo again from a finished run, in one or more formats.

    The latest sensitivity report of the same inputs beside the run is part of it.

    Example: truetoll memo results/kursk/20250501-120000-seed1 --format html,pdf
    """
    from sim.report.memo import FORMATS, write_memo
    from sim.report.memo.content import compose_memo
    from sim.runs.folder import find_run, find_sensitivity, read_manifest, read_result
    from sim.words import SCALES

    run, since = find_run(run), find_run(since) if since else None
    chosen = _choose_formats(formats, FORMATS)
    if out is not None:
        chosen = [out.suffix.removeprefix(".").lower()]
        if chosen[0] not in FORMATS:
            raise refuse("--out", "", f"{out} has the ending of no format", f"end it in .{', .'.join(FORMATS)}")
        if formats not in ("md", chosen[0]):
            raise refuse(
                "--out", "", f"{out} is no file of the format {formats}", "leave out --format: the ending says it"
            )
    if words not in SCALES:
        raise refuse("--words", "", f"{words} is not available", f"use {', '.join(SCALES)}")
    if template is not None and not (
        template.is_dir() or (template.suffix in (".docx", ".dotx") and template.is_file())
    ):
        raise refuse(
            "--template", "", f"{template} is no folder and no .docx file", "give the folder of your templates"
        )
    result = read_result(run)
    with _refusing_damage(run):
        change = _tell_change(since, run) if since else []
        report, sensitivity = find_sensitivity(run, result)
        manifest = read_manifest(run)
        told = compose_memo(result, scale=words, sensitivity=sensitivity, change=change, manifest=manifest, brief=brief)
        written = write_memo(told, run, chosen, template, out)
    if report is not None:
        say(f"Robustness from {report}", quiet=quiet or as_json)
    show_written(written, as_json=as_json, quiet=quiet)
    return DONE


def _tell_change(since: Path, run: Path) -> list[str]:
    from sim.runs.compare import compare_runs, tell_change

    return tell_change(compare_runs(since, run))


@guarded
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a later one.")],
    max_shift: Annotated[
        float | None,
        typer.Option(
            metavar="SD", help="Exit 5 where a median moves by more standard deviations.", min=0, show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Tell what changed between two runs: inputs, and each count beyond Monte Carlo error or not.

    Example: truetoll compare results/kursk/20250501-120000-seed1 results/kursk/20250601-120000-seed1
    """
    from sim.runs.compare import compare_runs, largest_shift, tell_change
    from sim.runs.folder import find_run

    first, second = find_run(first), find_run(second)
    with _refusing_damage(second):
        report = compare_runs(first, second)
    show(json.dumps(asdict(report), ensure_ascii=False) if as_json else "\n".join(tell_change(report)))
    if max_shift is not None and largest_shift(report) > max_shift:
        far = largest_shift(report)
        what = f"A count moved by {far:.2f} standard deviations" if far < float("inf") else "Not every count is in both"
        say(f"{what}; the limit is {max_shift:g}", quiet=quiet)
        return TRIPPED
    return DONE


@guarded
def plot(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="png, svg, pdf, separated by commas.")] = "png,svg,pdf",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Draw the figures again from a finished run.

    Example: truetoll plot results/kursk/20250501-120000-seed1
    """
    from sim.report.plots import draw_figures
    from sim.report.plots.style import FORMATS
    from sim.runs.folder import find_run, read_result

    run = find_run(run)
    chosen = _choose_formats(formats, FORMATS)
    result, figures = read_result(run), run / "figures"
    with _refusing_damage(run), replace_files(figures, straight=True) as draft:
        drawn = draw_figures(result, draft, formats=chosen)
    if not drawn:
        raise refuse(str(run / "summary.json"), "", "holds nothing to draw", "run the case again")
    show_written([figures / path.name for path in drawn], as_json=as_json, quiet=quiet)
    return DONE


def _choose_formats(text: str, known: Iterable[str]) -> list[str]:
    """Return the formats that an option names, each once."""
    chosen = list(dict.fromkeys(part.strip() for part in text.split(",")))
    others = sorted(set(chosen) - set(known))
    if others:
        raise refuse("--format", "", f"{', '.join(others)} is not available", f"use {', '.join(known)}")
    return chosen


@contextmanager
def _refusing_damage(run: Path) -> Iterator[None]:
    """Turn what a damaged summary breaks into one line."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError) as error:
        raise refuse(str(run / "summary.json"), "", f"is damaged ({error!r})", "run the case again") from error
