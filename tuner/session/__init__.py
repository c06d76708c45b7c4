"""The main job in four calls, for the command line and Python alike; read this file first.

`plan` reads the function and says what a sweep would do, `run` measures, `analyse` works out what
the measurements say, `recommend` answers. The input is a `TuneRequest`: `inputs` reads what it
names, `planning` has the steps of a plan, `breakeven` looks beyond Lambda.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.breakeven.terms import Terms
from tuner.decision.analysis import analyse as analyse_sweep
from tuner.decision.recommendation import recommend as recommend_by
from tuner.errors import InputError, PriceError
from tuner.lease.clone import choose_isolation
from tuner.model.goal import Goal
from tuner.payloads.event_stream import checked_events
from tuner.pricing.renewal import current_price_book
from tuner.session.architectures import dearer, with_other_code
from tuner.session.breakeven import (
    platforms_of,
    saving_needed,
    with_observed_rate,
    with_observed_share,
    with_platform,
)
from tuner.session.inputs import Inputs, OpenTarget, check_output
from tuner.session.planning import (
    as_measured,
    basis_of,
    concurrency_limits_of,
    live_traffic_of,
    plan_by,
    prior_of,
    side_effects_of,
)
from tuner.sweep.io import StopSignal, SweepIO, tell_nobody
from tuner.sweep.limits import polite_concurrency
from tuner.sweep.plan import check_measurable
from tuner.sweep.prepared import PreparedSweep
from tuner.sweep.run import run as run_sweep
from tuner.sweep.store import SweepStore, check_writable
from tuner.sweep.writing import continued_in

if TYPE_CHECKING:
    import datetime
    from pathlib import Path

    from tuner.breakeven.answer import BreakEven
    from tuner.decision.analysis import Analysis
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook

__all__ = ["Inputs", "OpenTarget", "analyse", "plan", "recommend", "run"]


def plan(inputs: Inputs, target: OpenTarget, *, goal: Goal, state_dir: Path) -> PreparedSweep:
    """Read the function and plan its sweep. Changes nothing except the user's state folder.

    Raises InputError (sizes, limits, a file that can't be written), PayloadError, PriceError,
    UnknownTrafficError (isolation auto), AwsError and its subclasses.
    """
    check_output(inputs.request, inputs.earlier)
    gateway, book = target.gateway, current_price_book()
    book.lambda_prices(gateway.region, "x86_64")  # report an unknown region before calling it
    config = gateway.read_function(gateway.resolve(inputs.function).target)
    check_measurable(config)
    inputs, findings = as_measured(inputs, target, config)
    request = inputs.request
    traffic = live_traffic_of(inputs, target)
    isolation = choose_isolation(request.safety.isolation, traffic, config.name)
    concurrency, lowered = polite_concurrency(
        concurrency_limits_of(gateway, inputs.function),
        isolation=isolation,
        asked=request.budget.concurrency,
        leave_ratio=request.budget.leave_concurrency_ratio,
    )
    prices = book.lambda_prices(config.region, config.architecture)
    dearest = prices if inputs.other is None else dearer(prices, inputs.other.prices)
    recent_ms = gateway.recent_duration_ms(inputs.function)
    planned = plan_by(
        inputs,
        replace(
            basis_of(
                inputs, config, dearest, target.max_memory_mb, is_loopback=gateway.is_loopback
            ),
            isolation=isolation,
            concurrency=concurrency,
            recent_duration_ms=recent_ms,
        ),
        goal,
    )
    planned = with_other_code(planned, inputs.other)
    checked = checked_events(inputs.payloads, planned.max_invocations)
    prior = prior_of(inputs, target, config, planned.payloads)
    goal = with_observed_share(goal, prior)
    file = request.output.out or SweepStore(state_dir).new_file(config.name, planned.sweep_id)
    continued = continued_in(file, inputs.earlier)
    check_writable(file, replace=request.output.force, continues=continued)
    return PreparedSweep(
        config,
        goal,
        planned,
        # Checked events start over at their end, which once_each mustn't.
        inputs.payloads if request.safety.once_each else checked,
        prices,
        file,
        environment=target.environment,
        harms_nothing=target.started_here,
        findings=findings if lowered is None else (*findings, lowered),
        reached_by=traffic.sources,
        side_effects=side_effects_of(inputs, target, config.name, state_dir),
        hooks=inputs.hooks,
        build=inputs.build,
        other=inputs.other,
        earlier=inputs.earlier,
        prior=prior,
        recent_duration_ms=recent_ms,
        force=request.output.force,
    )


def run(
    prepared: PreparedSweep,
    target: OpenTarget,
    *,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
) -> Sweep:
    """Carry out a prepared sweep and restore the function; raises what `sweep.run` raises."""
    io = SweepIO(
        target.gateway,
        target.state_dir,
        on_progress,
        stop or StopSignal(),
        keep_journal=target.keep_journal,
    )
    return run_sweep(prepared, io)


def analyse(
    sweep: Sweep,
    goal: Goal | None = None,
    *,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    price_book: PriceBook | None = None,
    draw_count: int = 200,
) -> Analysis:
    """Analyse a sweep alone: no AWS, no clock, always the same result for the same sweep and goal.

    `goal` defaults to the one that the sweep was tuned for. Raises PriceError and InputError.
    """
    return analyse_sweep(
        sweep,
        with_observed_share(goal or sweep.goal or Goal(), sweep.prior),
        price_book=price_book or current_price_book(),
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        draw_count=draw_count,
    )


def recommend(
    analysis: Analysis,
    terms: Terms | None = None,
    *,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """The recommendation with `platform` filled in, and with a rate the monthly saving.

    A resize that saves less than the minimum becomes a keep; platforms are still compared with
    Lambda at the size that was the answer before. Without a rate, only the break-even rate is
    given. A sweep that can't be compared leaves `platform` empty, with a finding if a rate was
    given.
    """
    terms = with_observed_rate(terms or Terms(), analysis.sweep.prior)
    found: BreakEven | InputError | PriceError
    try:
        found = platforms_of(analysis, terms, price_book=price_book, today=today)
    except (InputError, PriceError) as error:
        found = error
    answer = recommend_by(analysis, needed=saving_needed(terms), today=today)
    return with_platform(answer, found, terms)
