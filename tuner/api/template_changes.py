"""What recommendations would change in a repository's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.errors import NotInTemplateError, TemplateError
from tuner.iac import memory_edit
from tuner.report.comment import NoTemplateLine, TemplateChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.iac import MemoryEdit
    from tuner.model.recommendation import Recommendation

USUAL_NAMES: Final = ("template.yaml", "template.yml", "template.json")


def usual_templates(folder: Path) -> list[Path]:
    """The usual SAM or CloudFormation template in a folder, if there is one."""
    return [folder / name for name in USUAL_NAMES if (folder / name).is_file()][:1]


def template_change(
    answer: Recommendation,
    templates: Sequence[Path],
    *,
    named: bool,
    parameters: Mapping[str, str] | None = None,
) -> TemplateChange | NoTemplateLine | None:
    """Return the line that gives a function its recommended memory, or why there is none.

    None if nothing is recommended, or if the user didn't name the templates (`named`) and none has
    the function.
    """
    memory_mb = answer.choice.memory_mb
    if memory_mb is None:
        return None
    missing = None
    for template in templates:
        shown = _in_repository(template)
        try:
            edit = memory_edit(template, answer.function.name, memory_mb, parameters=parameters)
        except NotInTemplateError as error:
            missing = missing or _reason(error, template, shown)
        except TemplateError as error:
            return _reason(error, template, shown)
        else:
            if why := _another_size(edit, answer.current.memory_mb, picked=bool(parameters)):
                return NoTemplateLine(f"{shown}:{edit.line}: {why}")
            return TemplateChange(
                shown,
                edit.line,
                edit.now,
                edit.after,
                edit.memory_mb,
                edit.shared_by,
                used_by=edit.used_by,
            )
    return missing if named else None


def _another_size(edit: MemoryEdit, current_mb: int, *, picked: bool) -> str | None:
    """Why the line isn't the measured function's: it sets a size other than the current one."""
    if edit.memory_mb == current_mb or (edit.is_chosen and picked):
        return None
    if edit.now == edit.after and not edit.is_chosen:  # somebody has already changed it
        return None
    advice = (
        "give `template_parameters=NAME=VALUE` to pick its branch"
        if edit.is_chosen
        else "use the template that the function was deployed from"
    )
    return (
        f"MemorySize is {edit.memory_mb} MB there, and the measured function has {current_mb} MB: "
        f"{advice}"
    )


def _reason(error: TemplateError, path: Path, shown: str) -> NoTemplateLine:
    return NoTemplateLine(str(error).replace(str(path), shown))


def _in_repository(path: Path) -> str:
    """The path as a forge writes it: from the repository's root, with slashes."""
    whole = path.resolve()
    for folder in whole.parents:
        if (folder / ".git").exists():
            return whole.relative_to(folder).as_posix()
    return path.as_posix() if not path.is_absolute() else path.name
