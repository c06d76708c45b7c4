"""Commands that make sense after an answer, with the options that give it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import TunerError
from tuner.report.sanitize import plain
from tuner.report.wording import apply_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.breakeven.terms import Terms
    from tuner.iac.edit import Edit
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.report.page.data import SweepView


def report_command(
    recommendation: Recommendation, source: str | None = None, flags: Sequence[str] = ()
) -> str:
    """The command that shows the answer again.

    `source` is how `tuner report` finds the sweep, if that's shorter than its file; `flags` are the
    options needed to get the same answer.
    """
    sweep = shlex.quote(plain(source or recommendation.sweep.file or recommendation.function.name))
    return " ".join(["tuner report", sweep, *flags])


def apply_line(
    recommendation: Recommendation,
    template: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> str | None:
    """How to apply the answer: `tuner apply` with the line that it would change (by default, of the
    repository), or the AWS CLI's command. None if there is nothing to do.
    """
    if recommendation.choice.verdict != "resize" or _is_installed(template):
        return None
    from tuner.api.applying import plan_edits, wanted_by, working_repository

    places = [working_repository()] if template is None else [template]
    try:
        plan = plan_edits([wanted_by(recommendation)], places, parameters=parameters)
    except TunerError:  # too many files, for instance
        return apply_command(recommendation)
    for edit in plan.edits:
        return _edit_line(recommendation, edit, template)
    return apply_command(recommendation)


def _is_installed(template: Path | None) -> bool:
    """Whether it's the demo's template in the installed package, which nobody deploys."""
    return template is not None and template.is_relative_to(Path(__file__).parents[1])


def _edit_line(recommendation: Recommendation, edit: Edit, template: Path | None) -> str:
    folder = Path.cwd()
    shown = edit.path.relative_to(folder) if edit.path.is_relative_to(folder) else edit.path
    if edit.before == edit.after:
        return f"{shown}:{edit.line} sets {edit.memory_mb} MB already: deploy it"
    now = edit.before.strip()
    after = edit.after.removeprefix(edit.before).strip()
    name, colon, written = after.partition(": ")
    if edit.how == "insert":
        change = f"+ {after}"
    elif colon and now == f"{name}: {edit.was_mb}":
        change = f"{now} → {written}"
    else:
        change = f"{now} → {after}"
    words = ["tuner apply", shlex.quote(plain(recommendation.function.name))]
    if template is not None:
        words += ["--template", shlex.quote(plain(str(shown)))]
    return f"{' '.join(words)}   ({shown}:{edit.line}  {change})"


def page_command(view: SweepView, flags: Sequence[str]) -> str:
    """The command that makes a page again from its saved sweep; `flags` are added to the goal's."""
    goal = goal_flags(view.recommendation.goal, view.sweep.goal)
    source = shlex.quote(plain(view.source))
    return " ".join(["tuner report", source, "--format html", *goal, *flags, "--out report.html"])


def measure_command(view: SweepView, flags: Sequence[str]) -> str:
    """The command for a new sweep of the same kind."""
    answer, sweep = view.recommendation, view.sweep
    words = ["tuner tune", shlex.quote(plain(sweep.function.name))]
    words += ["--local TEMPLATE"] if answer.environment == "local" else []
    words += ["--payload PAYLOADS"]
    if answer.variation is not None:
        values = ",".join(each.value for each in answer.variation.values)
        name = answer.variation.parameter.name
        if answer.variation.parameter.is_architecture:
            words.append(f"--architectures {values}")
        else:
            words.append(shlex.quote(f"--vary={plain(name)}={plain(values)}"))
    words += ["--exhaustive"] if sweep.plan.method == "exhaustive" else []
    return " ".join([*words, f"--seed {sweep.plan.seed}", *goal_flags(answer.goal), *flags])


def goal_flags(goal: Goal, kept: Goal | None = None) -> list[str]:
    """The options that turn the goal kept in a sweep (or the default one) into this one."""
    usual = kept or type(goal)()
    # A named goal has its own weight, which replaces the kept one.
    drops_weight = goal.time_weight is None and usual.time_weight is not None
    is_named = drops_weight or goal.name != usual.name
    flags = [f"--goal {goal.name}"] if is_named else []
    flags += _flags(
        ("--time-weight {}", goal.time_weight, None if is_named else usual.time_weight),
        ("--tolerance {}", goal.tolerance_ratio, usual.tolerance_ratio),
        (
            "--max-cost-per-million {}",
            goal.max_cost_usd_per_million,
            usual.max_cost_usd_per_million,
        ),
        ("--cold-start-share {}", goal.cold_start_share, usual.cold_start_share),
        ("--percentile {:g}", goal.percentile, usual.percentile),
        ("--max-duration {:g}ms", goal.max_duration_ms, usual.max_duration_ms),
    )
    if goal.allow_different_replies and not usual.allow_different_replies:
        flags.append("--allow-different-replies")
    return flags


def limits_flags(min_memory_mb: int | None, max_memory_mb: int | None) -> list[str]:
    """The options for the range of sizes."""
    return _flags(
        ("--min-memory {}", min_memory_mb, None), ("--max-memory {}", max_memory_mb, None)
    )


def terms_flags(terms: Terms) -> list[str]:
    """The options for traffic and for the least saving, if they aren't the defaults."""
    usual_usd = type(terms)().min_saving_usd_per_month
    return _flags(
        ("--rate {:g}/s", terms.traffic.rate_per_s, None),
        ("--min-saving-usd-per-month {:g}", terms.min_saving_usd_per_month, usual_usd),
        ("--min-saving-ratio {:g}", terms.min_saving_ratio, None),
    )


def _flags(*options: tuple[str, float | None, float | None]) -> list[str]:
    """Each option as it's written, for a value that is given and isn't the usual one."""
    return [form.format(value) for form, value, usual in options if value not in (None, usual)]
