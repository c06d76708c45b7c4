"""The text of a comment on a pull request: what was measured, then one answer per function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tuner.report import numbers
from tuner.report.markdown import DROPPED_FIRST, brief, render
from tuner.report.sanitize import code_block, code_span, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.model.recommendation import Recommendation


MeasuredCode = Literal["change", "deployed", "other"]
"""This change's build, the deployed code, or neither."""


class Subject(NamedTuple):
    """An answer, when it was measured, and on which code."""

    recommendation: Recommendation
    measured_at: str
    code: MeasuredCode
    change: TemplateChange | NoTemplateLine | None = None


MAX_CHARS: Final = 60_000
"""GitHub takes 65,536 characters; the rest is for the marker."""


def render_comment(subjects: Sequence[Subject], *, max_chars: int = MAX_CHARS) -> str:
    """Return Markdown; its first line says if anything other than this change was measured.

    If it's too long, whole sections go, for all answers alike, then the tables, then the last
    answers; a line at the end says so. Nothing is cut in the middle.
    """
    notice = _notice(subjects)
    for count in range(len(DROPPED_FIRST) + 1):
        without = DROPPED_FIRST[:count]
        answers = _within(max_chars, (_answer(each, without) for each in subjects))
        if answers is None:
            continue
        text = _joined(notice, answers, without)
        if len(text) <= max_chars:
            return text
    briefs = [brief(each.recommendation) for each in subjects]
    if len(notice) > max_chars // 2:
        notice = "measured on deployed code or locally, not this change's build on Lambda, in part"
    for left in range(len(briefs) + 1):
        left_out = [*DROPPED_FIRST, "tables"]
        if left:
            left_out.append(f"{left} of {len(briefs)} functions")
        text = _joined(notice, briefs[: len(briefs) - left], left_out)
        if len(text) <= max_chars:
            break
    return text


def _within(max_chars: int, answers: Iterable[str]) -> list[str] | None:
    """The answers, or None as soon as some of them are too long."""
    kept: list[str] = []
    length = 0
    for answer in answers:
        kept.append(answer)
        length += len(answer)
        if length > max_chars:
            return None
    return kept


def render_suggestion(subject: Subject) -> str:
    """The text before a suggestion: the verdict, the function, and what was measured."""
    notice = _notice([subject])
    return brief(subject.recommendation) + (f" · {notice}" if notice else "")


def _joined(notice: str, answers: Sequence[str], left_out: Sequence[str]) -> str:
    note = f"<sub>Left out for length: {', '.join(left_out)}.</sub>" if left_out else ""
    blocks = [notice, "\n\n---\n\n".join(answers), note]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _notice(subjects: Sequence[Subject]) -> str:
    local = [each for each in subjects if each.recommendation.environment == "local"]
    deployed, other = (
        [each for each in subjects if each.code == code] for code in ("deployed", "other")
    )
    notices = (
        ("measured on deployed code", deployed),
        ("measured on a different build from this change's", other),
        ("measured locally, not on Lambda", local),
    )
    return "; ".join(_of(words, found, subjects) for words, found in notices if found)


def _of(words: str, found: Sequence[Subject], subjects: Sequence[Subject]) -> str:
    if len(found) == len(subjects):
        return words
    return f"{words}: {', '.join(code_span(each.recommendation.function.name) for each in found)}"


def _answer(subject: Subject, without: Sequence[str]) -> str:
    digest = subject.recommendation.function.code_sha256
    measured = f"Measured {code_span(subject.measured_at)}, code SHA-256 {code_span(digest)}."
    change = "" if subject.change is None else render_change(subject.change)
    answer = render(subject.recommendation, change=change, without=without)
    return f"{answer}\n<sub>{measured}</sub>"


class TemplateChange(NamedTuple):
    """The lines that set the memory; `path` is relative to the repository's root."""

    path: str
    line: int
    now: str
    after: str
    memory_mb: int | None
    """What the function has by it now; None where only the deployment knows."""
    suggested: bool = False
    """Whether a suggestion stands on the line itself."""


class NoTemplateLine(NamedTuple):
    """Why a template has no line to change."""

    reason: str


def render_change(change: TemplateChange | NoTemplateLine) -> str:
    """Return Markdown: where the suggestion is, or the line before and after; all of it inert."""
    if isinstance(change, NoTemplateLine):
        return f"Not suggested on a line: {markdown(change.reason)}."
    where = f"{code_span(change.path)}, line {change.line}"
    if change.now == change.after:
        size = "this size" if change.memory_mb is None else numbers.memory(change.memory_mb)
        return f"{where}, already sets {size}."
    if change.suggested:
        return f"See the suggested change on {where}."
    return f"{where}:\n\n{code_block(_changed_lines(change), 'diff')}"


def _changed_lines(change: TemplateChange) -> list[str]:
    """The lines of a diff; one that only gets others below it is context."""
    now, after = change.now.split("\n"), change.after.split("\n")
    if len(now) == 1 and len(after) > 1 and now[0] in (after[0], after[-1]):
        return [f" {line}" if line == now[0] else f"+{line}" for line in after]
    return [*(f"-{line}" for line in now), *(f"+{line}" for line in after)]
