"""What `--detailed-exitcode` says of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.model.recommendation import Recommendation, Verdict

RESIZE: Final = 10
LEAVE: Final = 11
INCONCLUSIVE: Final = 12
_CODES: Final[dict[Verdict, int]] = {"keep": 0, "resize": RESIZE, "inconclusive": INCONCLUSIVE}


def of(answer: Recommendation) -> int:
    """0 for keep, 10 for resize, 12 for inconclusive."""
    return _CODES[answer.choice.verdict]


def of_all(answers: Iterable[Recommendation]) -> int:
    """10 if any is to be resized, else 12 if any is inconclusive, else 0."""
    codes = {of(answer) for answer in answers}
    return next((code for code in (RESIZE, INCONCLUSIVE) if code in codes), 0)


def of_platform(verdict: str | None) -> int:
    """0 for staying on Lambda (or nothing to say), 12 for too close to call, else 11: leave."""
    return {"stay": 0, "too-close": INCONCLUSIVE, None: 0}.get(verdict, LEAVE)
