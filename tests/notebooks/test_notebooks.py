"""Every notebook runs from start to end, shows little, and is in step with its twin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.notebooks.pairs import FOLDER, LIVE, TWINS, run, sources

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MEASURES = (pytest.mark.slow, pytest.mark.xdist_group("cores"))
QUICK = {"explore-a-curve", "where-the-money-goes"}
"""What these do without, the slow tests run."""
BY_NAME = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.stem)


def test_the_six_are_there() -> None:
    """Each twin has a notebook, and each notebook a twin."""
    assert len(TWINS) == 6
    assert [twin.stem for twin in TWINS] == sorted(each.stem for each in FOLDER.glob("*.ipynb"))


@BY_NAME
def test_a_notebook_is_in_step_with_its_twin(twin: Path) -> None:
    """The same cells in the same order: `make notebooks` was run after the last edit."""
    import jupytext

    notebook = nbformat.read(twin.with_suffix(".ipynb"), as_version=4)
    assert sources(notebook) == sources(jupytext.read(twin)), "run make notebooks"


@BY_NAME
def test_a_notebook_reads_well_where_it_is_shown(twin: Path) -> None:
    """Under 300 kB, run in order, without an error, a warning or a path of somebody's machine."""
    text = twin.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert len(text) < 300_000
    assert "/home/" not in text
    assert not re.search(r"/(work|root|Users|tmp)/", text)
    notebook = nbformat.reads(text, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = [(each.output_type, each.get("name")) for cell in code for each in cell.outputs]
    assert ("stream", "stderr") not in kinds
    assert "error" not in {kind for kind, _ in kinds}
    assert any("image/png" in each.get("data", {}) for cell in code for each in cell.outputs)


@BY_NAME
def test_only_the_public_names_are_used(twin: Path) -> None:
    """A notebook imports `tuner` itself, and nothing from within it."""
    text = twin.read_text(encoding="utf-8")
    assert "import tuner\n" in text
    assert not re.search(r"(from|import) tuner\.", text)


@pytest.mark.parametrize(
    "twin",
    [
        pytest.param(
            twin,
            marks=MEASURES if twin.stem in LIVE else () if twin.stem in QUICK else pytest.mark.slow,
            id=twin.stem,
        )
        for twin in TWINS
    ],
)
def test_a_notebook_runs_from_start_to_end(twin: Path) -> None:
    """In a kernel of its own, without an error and without a line on stderr."""
    for cell in run(twin).cells:
        for output in cell.get("outputs", []):
            assert (output.output_type, output.get("name")) != ("stream", "stderr"), output
