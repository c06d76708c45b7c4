"""Notebooks and their diffable twins: read, run, and made the same again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import jupytext
from nbclient import NotebookClient

FOLDER: Final = Path(__file__).parents[2] / "notebooks"
TWINS: Final = sorted(FOLDER.glob("*.py"))
LIVE: Final = {"tune-the-examples-live"}
"""They measure: slow, and their figures differ from run to run."""


def run(twin: Path, *, timeout_s: int = 110) -> Any:
    """Run a twin from start to end in a kernel of its own; return the notebook with outputs."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a warning of the debugger's
    notebook = jupytext.read(twin)
    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    return tidy(notebook)


def tidy(notebook: Any) -> Any:
    """Leave out what differs from run to run: times, random ids, versions."""
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[Any]) -> list[Any]:
    """Lines of one stream as one output: where they are split is a matter of time."""
    joined: list[Any] = []
    for each in outputs:
        last = joined[-1] if joined else None
        if last and each.output_type == "stream" == last.output_type and each.name == last.name:
            last.text += each.text
        else:
            joined.append(each)
    return joined


def sources(notebook: Any) -> list[tuple[str, str]]:
    """(type, text) of every cell."""
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]
