"""`make findings`: writes docs/findings.md from the table of findings."""

from __future__ import annotations

import re
import tomllib
from typing import Final

from tests.messages.registry import TABLE, finding_codes
from tests.messages.source import ROOT
from tuner.cli.flags import FLAGS

PAGE: Final = ROOT / "docs" / "findings.md"
_HEADING: Final = re.compile(r"^# --- (.+?) -+$", re.MULTILINE)
_PARAMETER: Final = re.compile(r"`([a-z_]+)`")
_INTRODUCTION: Final = """\
# Findings

What an answer says beside its figures. `--json` gives each finding's code, its severity and its
message; a code has one meaning and keeps it. Options are named as in Python, with their flags on
the command line.

This page is made from `tuner/model/findings.toml` by `make findings`.
"""


def page() -> str:
    """The page in Markdown: a table for each part of the file."""
    _, *parts = _HEADING.split(TABLE.read_text(encoding="utf-8"))
    sections = (
        _section(heading, tomllib.loads(entries))
        for heading, entries in zip(parts[::2], parts[1::2], strict=True)
    )
    return "\n".join((_INTRODUCTION, *sections))


def _section(heading: str, entries: dict[str, object]) -> str:
    rows = [
        f"## {heading}\n",
        "| code | severity | meaning | evidence | what to do |",
        "|---|---|---|---|---|",
    ]
    for code in entries:
        entry = finding_codes()[code]
        texts = map(_with_flags, (entry.meaning, entry.evidence, entry.remedy))
        rows.append(f"| `{code}` | {' or '.join(entry.severities)} | {' | '.join(texts)} |")
    return "\n".join((*rows, ""))


def _with_flags(text: str) -> str:
    return _PARAMETER.sub(
        lambda found: f"{found[0]} / `{FLAGS[found[1]]}`" if found[1] in FLAGS else found[0], text
    )


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
