"""The answers of one or several functions as one comment on a pull request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from tuner.errors import SweepFileError
from tuner.forge.deliver import deliver
from tuner.report.comment import Subject, render_comment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.forge.deliver import Delivery
    from tuner.forge.protocol import Forge
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

OTHER_BUILD = "other_build_measured"
"""The finding that `tune --code` leaves in a sweep."""


class CommentText(NamedTuple):
    """A comment before it is posted."""

    key: str
    measured: datetime
    """The newest sweep's beginning."""
    text: str


def compose_comment(
    answers: Sequence[tuple[Sweep, Recommendation]], *, key: str | None = None
) -> CommentText:
    """Return the comment of these answers; the default key is the functions' names.

    Raises SweepFileError for a sweep without a time.
    """
    subjects = [
        Subject(
            recommendation,
            measured_at=sweep.started_at,
            deployed_code=sweep.environment == "aws"
            and all(finding.code != OTHER_BUILD for finding in sweep.findings),
        )
        for sweep, recommendation in answers
    ]
    names = sorted({recommendation.function.name for _, recommendation in answers})
    measured = max(_time(sweep) for sweep, _ in answers)
    return CommentText(key or ",".join(names), measured, render_comment(subjects))


def post_comment(comment: CommentText, forge: Forge) -> Delivery:
    """Post or update the comment. Raises ForgeError, ForgeReadOnlyError where it may not."""
    return deliver(forge, comment.text, key=comment.key, measured=comment.measured)


def savings_over(limit_ratio: float, answers: Sequence[Recommendation]) -> list[Recommendation]:
    """Those that surely (the interval's low end) save more by what is recommended."""
    return [
        answer
        for answer in answers
        if answer.choice.verdict == "resize"
        and answer.choice.saving_ratio is not None
        and answer.choice.saving_ratio.low > limit_ratio
    ]


def _time(sweep: Sweep) -> datetime:
    try:
        time = datetime.fromisoformat(sweep.started_at)
    except ValueError:
        raise SweepFileError(
            f"the sweep of {sweep.function.name} has no time ({sweep.started_at!r}): tune again"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
