"""Edits memory in files of a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tuner.errors import TemplateError
from tuner.iac import Edit, Wanted, edit_memory
from tuner.iac.dialects import find_units
from tuner.iac.edit import read_declarations
from tuner.iac.setting import Sources, Stage

if TYPE_CHECKING:
    from pathlib import Path


def edited(
    place: Path,
    name: str,
    memory_mb: int = 256,
    *,
    was_mb: int | None = None,
    stage: str | None = None,
    **parameters: str,
) -> tuple[Edit, bytes]:
    """The edit and the whole file as it would be."""
    chosen = Stage(stage, parameters)
    declared = read_declarations(find_units([place]), Sources(), chosen)
    edit, after = edit_memory(Wanted(name, memory_mb, was_mb), declared, Sources(), chosen)
    return edit, after.data(edit.path)


def refusal(
    place: Path,
    name: str,
    memory_mb: int = 256,
    *,
    was_mb: int | None = None,
    stage: str | None = None,
    **parameters: str,
) -> str:
    """The one line that says why not."""
    with pytest.raises(TemplateError) as caught:
        edited(place, name, memory_mb, was_mb=was_mb, stage=stage, **parameters)
    message = str(caught.value)
    assert "\n" not in message
    return message


def check_lines(edit: Edit, before: bytes, after: bytes) -> None:
    """The edit's lines, put into the file, make the file as it would be, and nothing else."""
    text, lines = before.decode(), edit.before
    start = sum(len(line) for line in text.splitlines(keepends=True)[: edit.line - 1])
    start = text.index(lines, start)
    assert text[:start] + edit.after + text[start + len(lines) :] == after.decode()
