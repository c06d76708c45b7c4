"""`tuner apply`: write the answer where the function's memory is set.

typer evaluates annotations, so nothing here is postponed.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import options
from tuner.cli.apply_live import LiveOptions, roll_out_live
from tuner.cli.groups import GoalOptions, TrafficOptions, WhereOptions, spread
from tuner.cli.saved import analyse, kept_names
from tuner.cli.screen import agree, say, show_json, show_text
from tuner.cli.values import parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.api.applying import EditPlan, RefusedEdit
    from tuner.iac.edit import Edit, Wanted
    from tuner.model.recommendation import Recommendation

EPILOG = """\
tuner apply resize-images

tuner apply resize-images --template examples --check

tuner apply --function resize-images --memory-size 1792 --was 3008 --yes

tuner apply resize-images --live --alias live --steps 5%:30m,25%:30m"""

COMMON = (
    *("sweeps", "function", "memory_size", "was", "template", "stage", "parameter", "check"),
    *("live", "yes", "json"),
)
"""What the short help shows."""

WOULD_CHANGE = 10


@spread
def apply(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SWEEP...",
            help="Sweep files, or functions' names for their newest sweeps.",
            autocompletion=kept_names,
        ),
    ] = None,
    *,
    function: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Without a sweep: deployed name, or name in the code."),
    ] = None,
    memory_size: Annotated[
        int | None, typer.Option(**options.SIZE_MB, help="Without a sweep: its new memory.")
    ] = None,
    was: Annotated[
        int | None,
        typer.Option(
            **options.SIZE_MB, help="Without a sweep: refuse if its memory isn't this now."
        ),
    ] = None,
    template: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            exists=True,
            help="Where to look, repeatable (default: this repository).",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        str | None, typer.Option(metavar="NAME", help="Stage whose memory to set.")
    ] = None,
    parameter: options.TemplateParameters = None,
    check: Annotated[bool, typer.Option("--check", help="Show the change; write nothing.")] = False,
    deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Hold against what is deployed now, not when measured."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write or roll out without asking.")] = False,
    live: LiveOptions,
    where: WhereOptions,
    goal: GoalOptions,
    traffic: TrafficOptions,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    detailed_exitcode: Annotated[
        bool,
        options.output_option(
            "--detailed-exitcode", help="With --check: exit with 10 if something would change."
        ),
    ] = False,
    json: options.JsonOutput = False,
) -> int:
    """Write the recommended memory where your infrastructure code sets it.

    Changes that one value and no other byte, in CloudFormation, SAM, Terraform, Serverless, CDK and
    Pulumi (Python, TypeScript, JavaScript) and Chalice. The file is read again with the change: if
    it didn't give the new memory to this function and the old to all others, nothing is written.
    Shows the diff and asks; what can't be changed for sure is refused with file, line and reason.

    With --live it changes no file: it publishes a version with that memory and shifts an alias to
    it by steps, comparing both versions in the same minutes, and goes back if the new one is worse.
    """
    from tuner.api.applying import plan_edits, working_repository
    from tuner.errors import UsageError

    if sweeps and not (function is None and memory_size is None and was is None):
        raise UsageError("give sweeps, or --function with --memory-size")
    if live.is_asked():
        if template or stage or parameter or check or deployed:
            raise UsageError("--live changes no file: leave out what is about files")
        answer = _answer(sweeps, goal, traffic, min_memory, max_memory) if sweeps else None
        given = None if sweeps else _given(function, memory_size, was)
        return roll_out_live(live.request_of(answer, given), where.part(), yes=yes, json=json)
    if sweeps:
        wanted = _wanted(sweeps, goal, traffic, min_memory, max_memory)
    else:
        wanted = [_given(function, memory_size, was)]
    now = _deployed(wanted, where) if deployed else {}
    wanted = [_as_deployed(each, now) for each in wanted]
    places = template or [working_repository()]
    plan = plan_edits(wanted, places, stage=stage, parameters=parameters_of(parameter))
    _write(plan, check=check, yes=yes, json=json)
    if plan.refused:
        return 1
    return WOULD_CHANGE if check and detailed_exitcode and plan.after else 0


def _write(plan: "EditPlan", *, check: bool, yes: bool, json: bool) -> None:
    """Show the change, write it if agreed to, and say what was done."""
    from tuner.api.applying import to_json

    show = _show_line if (check or yes) and not json else say  # what a question is about: stderr
    for line in plan.diff.splitlines():
        show(line)
    written = not check and bool(plan.after) and (yes or agree("Write this?")) and plan.write()
    _show(plan, written=written, json=json)
    if check and not json:
        _show_drift(plan)
    if json:
        from tuner.cli.flags import with_flags

        document = to_json(plan, written=written)
        for each in document["refused"]:
            each["reason"] = with_flags(each["reason"])
        show_json(document)


def _wanted(
    sweeps: "Sequence[str]",
    goal: GoalOptions,
    traffic: TrafficOptions,
    min_memory: int | None,
    max_memory: int | None,
) -> "list[Wanted | RefusedEdit]":
    from tuner import session
    from tuner.api.applying import wanted_by
    from tuner.cli.config import today

    terms = traffic.terms()
    analyses = analyse(sweeps, goal, min_memory, max_memory)
    return [wanted_by(session.recommend(each, terms, today=today())) for each in analyses]


def _answer(
    sweeps: "Sequence[str]",
    goal: GoalOptions,
    traffic: TrafficOptions,
    min_memory: int | None,
    max_memory: int | None,
) -> "Recommendation":
    from tuner import session
    from tuner.cli.config import today
    from tuner.errors import UsageError

    if len(sweeps) > 1:
        raise UsageError("--live rolls out one function at a time: give one sweep")
    [analysis] = analyse(sweeps, goal, min_memory, max_memory)
    return session.recommend(analysis, traffic.terms(), today=today())


def _deployed(wanted: "Sequence[Wanted | RefusedEdit]", where: WhereOptions) -> dict[str, int]:
    from tuner.api.drift import deployed_memory_mb
    from tuner.iac.edit import Wanted

    names = [each.function for each in wanted if isinstance(each, Wanted)]
    return {name: deployed_memory_mb(name, where.part()) for name in names}


def _as_deployed(
    wanted: "Wanted | RefusedEdit", now: "Mapping[str, int]"
) -> "Wanted | RefusedEdit":
    from tuner.iac.edit import Wanted

    if not isinstance(wanted, Wanted) or wanted.function not in now:
        return wanted
    return replace(wanted, was_mb=now[wanted.function])


def _show_drift(plan: "EditPlan") -> None:
    """Which of code, deployment and recommendation disagree."""
    for each in plan.drift:
        if each.code_mb is not None and each.deployed_mb is not None:
            _show_line(
                f"{each.function}: {each.code_mb} MB in the code, {each.deployed_mb} MB deployed, "
                f"{each.recommended_mb} MB recommended: {each.meaning}."
            )


def _given(function: str | None, memory_mb: int | None, was_mb: int | None) -> "Wanted":
    from tuner.errors import UsageError
    from tuner.iac.edit import Wanted

    if function is None or memory_mb is None:
        raise UsageError("which function? give sweeps, or --function with --memory-size")
    return Wanted(function, memory_mb, was_mb)


def _show(plan: "EditPlan", *, written: bool, json: bool) -> None:
    for each in plan.edits:
        line = _edit_line(each, written=written)
        (say if json else _show_line)(line)
    for refused in plan.refused:
        place = "" if refused.path is None else f"{refused.path}:"
        where = place if refused.line is None else f"{place}{refused.line}:"
        say(f"{refused.function} refused: {where} {refused.reason}".replace(":  ", ": "))


def _show_line(line: str) -> None:
    from tuner.report.sanitize import plain

    show_text(plain(line) + "\n")


def _edit_line(edit: "Edit", *, written: bool) -> str:
    where = f"{edit.path}:{edit.line}"
    if edit.before == edit.after:
        return f"{edit.function} has {edit.memory_mb} MB already ({where})."
    was = "" if edit.was_mb is None else f" instead of {edit.was_mb} MB"
    change = f"{edit.memory_mb} MB{was} ({where})"
    keep = f"; {', '.join(edit.shared_by)}: unchanged" if edit.shared_by else ""
    verb = "now gets" if written else "would get"
    deploy = " Deploy it." if written else ""
    return f"{edit.function} {verb} {change}{keep}.{deploy}"
