"""From the options of `tune` to its answer: show the plan, ask, run, report."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from tuner import session
from tuner.api.target import open_target
from tuner.aws import CredentialsWait
from tuner.cli import exit_status
from tuner.cli.commands import apply_line, report_command, terms_flags
from tuner.cli.config import state_dir, today
from tuner.cli.progress import progress
from tuner.cli.screen import agree, agree_to_invoke, is_interactive, say, show_answer, show_json
from tuner.errors import HookError, LeftChangedError, NotAgreedError, UnknownTrafficError
from tuner.model.interval import counted
from tuner.observe.verdicts import read_outcomes, with_track_record
from tuner.report.json import function_json, headed
from tuner.report.plan import describe_plan
from tuner.session.inputs import read_inputs, test_event_names, with_payloads
from tuner.sweep.io import StopSignal, stop_on_signals
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.breakeven.terms import Terms
    from tuner.cli.groups import MannerOptions
    from tuner.model.goal import Goal
    from tuner.model.plan import PriceOfDeciding
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.request import TuneRequest
    from tuner.model.sweep import Sweep
    from tuner.session import Inputs, OpenTarget
    from tuner.sweep.prepared import PreparedSweep

RENEWAL_S: Final = 240.0
"""Well below the time that restoring may take without progress (`LIMIT_S`), so waiting can't end
it."""


def sweep_and_answer(
    request: TuneRequest,
    *,
    goal: Callable[[Goal | None], Goal],
    manner: MannerOptions,
    allow_side_effects: bool = False,
    explain: bool = False,
    terms: Terms | None = None,
) -> int:
    """Plan, ask, sweep and show the answer; return the exit code. Raises TunerError.

    `goal` completes the goal of a sweep being resumed.
    """
    stop, folder = StopSignal(), state_dir()
    inputs = read_inputs(request, state_dir=folder)
    wanted = goal(inputs.earlier.goal if inputs.earlier else None)

    def tell(sweep: Sweep) -> Recommendation:
        least_mb, most_mb = request.measure.min_memory_mb, request.measure.max_memory_mb
        analysis = session.analyse(sweep, wanted, min_memory_mb=least_mb, max_memory_mb=most_mb)
        answer = session.recommend(analysis, terms, today=today())
        answer = with_track_record(answer, read_outcomes(folder))
        if manner.json:
            show_answer(answer, "json")
            return answer
        kept_as = None if request.output.out else answer.function.name
        where = request.target
        apply = apply_line(answer, where.local_template, where.template_parameters)
        again = report_command(answer, kept_as, terms_flags(terms) if terms else ())
        show_answer(answer, "text", again=again, apply=apply, explain=explain)
        return answer

    with open_target(
        inputs,
        state_dir=folder,
        credentials_wait=_credentials_wait(stop),
        on_step=lambda step: say(f"  {step}"),
    ) as target:
        inputs = with_payloads(inputs, target, _test_events_offered(inputs, target))
        prepared = _plan(inputs, target, wanted)
        price = prepared.price(terms.traffic.rate_per_s if terms else None)
        _show_plan(prepared, target, price)
        if manner.dry_run:
            return _end_dry_run(prepared, price, manner)
        agree_to_invoke(
            prepared.side_effects,
            "Is that safe with these payloads?",
            is_free=prepared.harms_nothing,
            yes=manner.yes,
            allow_side_effects=allow_side_effects,
        )
        with stop_on_signals(stop), progress() as on_progress:
            sweep = _run(prepared, target, stop, on_progress, answer=tell)
    if stop.is_requested:
        has_told = any(each.is_warm_sample for each in sweep.invocations)
        if has_told or manner.json:
            tell(sweep)
        _say_interrupted(sweep, kept_by_name=request.output.out is None, has_told=has_told)
        return exit_status.INTERRUPTED
    answer = tell(sweep)
    if sweep.end == "failed":
        say("tuner: the sweep didn't finish: see the messages above")
        return exit_status.FAILED
    return exit_status.of(answer) if manner.detailed_exitcode else 0


def _say_interrupted(sweep: Sweep, *, kept_by_name: bool, has_told: bool) -> None:
    done, limit = len(sweep.invocations), sweep.plan.max_invocations
    # A grid's limit is above what it takes.
    is_grid = sweep.plan.method == "exhaustive"
    count = counted(done, "invocation") if is_grid else f"{done} of {limit}"
    kept = sweep.function.name if kept_by_name else sweep.file
    early = "" if has_told else ", too early for an answer"
    say(
        f"tuner: interrupted after {count}{early}; to go on, run the same command with --resume "
        f"{kept}"
    )


def _test_events_offered(inputs: Inputs, target: OpenTarget) -> tuple[str, ...] | None:
    """If no payload was named, offer the function's own test events; None keeps the request."""
    if inputs.request.measure.payloads or inputs.earlier is not None:
        return None
    names = test_event_names(inputs, target)
    if not names:
        return None
    say(
        f"The function has shareable test events ({', '.join(names)}), and no --payload was given: "
        "--payload test-events sends them instead of {}."
    )
    return ("test-events",) if is_interactive() and agree("Send them?") else None


def _credentials_wait(stop: StopSignal) -> CredentialsWait:
    """Wait for expired credentials if somebody can renew them."""

    def tell(wait_s: float) -> None:
        say(
            "  your AWS credentials expired: renew them in another terminal (aws sso login, or "
            f"new keys in the credentials file); waiting up to {wait_s / 60:.0f} min"
        )

    return CredentialsWait(RENEWAL_S if is_interactive() else 0.0, tell, lambda: stop.is_urgent)


def _plan(inputs: Inputs, target: OpenTarget, goal: Goal) -> PreparedSweep:
    """Plan the sweep; if its isolation can't be decided, ask."""
    folder = state_dir()
    try:
        return session.plan(inputs, target, goal=goal, state_dir=folder)
    except UnknownTrafficError as error:
        if not is_interactive():
            raise
        say(f"tuner: {error}")
        if not agree("Measure a temporary copy, so the function itself is only read?"):
            raise NotAgreedError("no isolation was chosen: nothing changed") from error
        return session.plan(inputs.isolated("clone"), target, goal=goal, state_dir=folder)


def _show_plan(prepared: PreparedSweep, target: OpenTarget, price: PriceOfDeciding | None) -> None:
    lines = describe_plan(
        prepared.function,
        prepared.plan,
        costs_nothing=prepared.costs_nothing,
        reached_by=prepared.reached_by,
        has_build=prepared.build is not None,
        prior=prepared.prior,
        price=price,
    )
    for line in (*target.beside_the_function, *lines):
        say(line)


def _run(
    prepared: PreparedSweep,
    target: OpenTarget,
    stop: StopSignal,
    on_progress: ProgressHook,
    *,
    answer: Callable[[Sweep], Recommendation],
) -> Sweep:
    """Run the sweep. If the function can't be restored, or the command after it failed, still
    answer from the file.
    """
    try:
        return session.run(prepared, target, on_progress=on_progress, stop=stop)
    except (LeftChangedError, HookError):
        with suppress(Exception):  # no error may hide that something is left changed
            answer(load_sweep(prepared.file))
        raise


def _end_dry_run(
    prepared: PreparedSweep, price: PriceOfDeciding | None, manner: MannerOptions
) -> int:
    if manner.json:
        show_json(
            {
                **headed("plan"),
                "function": function_json(prepared.function),
                "plan": asdict(prepared.plan),
                "price": price and asdict(price),
            }
        )
    return 0
