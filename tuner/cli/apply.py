"""`tuner apply`: write the answer where the function's memory is set."""

from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import exit_status, options
from tuner.cli.apply_live import LiveOptions, roll_out_live
from tuner.cli.config import today
from tuner.cli.flags import with_flags
from tuner.cli.groups import GoalOptions, TrafficOptions, WhereOptions, spread
from tuner.cli.saved import analyse, kept_names
from tuner.cli.screen import agree, say, show_json, show_text
from tuner.cli.values import parameters_of
from tuner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.applying import EditPlan, RefusedEdit
    from tuner.iac.edit import Edit, Wanted
    from tuner.model.recommendation import Recommendation

EPILOG = """\
tuner apply resize-images

tuner apply resize-images --template examples --check

tuner apply orders.json --check

tuner apply --function resize-images --memory-size 1792 --was 3008 --yes

tuner apply resize-images --live --alias live --steps 5%:30m,25%:30m"""

COMMON = (
    *("sweeps", "function", "memory_size", "was", "template", "stage", "parameter", "check"),
    *("live", "yes", "json"),
)
"""What the short help shows."""


@dataclass(frozen=True, slots=True)
class GivenOptions:
    """The function and its new memory, without a sweep."""

    function: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Without a sweep: deployed name, or name in the code."),
    ] = None
    memory_size: Annotated[
        int | None, typer.Option(**options.SIZE_MB, help="Without a sweep: its new memory.")
    ] = None
    was: Annotated[
        int | None,
        typer.Option(
            **options.SIZE_MB, help="Without a sweep: refuse if its memory isn't this now."
        ),
    ] = None

    def wanted(self) -> "Wanted":
        """What they ask for. Raises UsageError."""
        from tuner.iac.edit import Wanted

        if self.function is None or self.memory_size is None:
            raise UsageError("which function? give sweeps, or --function with --memory-size")
        return Wanted(self.function, self.memory_size, self.was)


@dataclass(frozen=True, slots=True)
class CodeOptions:
    """Where the code is, and what to do about it."""

    template: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            exists=True,
            help="Where to look, repeatable (default: this repository).",
        ),
    ] = None
    stage: Annotated[
        str | None, typer.Option(metavar="NAME", help="Stage whose memory to set.")
    ] = None
    parameter: options.TemplateParameters = None
    check: Annotated[bool, typer.Option("--check", help="Show the change; write nothing.")] = False
    deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Hold against what is deployed now, not when measured."),
    ] = False


@spread
def apply(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            **options.without_settings("function"),
            metavar="SWEEP...",
            help="Sweep files, functions' names for their newest sweeps, or answers of tuner "
            "workflow (.json).",
            autocompletion=kept_names,
        ),
    ] = None,
    *,
    given: GivenOptions,
    code: CodeOptions,
    yes: Annotated[bool, typer.Option("--yes", help="Write or roll out without asking.")] = False,
    live: LiveOptions,
    where: WhereOptions,
    goal: GoalOptions,
    traffic: TrafficOptions,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    detailed_exitcode: Annotated[
        bool, options.exit_code_option("With --check: exit with 10 if something would change.")
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
    from tuner.api.applying import plan_edits, told_of, wanted_by, working_repository

    if sweeps and given != GivenOptions():
        raise UsageError("give sweeps, or --function with --memory-size")
    if live.is_asked() and any(astuple(code)):
        raise UsageError("--live changes no file: leave out what is about files")
    if live.is_asked() and sweeps and len(sweeps) > 1:
        raise UsageError("--live rolls out one function at a time: give one sweep")
    by_hand = None if sweeps else given.wanted()
    sized, measured = _split(sweeps or ())
    if live.is_asked() and sized:
        raise UsageError("--live rolls out one function at a time: give a sweep")
    answers = _answers(measured, goal, traffic, min_memory, max_memory) if measured else []
    if live.is_asked():
        if lines := told_of(answers):
            raise UsageError(f"--live changes memory alone. {lines[0]}")
        request = live.request_of(answers[0] if answers else None, by_hand)
        return roll_out_live(request, where.part(), yes=yes, json=json)
    wanted = [*map(wanted_by, answers), *sized, *([by_hand] if by_hand else [])]
    if code.deployed:
        wanted = [_as_deployed(each, where) for each in wanted]
    wanted = [replace(each, function=_plain_name(each.function)) for each in wanted]
    places = code.template or [working_repository()]
    parameters = parameters_of(code.parameter)
    plan = plan_edits(wanted, places, stage=code.stage, parameters=parameters)
    _write(plan, check=code.check, yes=yes, json=json)
    for line in told_of(answers):
        say(line)
    if plan.refused:
        return 1
    return exit_status.WOULD_CHANGE if code.check and detailed_exitcode and plan.after else 0


def _plain_name(function: str) -> str:
    """The name in an ARN, or without version or alias; in code some names have colons too."""
    from tuner.aws.function_ref import parse_reference

    try:
        return parse_reference(function).name
    except UsageError:
        return function


def _split(given: "Sequence[str]") -> "tuple[list[Wanted], list[str]]":
    """What answers of workflows ask for, and the sweeps."""
    from tuner.api.applying import holds_workflow, wanted_by_workflow

    workflows = [each for each in given if holds_workflow(Path(each))]
    sized = [one for each in workflows for one in wanted_by_workflow(Path(each))]
    if workflows and not sized:
        say(f"{', '.join(workflows)} keeps every size: nothing to change.")
    return sized, [each for each in given if each not in workflows]


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
        document = to_json(plan, written=written)
        for each in document["refused"]:
            each["reason"] = with_flags(each["reason"])
        show_json(document)


def _answers(
    sweeps: "Sequence[str]",
    goal: GoalOptions,
    traffic: TrafficOptions,
    min_memory: int | None,
    max_memory: int | None,
) -> "list[Recommendation]":
    from tuner import session

    terms = traffic.terms()
    analyses = analyse(sweeps, goal, min_memory, max_memory)
    return [session.recommend(each, terms, today=today()) for each in analyses]


def _as_deployed(wanted: "Wanted | RefusedEdit", where: WhereOptions) -> "Wanted | RefusedEdit":
    from tuner.api.applying import deployed_memory_mb
    from tuner.iac.edit import Wanted

    if not isinstance(wanted, Wanted):
        return wanted
    return replace(wanted, was_mb=deployed_memory_mb(wanted.function, where.part()))


def _show_drift(plan: "EditPlan") -> None:
    """Which of code, deployment and recommendation disagree."""
    for each in plan.drift:
        if each.code_mb is not None and each.deployed_mb is not None:
            _show_line(
                f"{each.function}: {each.code_mb} MB in the code, {each.deployed_mb} MB deployed, "
                f"{each.recommended_mb} MB recommended: {each.meaning}."
            )


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
