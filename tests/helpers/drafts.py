"""Drafted rows in a line each, as tests compare them."""

from __future__ import annotations


def say_row(cells):
    """Return quantity, qualifier and numbers of a row in one line."""
    numbers = " ".join(f"{cells[name]:g}" for name in ("low", "value", "high") if name in cells)
    return f"{cells['quantity']} {cells['qualifier']} {numbers}{' share' if cells.get('unit') else ''}"
