"""A case as the text of its two files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import Any

from sim.case.case import CaseFile
from sim.case.claims import REQUIRED_COLUMNS, Claim


def quote_toml(text: str) -> str:
    """Return a TOML string; a JSON string is one, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_case_file(file: CaseFile) -> str:
    """Return the text of a `case.toml` that reads as `file`: a line for each key that is not at its default."""
    entries = file.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    return "".join(f"{key} = {_format_toml(value)}\n" for key, value in {"schema": 1, **entries}.items())


def _format_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote_toml(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{quote_toml(key)} = {_format_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_toml, value))}]"
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def format_claims(claims: tuple[Claim, ...]) -> str:
    """Return the text of `claims.csv`, with the columns that any row fills."""
    fields = {name: field.default for name, field in Claim.model_fields.items() if name != "row"}
    columns = [
        name
        for name, default in fields.items()
        if name in (*REQUIRED_COLUMNS, "as_of", "qualifier") or any(getattr(claim, name) != default for claim in claims)
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_format_cell(getattr(claim, name)) for name in columns] for claim in claims)
    return out.getvalue()


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
