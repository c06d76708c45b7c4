"""What recommendations would change in a repository's infrastructure code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.applying import RefusedEdit, plan_edits, wanted_by
from tuner.report.comment import NoTemplateLine, TemplateChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.model.recommendation import Recommendation


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
