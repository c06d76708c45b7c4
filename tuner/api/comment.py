"""The answers for one or more functions as one comment on a pull request."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from tuner.api.applying import RefusedEdit, plan_edits, wanted_by
from tuner.errors import ForgeError
from tuner.forge.comments import deliver, is_newer_there, suggest
from tuner.forge.protocol import Suggestion
from tuner.report.comment import (
    NoTemplateLine,
    Subject,
    TemplateChange,
    render_comment,
    render_suggestion,
)
from tuner.report.sanitize import is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from tuner.forge.comments import Delivery
    from tuner.forge.protocol import Forge
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.report.comment import MeasuredCode

OTHER_BUILD = "other_build_measured"
"""The finding that `tune --code` leaves in a sweep."""


class CommentText(NamedTuple):
    """A comment before it is posted."""

    key: str
    measured: datetime
    """When the newest sweep began."""
    subjects: tuple[Subject, ...]

    @property
    def text(self) -> str:
        """Markdown."""
        return render_comment(self.subjects)


class Posted(NamedTuple):
    """What was done; `why_not_suggested` is None unless a suggestion failed."""

    delivery: Delivery
    why_not_suggested: str | None


def compose_comment(
    answers: Sequence[tuple[Sweep, Recommendation]],
    *,
    key: str | None = None,
    digests: Collection[str] = (),
    changes: Sequence[TemplateChange | NoTemplateLine | None] = (),
) -> CommentText:
    """Return the comment for these answers; the default key is the functions' names.

    `digests` are the change's own builds (if none, whatever `tune --code` measured counts as the
    change's build), `changes` what each answer would change in a template. Raises SweepFileError
    for a sweep without a time.
    """
    subjects = [
        Subject(recommendation, sweep.started_at, _code(sweep, digests), change)
        for (sweep, recommendation), change in zip_longest(answers, changes)
    ]
    names = sorted({recommendation.function.name for _, recommendation in answers})
    measured = max(sweep.began_at for sweep, _ in answers)
    return CommentText(key or ",".join(names), measured, tuple(subjects))


def post_comment(comment: CommentText, forge: Forge) -> Posted:
    """Post or update the comment, and suggest changes on the template's lines.

    If a suggestion can't be placed on its line, the comment shows the change. Raises ForgeError, or
    ForgeReadOnlyError if it may not comment.
    """
    wanted = _suggestions(comment.subjects)
    stands: set[str] = set()
    why_not = None
    if not is_newer_there(forge, key=comment.key, measured=comment.measured):
        try:
            stands = suggest(
                forge, list(wanted.values()), key=comment.key, measured=comment.measured
            )
        except ForgeError as error:
            why_not = str(error) if wanted else None
    text = render_comment([_marked(each, wanted, stands) for each in comment.subjects])
    delivery = deliver(forge, text, key=comment.key, measured=comment.measured)
    return Posted(delivery, why_not)


def _suggestions(subjects: Sequence[Subject]) -> dict[str, Suggestion]:
    """Possible suggestions, by function: a line that sets the memory of that function only.

    A line that answers disagree about is left alone, and so is one with invisible characters,
    because reviewers must see what they accept.
    """
    found: dict[str, Suggestion] = {}
    lines: dict[tuple[str, int], set[str]] = {}
    for subject in subjects:
        change = subject.change
        if not isinstance(change, TemplateChange):
            continue
        agreed = lines.setdefault((change.path, change.line), set())
        agreed.add(change.after)
        name = subject.recommendation.function.name
        if (
            change.now != change.after
            and "\n" not in change.now
            and all(map(is_plain, change.after.split("\n")))
        ):
            words = render_suggestion(subject)
            found[name] = Suggestion(
                name, change.path, change.line, change.now, change.after, words
            )
    return {name: each for name, each in found.items() if len(lines[each.path, each.line]) == 1}


def _marked(subject: Subject, wanted: dict[str, Suggestion], stands: Collection[str]) -> Subject:
    """The subject, noting whether its suggestion is on its line."""
    name, change = subject.recommendation.function.name, subject.change
    if name not in stands or not isinstance(change, TemplateChange):
        return subject
    suggested = (change.path, change.line) == (wanted[name].path, wanted[name].line)
    return subject._replace(change=change._replace(suggested=suggested))


def _code(sweep: Sweep, digests: Collection[str]) -> MeasuredCode:
    other = any(finding.code == OTHER_BUILD for finding in sweep.findings)
    if not digests:
        return "change" if other or sweep.environment == "local" else "deployed"
    if sweep.function.code_sha256 in digests:
        return "change"
    return "other" if other or sweep.environment == "local" else "deployed"


def savings_over(limit_ratio: float, answers: Sequence[Recommendation]) -> list[Recommendation]:
    """The resizes that surely (by the interval's low end) save more than the limit."""
    return [
        answer
        for answer in answers
        if answer.choice.verdict == "resize"
        and answer.choice.saving_ratio is not None
        and answer.choice.saving_ratio.low > limit_ratio
    ]


def template_change(
    answer: Recommendation,
    places: Sequence[Path],
    *,
    named: bool,
    stage: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> TemplateChange | NoTemplateLine | None:
    """Return the lines that give a function its recommended memory, or why there are none.

    `places` are files and folders. None if nothing is recommended, or if the user didn't name the
    places (`named`) and none has the function.
    """
    wanted = wanted_by(answer)
    if isinstance(wanted, RefusedEdit):
        return None
    plan = plan_edits([wanted], places, stage=stage, parameters=parameters)
    for each in plan.refused:
        if each.is_missing and not named:
            return None
        if each.is_missing:
            shown = ", ".join(map(_in_repository, places))
            return NoTemplateLine(f"no function called {each.function} in {shown}")
        return NoTemplateLine(_as_in_repository(each))
    edit = plan.edits[0]
    return TemplateChange(
        _in_repository(edit.path),
        edit.line,
        edit.before.replace("\r\n", "\n"),
        edit.after.replace("\r\n", "\n"),
        edit.was_mb,
    )


def _as_in_repository(refused: RefusedEdit) -> str:
    if refused.path is None:
        return refused.reason
    shown = _in_repository(refused.path)
    line = "" if refused.line is None else f":{refused.line}"
    return f"{shown}{line}: {refused.reason.replace(str(refused.path), shown)}"


def _in_repository(path: Path) -> str:
    """The path as a forge writes it: from the repository's root, with slashes."""
    whole = path.resolve()
    for folder in whole.parents:
        if (folder / ".git").exists():
            return whole.relative_to(folder).as_posix()
    return path.as_posix() if not path.is_absolute() else path.name
