"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="A shipped case's name, or a path with a slash.")]
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a finished run, or latest: the last one in results.")
]
ClaimsArgument = Annotated[Path, typer.Argument(metavar="CLAIMS", help="A table of claims of many cases.")]
TruthArgument = Annotated[Path, typer.Argument(metavar="TRUTH", help="What is established of them.")]

SeedOption = Annotated[int, typer.Option(help="The same seed gives the same draws.", min=0, max=2**31 - 1)]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress and no notes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the machine-readable result alone.")]
PriorOption = Annotated[str | None, typer.Option(help="A prior set in place of the case's.", show_default=False)]
AsOfOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="The day of the headline.", show_default=False)
]
KnownByOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="Leave out claims published later.", show_default=False)
]
ResultsOption = Annotated[Path, typer.Option(help="The folder in which results are written.")]
JobsOption = Annotated[int, typer.Option(help="How many fits at once, in processes here.", min=1, max=1_000)]
DaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="A Dask scheduler, whose workers fit in place of --jobs here.", show_default=False
    ),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the fits that are kept in --results.")]

DatesOption = Annotated[
    str | None,
    typer.Option(metavar="ORDER", help="How 03/04/2025 is meant: day-first or month-first.", show_default=False),
]
RESULTS = Path("results")
