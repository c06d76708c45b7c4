"""Makes text that others chose (names, error types, paths) harmless to show."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.model.finding import Finding

_MARKDOWN_PUNCTUATION: Final = re.compile(r"([\\`*_{}\[\]#|~$])")
_REFERENCE_SIGN: Final = re.compile(r"([@#!~%&$])(?=[\w\"'])")
_LINK_START: Final = re.compile(r"(?i)(?<=:)//|(?<=www)\.|(?<=\w)@(?=\w)")
_WORD_JOINER: Final = "\u2060"


def plain(text: str) -> str:
    """One line without control, format, surrogate or private characters.

    So escape sequences, line breaks and bidirectional overrides can't reach a terminal.
    """
    return "".join(" " if _is_unsafe(char) else char for char in text)


def is_plain(line: str) -> bool:
    """Whether a line, except for tabs, shows everything in it."""
    return not any(_is_unsafe(char) for char in line.replace("\t", ""))


def code_span(text: str, *, in_table: bool = False) -> str:
    """Markdown code span: nothing in it is markup, a link or a mention.

    The fence is longer than any run of backticks within (CommonMark, "Code spans").
    """
    content = plain(text).strip() or " "
    fence = _fence([content], least=1)
    padding = " " if "`" in content else ""
    span = f"{fence}{padding}{content}{padding}{fence}"
    return span.replace("|", "\\|") if in_table else span


def code_block(lines: Sequence[str], language: str) -> str:
    """Markdown fenced block of these lines: nothing in them is markup or ends it.

    Tabs stay, because they are part of the line.
    """
    written = ["\t".join(plain(part) for part in line.split("\t")) for line in lines]
    fence = _fence(written, least=3)
    return "\n".join([f"{fence}{language}", *written, fence])


def _fence(lines: Sequence[str], *, least: int) -> str:
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    return "`" * max(least, longest + 1)


def markdown(text: str) -> str:
    """Markdown text without markup, HTML, links, mentions or references.

    A word joiner after a reference sign keeps forges from recognizing `@name` or `#1`, which they
    look for after markup is removed, so a backslash doesn't help.
    """
    joined = _LINK_START.sub(lambda found: _WORD_JOINER + found.group(), plain(text))
    joined = _REFERENCE_SIGN.sub(lambda found: found.group() + _WORD_JOINER, joined)
    return _MARKDOWN_PUNCTUATION.sub(r"\\\1", html.escape(joined, quote=False))


def markdown_finding(finding: Finding) -> str:
    """One item of a list."""
    code = code_span(finding.code)
    return f"- **{finding.severity}** ({code}): {markdown(finding.message)}"


def markdown_table(head: Sequence[str], justify: str, rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are inert; `justify` has `<` or `>` for each column."""
    rule = "|".join("--:" if side == ">" else "---" for side in justify)
    lines = [f"| {' | '.join(head)} |", f"|{rule}|"]
    lines += [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return "\n".join(lines)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
