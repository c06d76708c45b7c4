"""What a change of memory saved, against the forecast of its sweep, by what production says."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner import session
from tuner.api.observing import caller_logs
from tuner.api.reading import FilesRequest
from tuner.breakeven.terms import Terms
from tuner.decision.estimates import interval
from tuner.errors import InputError
from tuner.model.interval import counted
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB, SECONDS_PER_MONTH
from tuner.model.verification import Forecast, Outcome, Verification
from tuner.observe import verdicts
from tuner.observe.deployments import setting_runs
from tuner.observe.explaining import causes_of
from tuner.observe.realized import Reports, realize
from tuner.observe.use_hours import use_rows
from tuner.observe.verdicts import keep_outcome, read_outcomes
from tuner.rollout.record import record_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.api.reading import Caller, LiveRequest, ReadLogs
    from tuner.decision.analysis import Analysis
    from tuner.model.sweep import Sweep
    from tuner.model.verification import TrackRecord
    from tuner.observe.realized import Realized
    from tuner.observe.use_hours import UseRows

_SAME_PRICES: Final = "the same list prices before and after"
_SAME_REQUESTS: Final = "requests that didn't become others on the very day of the change"
_MOST_UNTOUCHED: Final = 10
_FEWEST_OF_UNTOUCHED: Final = 500


def verify(sweep: Sweep, request: FilesRequest | LiveRequest, caller: Caller) -> Verification:
    """Say what a sweep's recommendation saved, and keep it in the ledger.

    By files of logs, without a call to AWS, or by the log in CloudWatch; the function is the
    sweep's. Raises what `observing.observe` and `observe_live` do.
    """
    analysis = session.analyse(sweep)
    forecast = forecast_of(analysis)
    if isinstance(request, FilesRequest):
        request = replace(
            request,
            function=forecast.function,
            region=request.region or forecast.region,
            architecture=request.architecture or analysis.sweep.function.architecture,
        )
        with caller_logs(request, caller) as logs:
            return _kept(_verified(analysis, forecast, logs, caller.state_dir), caller)
    from tuner.api.observing_live import live_logs

    where = request.where
    if where.region is None and forecast.environment == "aws":
        where = replace(where, region=forecast.region)
    with live_logs(replace(request, function=forecast.function, where=where), caller) as (logs, *_):
        return _kept(_verified(analysis, forecast, logs, caller.state_dir), caller)


def forecast_of(analysis: Analysis) -> Forecast:
    """What a sweep says of its recommendation, with today's prices."""
    sweep = analysis.sweep
    answer = session.recommend(analysis, Terms(min_saving_usd_per_month=0.0))
    function, choice = answer.function, answer.choice
    return Forecast(
        sweep_id=answer.sweep.sweep_id,
        swept_at=sweep.began_at,
        environment=answer.environment,
        function=function.name,
        region=function.region,
        architecture=function.architecture,
        code_sha256=function.code_sha256,
        verdict=choice.verdict,
        from_mb=answer.current.memory_mb,
        to_mb=choice.memory_mb,
        saving_ratio=choice.saving_ratio,
        cost_usd_per_million=answer.current.cost_usd_per_million,
        rate_per_s=answer.rate_per_s,
    )


def ledger(state_dir: Path) -> tuple[TrackRecord, tuple[Outcome, ...]]:
    """How earlier forecasts came out."""
    outcomes = read_outcomes(state_dir)
    return verdicts.track_record(outcomes), outcomes


def _between(
    analysis: Analysis, forecast: Forecast, before_mb: int, after_mb: int, *, paid: float
) -> Forecast:
    """The same between the sizes that it really was, by the sweep's curve."""
    if (before_mb, after_mb) == (forecast.from_mb, forecast.to_mb):
        return forecast
    if analysis.problem is None or not all(
        MIN_MEMORY_MB <= each <= MAX_MEMORY_MB for each in (before_mb, after_mb)
    ):
        return replace(forecast, saving_ratio=None, cost_usd_per_million=None)
    found = analysis.problem.fitted_at(sorted((before_mb, after_mb)))
    cost_usd = [found.cost_usd[:, found.column(each)] for each in (before_mb, after_mb)]
    return replace(
        forecast,
        saving_ratio=interval(1 - cost_usd[1] / cost_usd[0]),
        cost_usd_per_million=interval(cost_usd[0] * 1e6 * paid),
    )


def _verified(
    analysis: Analysis, forecast: Forecast, read: ReadLogs, state_dir: Path
) -> Verification:

    window, paid = read.window, 1 - float(read.discount_ratio)
    cost = forecast.cost_usd_per_million  # a sweep's is at list price
    forecast = replace(forecast, cost_usd_per_million=cost and cost.times(paid))
    if read.store.total(forecast.function) is None:
        names = sorted({each.function for each in read.store.functions() if each.function})
        theirs = f" (they are of {', '.join(names[:3])})" if names else ""
        raise InputError(
            f"no report of {forecast.function} is in these logs{theirs}: give logs of the function "
            "that the sweep is of"
        )
    _check_one_place(read, forecast.function)
    answer = Verification(
        forecast=forecast,
        verdict="unknown",
        reason="",
        window=window,
        forecast_usd_per_month=None,
        saved=None,
        difference_ratio=None,
        days_needed=None,
        sources=read.reading.sources,
        findings=read.findings,
        assumptions=read.assumptions,
        prices_as_of=read.prices.as_of,
    )
    reports = replace(_reports(read, analysis.sweep), versions=_rolled_out(state_dir, forecast))
    if forecast.verdict != "resize" or forecast.saving_ratio is None:
        return replace(answer, reason=_nothing_to_verify(forecast, reports.hours))
    found = realize(
        reports, from_mb=forecast.from_mb, to_mb=forecast.to_mb, since=forecast.swept_at
    )
    if isinstance(found, str):
        return replace(answer, reason=found)
    saved = replace(found.saved, causes=causes_of(found, forecast, read.settings))
    sizes = saved.before.memory_mb, saved.after.memory_mb
    forecast = _between(analysis, forecast, *sizes, paid=paid)
    assumed = [_SAME_PRICES, *([_SAME_REQUESTS] if saved.method == "before_after" else [])]
    assumptions = (*answer.assumptions, *assumed)
    answer = replace(answer, saved=saved, forecast=forecast, assumptions=assumptions)
    return _judged(answer, found)


def _check_one_place(read: ReadLogs, function: str) -> None:
    """Raise InputError where the logs have several functions of the name: one that stayed as it was
    would pass for a part of the other.
    """
    places = read.store.accounts(function)
    for what, names in (
        ("accounts", {account for account, _ in places if account}),
        ("regions", {region for _, region in places if region}),
    ):
        if len(names) > 1 and read.account is None:
            raise InputError(
                f"these logs are of {len(names)} {what} ({', '.join(sorted(names)[:3])}), each "
                f"with a function {function}: give `logs` of the one that the sweep is of"
            )


def _judged(answer: Verification, found: Realized) -> Verification:
    """With verdict, dollars and what would tell."""
    saved, forecast = answer.saved, answer.forecast
    assert saved is not None
    if forecast.saving_ratio is None:
        return replace(answer, reason="the sweep's curve doesn't reach the size that was set")
    realized = saved.saving_ratio
    verdict = verdicts.verdict_of(realized, forecast.saving_ratio)
    needed = None
    more_days_come = found.move is not None and found.move.until is None
    if verdict == "unknown" and saved.method == "before_after" and more_days_come:
        spans = [
            (each.end - each.start).total_seconds() / 86_400 for each in (saved.before, saved.after)
        ]
        needed = verdicts.days_needed(realized, forecast.saving_ratio, *spans)
    month = saved.after.rate_per_s * SECONDS_PER_MONTH / 1e6
    cost = forecast.cost_usd_per_million
    return replace(
        answer,
        verdict=verdict,
        reason=_reason(answer, verdict, needed),
        forecast_usd_per_month=cost and forecast.saving_ratio.times(month * cost.estimate),
        difference_ratio=verdicts.difference(realized, forecast.saving_ratio),
        days_needed=needed,
    )


def _reason(answer: Verification, verdict: str, needed: float | None) -> str:
    if verdict == "as_forecast":
        return "what came is within what was said"
    if verdict in {"less", "more"}:
        return f"it saved {verdict} than was said"
    if needed is not None:
        told = counted(max(round(needed), 1), "more day")
        return f"the interval is too wide: about {told} would tell"
    saved = answer.saved
    days = saved is not None and saved.method == "before_after"
    more = "more days before the change (`days`, `logs`)" if days else "more invocations"
    return f"the interval is too wide to tell: {more} may help"


def _nothing_to_verify(forecast: Forecast, hours: UseRows) -> str:
    current = hours.where(hours.memory_mb == forecast.from_mb)
    verdict = f"says to keep {forecast.from_mb} MB" if forecast.to_mb else "is inconclusive"
    said = f"this sweep (of {forecast.swept_at:%Y-%m-%d}) {verdict}: there is no saving to verify"
    cost = forecast.cost_usd_per_million
    if not current.total_count:
        return f"{said}, and no line is at {forecast.from_mb} MB"
    million = f"${current.mean_usd * 1e6:,.2f}"
    if cost is None:
        return f"{said}; a million invocations cost {million} in production"
    return (
        f"{said}; a million invocations cost {million} in production, and ${cost.estimate:,.2f} "
        f"({cost.low:,.2f} to {cost.high:,.2f}) with the sweep's payloads"
    )


def _reports(read: ReadLogs, sweep: Sweep) -> Reports:
    """What production did; the sweep's own invocations at other sizes are none of it."""
    function = sweep.function.name
    ask = partial(
        use_rows,
        read.store,
        prices=read.prices,
        account=read.account,
        discount_ratio=float(read.discount_ratio),
    )
    own = [each.report.request_id for each in sweep.invocations if each.report is not None]
    asked = read.window
    return Reports(
        hours=ask(function, asked, left_out=own),
        slots=lambda window, slot_s: ask(
            function, window, slot_s=slot_s, by_environment=True, left_out=own
        ),
        window=asked,
        untouched=tuple(_untouched(read, function, lambda name: ask(name, asked))),
    )


def _rolled_out(state_dir: Path, forecast: Forecast) -> tuple[str, str] | None:
    """The versions of the last rollout of the recommended size, if this machine made one."""
    records = []
    for file in record_path(state_dir, forecast.function, "-").parent.glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            kept = json.loads(file.read_bytes())
            pair = (kept["from_version"], kept["to_version"])
            begun = datetime.fromisoformat(kept["started_at"])
            if (
                kept["kind"] == "rollout"
                and (kept["region"], kept["to_memory_mb"]) == (forecast.region, forecast.to_mb)
                and begun >= forecast.swept_at
                and all(isinstance(each, str) and each.isdigit() for each in pair)
            ):
                records.append((begun, pair))
    return max(records)[1] if records else None


def _untouched(read: ReadLogs, function: str, ask: Callable[[str], UseRows]) -> Iterator[UseRows]:
    """Functions of the same logs that had one version and one size throughout, the largest first.

    Only those of the same account count.
    """

    count = 0
    for each in read.store.functions(read.window):
        if each.function in {None, function} or count == _MOST_UNTOUCHED:
            continue
        if each.usage.invocation_count < _FEWEST_OF_UNTOUCHED:
            continue
        rows = ask(str(each.function))
        if len(setting_runs(rows.setting_hours(by_version=True))) == 1:
            count += 1
            yield rows


def _kept(answer: Verification, caller: Caller) -> Verification:
    """Add it to the ledger, if it's an outcome of the forecast."""
    saved, forecast = answer.saved, answer.forecast
    if (
        saved is None
        or forecast.environment == "local"
        or forecast.saving_ratio is None
        or (saved.before.memory_mb, saved.after.memory_mb) != (forecast.from_mb, forecast.to_mb)
    ):
        return answer
    keep_outcome(
        caller.state_dir,
        Outcome(
            sweep_id=forecast.sweep_id,
            function=forecast.function,
            region=forecast.region,
            from_mb=forecast.from_mb,
            to_mb=saved.after.memory_mb,
            verdict=answer.verdict,
            method=saved.method,
            forecast_saving_ratio=forecast.saving_ratio,
            realized_saving_ratio=saved.saving_ratio,
            forecast_usd_per_month=answer.forecast_usd_per_month,
            realized_usd_per_month=saved.usd_per_month,
            verified_at=caller.now,
        ),
    )
    return answer
