"""What a recommendation would change in a template, in words and as a diff."""

from __future__ import annotations

from typing import NamedTuple

from tuner.report import numbers
from tuner.report.foreign import code_block, code_span, markdown


class TemplateChange(NamedTuple):
    """The line of a template that sets the memory; `path` is seen from the repository's root."""

    path: str
    line: int
    now: str
    after: str
    memory_mb: int
    """What the line sets now."""
    shared_by: tuple[str, ...] = ()
    """Other functions whose memory it sets too."""
    suggested: bool = False
    """Whether a suggestion stands on the line itself."""
    used_by: tuple[str, ...] = ()
    """What else its value sets: `Resize.EphemeralStorage`."""


class NoTemplateLine(NamedTuple):
    """Why a template has no line to change."""

    reason: str


def render_change(change: TemplateChange | NoTemplateLine) -> str:
    """Return Markdown: where the suggestion stands, or the line now and after; all of it inert."""
    if isinstance(change, NoTemplateLine):
        return f"Nothing to change in the template: {markdown(change.reason)}."
    where = f"{code_span(change.path)}, line {change.line}"
    if change.now == change.after:
        return f"{where}, sets {numbers.memory(change.memory_mb)} already."
    if change.suggested:
        return f"The change is suggested on {where}."
    block = code_block([f"-{change.now}", f"+{change.after}"], "diff")
    shared = ""
    if change.shared_by:
        names = ", ".join(map(code_span, change.shared_by))
        shared = f", **which sets the memory of {names} too**"
    if change.used_by:
        shared += f", **whose value {', '.join(map(code_span, change.used_by))} uses too**"
    return f"{where}{shared}:\n\n{block}"
