"""`tuner apply --live`: roll the size out on a live alias."""

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import exit_status, values
from tuner.cli.config import state_dir
from tuner.cli.flags import with_flags
from tuner.cli.progress import tell_recovery
from tuner.cli.screen import agree, say, show_json, show_text
from tuner.errors import NotAgreedError, TunerError, UsageError

if TYPE_CHECKING:
    from tuner.api.rollout import OpenRollout, RolloutRequest
    from tuner.iac.edit import Wanted
    from tuner.model.progress import ProgressEvent
    from tuner.model.recommendation import Recommendation
    from tuner.model.request import Target
    from tuner.rollout.events import RolloutEvent
    from tuner.rollout.needed import Needed
    from tuner.rollout.record import RolloutRecord
    from tuner.rollout.run import PlannedRollout
    from tuner.rollout.steps import Step

_TELL_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a size is rolled out."""

    live: Annotated[
        bool,
        typer.Option("--live", help="Shift a live alias to the size by steps; back if it's worse."),
    ] = False
    alias: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --live: its alias, if several.")
    ] = None
    steps: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE%:TIME,…",
            help="With --live: shares and their least times (default: 10%:10m,50%:10m), then 100%.",
        ),
    ] = None
    step_timeout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --live: go back if a step isn't settled by then (default: three times the "
            "longest step, 1h at least).",
        ),
    ] = None
    unqualified: Annotated[
        bool,
        typer.Option(
            "--unqualified", help="With --live: set $LATEST at once, without alias or comparison."
        ),
    ] = False

    def is_asked(self) -> bool:
        """Whether to roll out. Raises UsageError for an option that only --live has."""
        given = (self.alias, self.steps, self.step_timeout)
        if not self.live and (self.unqualified or any(each is not None for each in given)):
            raise UsageError("--alias, --steps, --step-timeout and --unqualified need --live")
        return self.live

    def request_of(
        self, answer: "Recommendation | None", given: "Wanted | None"
    ) -> "RolloutRequest":
        """What a sweep's answer or the options ask for. Raises InputError, UsageError and
        BadParameter.
        """
        from tuner.api.rollout import RolloutRequest, request_of
        from tuner.rollout.steps import DEFAULT, parse_duration_s, parse_steps

        if self.unqualified and (self.alias or self.steps or self.step_timeout):
            raise UsageError(
                "--unqualified sets $LATEST at once: leave out --alias, --steps and --step-timeout"
            )
        if answer is not None:
            request = request_of(answer)
        else:
            assert given is not None
            request = RolloutRequest(given.function, given.memory_mb, given.was_mb)
        with values.of_option("--steps"):
            steps = () if self.unqualified else parse_steps(self.steps or DEFAULT)
        with values.of_option("--step-timeout"):
            timeout = self.step_timeout
            timeout_s = None if timeout is None else parse_duration_s(timeout, "step_timeout")
        return replace(
            request,
            alias=self.alias,
            steps=steps,
            step_timeout_s=timeout_s,
            unqualified=self.unqualified,
        )


def roll_out_live(request: "RolloutRequest", where: "Target", *, yes: bool, json: bool) -> int:
    """Show the plan, ask, run it and show how it ended; return the exit code."""
    from tuner.api.rollout import open_rollout
    from tuner.rollout.run import INTERRUPTED as BY_SIGNAL
    from tuner.rollout.run import RolloutIO
    from tuner.sweep.io import Clock, StopSignal, stop_on_signals

    stop, clock = StopSignal(), Clock()
    with open_rollout(request, where, state_dir=state_dir()) as rollout:
        if rollout.is_done:
            return _show_done(rollout, json=json)
        _show_plan(rollout)
        if not (yes or agree("Set $LATEST?" if rollout.plan is None else "Roll it out?")):
            raise NotAgreedError("not agreed to: nothing changed")
        with stop_on_signals(stop):
            io = RolloutIO(
                rollout.gateway,
                now=clock.now,
                sleep=clock.sleep,
                is_stopped=lambda: stop.is_requested,
                is_urgent=lambda: stop.is_urgent,
                on_event=_Tell(rollout.plan),
                on_progress=_tell_progress,
            )
            record = rollout.run(state_dir(), io)
        _show_end(record, rollout, json=json)
    if record.state == "finished":
        return 0
    if record.reason == BY_SIGNAL or stop.is_requested:
        return exit_status.INTERRUPTED
    return exit_status.FAILED


def _show_plan(rollout: "OpenRollout") -> None:
    from tuner.rollout.steps import duration_text

    request, plan = rollout.request, rollout.plan
    name, now_mb = rollout.function.name, rollout.from_memory_mb
    reached = ", ".join(rollout.traffic.sources)
    if plan is None:
        by = reached or "nothing that is known of"
        say(f"{name}: $LATEST {now_mb} → {request.memory_mb} MB at once. It's reached by {by}.")
        say(
            "! Nothing is compared, and nothing goes back by itself. The next deployment of your "
            "infrastructure code undoes it: write the size there too (tuner apply)."
        )
        return
    say(
        f"{name}: alias {plan.before.alias}, version {plan.before.version} {now_mb} MB → a new "
        f"version {plan.memory_mb} MB"
    )
    for step, needed in plan.steps:
        say(
            f"  {step.weight * 100:g}% for at least {duration_text(step.least_s)} and "
            f"{needed.count:,} invocations of the alias ({_expected(plan, step, needed)}); "
            f"{needed.for_errors:,} show errors that rise by 20 points"
        )
    within = duration_text(plan.step_timeout_s)
    say(f"  then 100%; a step that isn't settled within {within} goes back")
    for line in _limits(plan):
        say(f"  {line}")
    say(f"  {_sources(rollout)}")
    if reached:
        say(
            f"! $LATEST is reached by {reached} too: it has the new size for a few seconds while "
            "the version is published."
        )
    for warning in rollout.warnings:
        say(f"! {warning}")


def _expected(plan: "PlannedRollout", step: "Step", needed: "Needed") -> str:
    """How long a step takes at the traffic of the last minutes."""
    seconds = plan.expected_s(step, needed)
    if seconds == math.inf:
        return "nothing ran in the last hour"
    over = ": over --step-timeout" if seconds > plan.step_timeout_s else ""
    return f"{_about(seconds)} at the traffic of the last minutes{over}"


def _about(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"about {seconds / length:.0f} {unit}"
    return f"about {seconds:.0f} s"


def _limits(plan: "PlannedRollout") -> tuple[str, ...]:
    forecast = plan.forecast
    worse = (
        "back if errors, timeouts, out-of-memory kills or throttles rise, if an invocation costs "
        f"over {forecast.cost_limit:.2f} times the old version's, or p95 is over "
        f"{forecast.duration_limit:.2f} times: a tenth above {forecast.basis}"
    )
    return worse, "at most 5 of 100 rollouts go back in vain, all looks and figures together"


def _sources(rollout: "OpenRollout") -> str:
    assert rollout.figures is not None
    delay_s = rollout.figures.delay_s
    if rollout.figures.source == "metrics":
        return (
            f"figures from CloudWatch's metrics, {delay_s:.0f} s late, under $0.01 an hour: "
            "errors, throttles and mean durations only"
        )
    text = f"figures from REPORT lines, {delay_s:g} s late, at no cost"
    if rollout.metrics is None:
        return text
    late_s = rollout.metrics.delay_s
    return (
        f"{text}; errors and throttles from metrics too, {late_s:.0f} s late, under $0.01 an hour"
    )


class _Tell:
    """Says on stderr how it goes."""

    def __init__(self, plan: "PlannedRollout | None") -> None:
        self._plan = plan
        self._told_s = 0.0

    def __call__(self, event: "RolloutEvent") -> None:
        from tuner.rollout.events import Looked, MetricsMissing, StepBegan, StepSettled, TurnedBack

        match event:
            case StepBegan():
                self._told_s = 0.0
                say(f"  {event.step.weight * 100:g}% go to the new version")
            case Looked() if event.passed_s >= self._told_s + _TELL_EVERY_S:
                self._told_s = event.passed_s
                say(
                    f"  {event.passed_s / 60:.0f} min: {event.new_count + event.old_count:,} of "
                    f"{event.needed_count:,} invocations, {event.new_count:,} of the new version"
                )
            case MetricsMissing():
                say(
                    "  ! CloudWatch has no metrics by version: errors are known as far as the log "
                    "names them, and throttles aren't watched"
                )
            case StepSettled():
                say(
                    f"  no worse: {event.new_count:,} invocations of the new version, "
                    f"{event.old_count:,} of the old one"
                )
            case TurnedBack():
                say(f"  going back: {event.reason}")


def _tell_progress(event: "ProgressEvent") -> None:
    from tuner.model.progress import CallFailed, VersionDeleted, VersionPublished

    match event:
        case VersionPublished():
            say(f"  version {event.version} published with {event.memory_mb} MB")
        case VersionDeleted() | CallFailed():
            tell_recovery(event)


def _show_done(rollout: "OpenRollout", *, json: bool) -> int:
    where = "$LATEST" if rollout.plan is None else f"alias {rollout.plan.before.alias}"
    line = f"{rollout.function.name} has {rollout.from_memory_mb} MB already ({where})."
    if json:
        show_json(rollout.as_it_is().to_json())
        say(line)
    else:
        show_text(line + "\n")
    return 0


def _show_end(record: "RolloutRecord", rollout: "OpenRollout", *, json: bool) -> None:
    if json:
        document = record.to_json()
        document["reason"] = record.reason and with_flags(record.reason)
        show_json(document)
        return
    name = record.function
    if record.state != "finished":
        show_text(f"RETURNED {name}: {with_flags(record.reason or '')}\n")
        with suppress(TunerError):
            now = rollout.gateway.read_alias(name, str(record.alias))
            show_text(f"Alias {record.alias} routes to {now.describe()} now.\n")
        return
    where = "$LATEST" if record.alias is None else f"alias {record.alias}"
    version = "" if record.alias is None else f", version {record.to_version}"
    show_text(
        f"FINISHED {name}: {where} has {record.to_memory_mb} MB instead of "
        f"{record.from_memory_mb} MB{version}.\n"
    )
    given = f"--function {name} --memory-size {record.to_memory_mb}"
    given = name if record.sweep_id else given
    keeps = "" if record.alias is None else " $LATEST keeps it, and"
    show_text(
        f"Your code still has the old size:{keeps} the next deployment brings it back. Write it "
        f"there too: tuner apply {given}\n"
    )
