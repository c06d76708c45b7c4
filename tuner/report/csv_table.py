"""JSON objects as CSV, a line each: for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def csv_table(columns: Sequence[str], objects: Iterable[dict[str, Any]]) -> str:
    """A line for each object; an empty cell is not known.

    A column is a key, or `title=key.key` for what is deeper. No text is taken for a formula.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.partition("=")[0] for column in columns)
    for each in objects:
        writer.writerow(_inert(_at(each, column.rpartition("=")[2])) for column in columns)
    return out.getvalue()


def _at(figures: Any, path: str) -> Any:
    """What is there; None where one of the objects on the way is."""
    for name in path.split("."):
        figures = figures and figures[name]
    return figures


def _inert(cell: object) -> object:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "-") else cell
