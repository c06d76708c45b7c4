"""Writes templates into a temporary folder, beside a folder of code."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from tuner.errors import TemplateError
from tuner.iac import Template, read_template

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str, name: str = "template.yaml") -> Path:
    """Write a template; its code lies in `code`."""
    (folder / "code").mkdir(exist_ok=True)
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def with_properties(folder: Path, *properties: str) -> Path:
    """One function, F in line 2, with the properties that are needed (lines 5 to 7) and these."""
    lines = ["Resources:", "  F:", "    Type: AWS::Serverless::Function", "    Properties:"]
    needed = ("CodeUri: code", "Handler: app.handler", "Runtime: python3.11")
    named = {line.partition(":")[0] for line in properties}
    kept = [line for line in needed if line.partition(":")[0] not in named]
    body = "\n".join([*kept, *properties])
    return write(folder, "\n".join(lines) + "\n" + textwrap.indent(body, " " * 6) + "\n")


def read(folder: Path, *properties: str) -> Template:
    """Read a template of one function with these properties."""
    return read_template(with_properties(folder, *properties))


def refusal(path: Path) -> str:
    """Return what the one line says after the path."""
    with pytest.raises(TemplateError) as caught:
        read_template(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message.replace(str(path), "", 1)
