"""From the options of `tune` to its answer: show the plan, ask, run, tell."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner import api
from tuner.api.events import test_event_names
from tuner.cli import exitcode
from tuner.cli.clock import today
from tuner.cli.progress import progress
from tuner.cli.screen import agree, is_interactive, say, show_answer, show_json
from tuner.cli.state import state_dir
from tuner.errors import (
    HookError,
    LeftChangedError,
    NotAgreedError,
    UnknownReachError,
)
from tuner.model.patience import CredentialsPatience
from tuner.report.frame import terms_flags
from tuner.report.json import SCHEMA_VERSION, function_json
from tuner.report.plan import describe_plan
from tuner.sweep.io import StopSignal, stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.breakeven.question import Terms
    from tuner.model.goal import Goal
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

FAILED: Final = 1
INTERRUPTED: Final = 130
RENEWAL_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How the run talks to whoever started it."""

    yes: bool
    allow_side_effects: bool
    dry_run: bool
    json: bool
    detailed_exitcode: bool


def sweep_and_answer(
    function: str | None,
    asked: api.TuneOptions,
    *,
    goal: Callable[[Goal | None], Goal],
    manner: Manner,
    terms: Terms | None = None,
) -> int:
    """Plan, ask, sweep and show the answer; return the exit code. Raises TunerError.

    `goal` completes the one of a sweep that is gone on from.
    """
    stop = StopSignal()
    folder = state_dir()
    job = api.read_job(function, asked, state_dir=folder)
    wanted = goal(job.request.earlier.goal if job.request.earlier else None)

    def tell(sweep: Sweep) -> Recommendation:
        answer = api.answer_of(sweep, job.request, goal=wanted, terms=terms, today=today())
        kept_as = None if job.request.out else answer.function.name
        flags = terms_flags(terms) if terms else ()
        show_answer(answer, "json" if manner.json else "text", kept_as, flags)
        return answer

    with api.open_target(
        job.function,
        state_dir=folder,
        concurrency=job.request.concurrency,
        patience=_patience(stop),
        on_step=lambda step: say(f"  {step}"),
        check=job.check,
        **job.place,
    ) as target:
        request = job.completed(target, _test_events_offered(target, job))
        prepared = _prepare(target, job.function, request, wanted)
        for message in target.beside_the_function:
            say(message)
        for line in describe_plan(
            prepared.function,
            prepared.plan,
            costs_nothing=prepared.costs_nothing,
            reached_by=prepared.reached_by,
            has_build=prepared.build is not None,
        ):
            say(line)
        if manner.dry_run:
            return _end_dry_run(prepared, manner)
        _agree_to_side_effects(prepared, manner)
        if prepared.harms_nothing:
            say("This endpoint was started for the run, so nothing is asked.")
        elif not (manner.yes or agree("Proceed?")):
            raise NotAgreedError("the plan was not agreed to: nothing was changed")
        with stop_on_signals(stop), progress() as on_progress:
            sweep = _run(prepared, target, stop, on_progress, answer=tell)
    answer = tell(sweep)
    if stop.is_requested:
        return INTERRUPTED
    if sweep.end == "failed":
        say("tuner: the sweep could not be finished: see what is said above")
        return FAILED
    return exitcode.of(answer) if manner.detailed_exitcode else 0


def _test_events_offered(target: api.Target, job: api.Job) -> tuple[str, ...] | None:
    """Where no payload was named, offer the function's own; None leaves what is asked for."""
    if job.specs or job.request.earlier is not None:
        return None
    names = test_event_names(target, job.function)
    if not names:
        return None
    say(
        f"The function has shareable test events ({', '.join(names)}), and no --payload was given: "
        "--payload test-events sends them instead of {}."
    )
    return ("test-events",) if is_interactive() and agree("Send them?") else None


def _patience(stop: StopSignal) -> CredentialsPatience:
    """Expired credentials are waited for where somebody is there to renew them."""

    def tell(wait_s: float) -> None:
        say(
            "  the AWS credentials have expired: renew them in another terminal (aws sso login, or "
            f"new keys in the credentials file); waiting for up to {wait_s / 60:.0f} min"
        )

    return CredentialsPatience(RENEWAL_S if is_interactive() else 0.0, tell, lambda: stop.is_urgent)


def _prepare(
    target: api.Target, function: str, request: api.Request, goal: Goal
) -> api.PreparedSweep:
    """Plan the sweep; where its isolation cannot be decided, ask."""
    folder = state_dir()
    try:
        return api.prepare(target, function, request, goal=goal, state_dir=folder)
    except UnknownReachError as error:
        if not is_interactive():
            raise
        say(f"tuner: {error}")
        if not agree("Measure a temporary copy, so that the function is only read?"):
            raise NotAgreedError("no isolation was chosen: nothing was changed") from error
        safe = replace(request, isolation="clone")
        return api.prepare(target, function, safe, goal=goal, state_dir=folder)


def _agree_to_side_effects(prepared: api.PreparedSweep, manner: Manner) -> None:
    """Say what invocations may cause, and have it agreed to apart from the cost."""
    if not prepared.side_effects:
        return
    say(f"Invocations may have effects beyond their answer: {'; '.join(prepared.side_effects)}.")
    if manner.allow_side_effects:
        return
    if not agree("Is that safe with these payloads?", flag="--allow-side-effects"):
        raise NotAgreedError("the side effects were not agreed to: nothing was changed")


def _run(
    prepared: api.PreparedSweep,
    target: api.Target,
    stop: StopSignal,
    on_progress: ProgressHook,
    *,
    answer: Callable[[Sweep], Recommendation],
) -> Sweep:
    """Run the sweep; where the function cannot be given back, or the command after it failed, still
    answer from the file.
    """
    try:
        return api.run(prepared, target, on_progress=on_progress, stop=stop)
    except (LeftChangedError, HookError):
        with suppress(Exception):  # whatever it is, it must not hide what is left changed
            answer(api.load_sweep(prepared.file))
        raise


def _end_dry_run(prepared: api.PreparedSweep, manner: Manner) -> int:
    if manner.json:
        show_json(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": "plan",
                "function": function_json(prepared.function),
                "plan": asdict(prepared.plan),
            }
        )
    return 0
