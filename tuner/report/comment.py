"""The text of a comment on a pull request: what was measured, then one answer a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tuner.report.foreign import code_span
from tuner.report.markdown import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.recommendation import Recommendation


class Subject(NamedTuple):
    """An answer, when it was measured, and whether on the code that is deployed."""

    recommendation: Recommendation
    measured_at: str
    deployed_code: bool


def render_comment(subjects: Sequence[Subject]) -> str:
    """Return Markdown; its first line says where other things than this change were measured."""
    blocks = [_notice(subjects), "\n---\n\n".join(map(_answer, subjects))]
    return "\n\n".join(block for block in blocks if block)


def _notice(subjects: Sequence[Subject]) -> str:
    notices = [
        ("measured on deployed code", [each for each in subjects if each.deployed_code]),
        (
            "measured locally, not on Lambda",
            [each for each in subjects if each.recommendation.environment == "local"],
        ),
    ]
    return "; ".join(_of(words, found, subjects) for words, found in notices if found)


def _of(words: str, found: Sequence[Subject], subjects: Sequence[Subject]) -> str:
    if len(found) == len(subjects):
        return words
    return f"{words}: {', '.join(code_span(each.recommendation.function.name) for each in found)}"


def _answer(subject: Subject) -> str:
    digest = subject.recommendation.function.code_sha256
    measured = (
        f"<sub>Measured {code_span(subject.measured_at)}, code SHA-256 {code_span(digest)}.</sub>"
    )
    return f"{render(subject.recommendation)}\n{measured}\n"
