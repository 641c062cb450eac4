"""A commented case to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sim.errors import refuse

FILES = ("case.toml", "claims.csv")


def write_case(folder: Path) -> None:
    """Write a commented case into a new folder.

    Raises
    ------
    InputError
        Where the folder exists already, or cannot be made.
    """
    template = files("sim") / "templates" / "case"
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise refuse(str(folder), "", "exists already", "give the path of a new folder") from None
    except OSError as error:
        raise refuse(str(folder), "", f"cannot be made ({error.strerror})", "give another path") from None
    for name in FILES:
        (folder / name).write_text((template / name).read_text(encoding="utf-8"), encoding="utf-8")
