"""From what was measured and when requests come to the answer. Pure: the same in, the same out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from tuner.cold.findings import errors_found, found_in, logged_share, short_arrivals
from tuner.cold.imports import ImportTimes, scaled, slow_imports
from tuner.cold.init_curve import fit_init
from tuner.cold.options import Facts, Lognormal, Traffic, lognormal_of, options_of
from tuner.cold.result import ColdStarts, InitParts, SizeInit
from tuner.cold.share import Work, beginning_share, share_over_keep_alive, stretches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.cold.arrivals import Arrivals
    from tuner.cold.init_curve import InitCurve
    from tuner.cold.plan import ColdPlan
    from tuner.cold.probe import Measured, Sample
    from tuner.model.finding import Finding

_SEED = 1


@dataclass(frozen=True, slots=True)
class ImportsFound:
    """What timing the imports gave, by size; and the package's bytes, zipped and unpacked."""

    times: Mapping[int, ImportTimes]
    package_bytes: tuple[int, int] | None = None
    findings: tuple[Finding, ...] = ()
    sent_count: int = 0


def analyse(
    plan: ColdPlan,
    measured: Measured,
    arrivals: Arrivals | None,
    imports: ImportsFound,
    findings: Sequence[Finding] = (),
    *,
    ready_count: int = 0,
) -> ColdStarts:
    """The answer, with its findings; so many environments are provisioned already."""
    pricing = plan.pricing
    function, prices = pricing.function, pricing.prices
    curve = fit_init(
        {mb: [sample.init_ms or 0.0 for sample in measured.cold_at(mb)] for mb in plan.sizes_mb}
    )
    sizes = () if curve is None else tuple(_sizes(plan, measured, curve, imports))
    facts = _facts(plan, measured, curve, ready_count)
    traffic = None
    of_arrivals: tuple[Finding, ...] = ()
    if facts is not None and arrivals is not None:
        traffic = _traffic(arrivals, facts, pricing.recent_duration_ms)
        beginning = beginning_share(traffic.stretches, _init_ms(facts), ready_count)
        of_arrivals = (
            *logged_share(arrivals, traffic.share),
            *short_arrivals(arrivals, traffic.share.estimate, beginning),
        )
    own = next((each for each in sizes if each.memory_mb == function.memory_mb), None)
    times = imports.times.get(function.memory_mb)
    answer = ColdStarts(
        function=function,
        is_restore=any(s.report.restore_duration_ms is not None for s in measured.cold),
        sizes=sizes,
        share=None if traffic is None else traffic.share,
        rate_per_s=None if arrivals is None else arrivals.rate_per_s,
        source=None if arrivals is None else arrivals.source,
        peak_concurrency=None if traffic is None else traffic.concurrency(),
        warm_ms=None if facts is None else facts.warm.mean_ms,
        options=() if facts is None else options_of(facts, traffic),
        slow_imports=(
            ()
            if times is None or own is None
            else slow_imports(scaled(times, own.init_ms.estimate), own.init_ms.estimate)
        ),
        package_bytes=imports.package_bytes,
        invocation_count=measured.sent_count + imports.sent_count,
        cost_usd=measured.cost_usd,
        prices_as_of=prices.as_of,
        end=measured.end,
        ready_count=ready_count,
    )
    found = dict.fromkeys(
        (
            *findings,
            *measured.findings,
            *errors_found(measured.errors, measured.sent_count),
            *imports.findings,
            *of_arrivals,
            *found_in(answer, prices, measured.init_timeouts),
        )
    )
    return replace(answer, findings=tuple(found))


def _sizes(
    plan: ColdPlan, measured: Measured, curve: InitCurve, imports: ImportsFound
) -> list[SizeInit]:
    found = []
    for memory_mb in plan.shown_mb:
        samples, init_ms = measured.cold_at(memory_mb), curve.at(memory_mb)
        times = imports.times.get(memory_mb)
        parts = _logged_parts(samples)
        if times is not None and samples:
            parts = _timed_parts(scaled(times, init_ms.estimate), init_ms.estimate, parts)
        found.append(SizeInit(memory_mb, len(samples), init_ms, parts))
    return found


def _logged_parts(samples: Sequence[Sample]) -> InitParts | None:
    told = [each.parts for each in samples if each.parts is not None]
    if not told:
        return None
    return InitParts(
        extensions_ms=fmean(each.extensions_ms or 0.0 for each in told),
        runtime_and_code_ms=fmean(each.runtime_and_code_ms or 0.0 for each in told),
    )


def _timed_parts(times: ImportTimes, init_ms: float, logged: InitParts | None) -> InitParts:
    """The code's part is the timed one; the runtime's is what is left of the INIT."""
    own = times.own
    extensions_ms = None if logged is None else logged.extensions_ms
    rest_ms = max(0.0, init_ms - own.ms - (extensions_ms or 0.0))
    return InitParts(rest_ms, own.ms - own.self_ms, own.self_ms, extensions_ms)


def _facts(
    plan: ColdPlan, measured: Measured, curve: InitCurve | None, ready_count: int
) -> Facts | None:
    """Everything at the function's own size; None without a warm or a cold sample to go by."""
    function = plan.pricing.function
    warm = lognormal_of([each.report.duration_ms for each in measured.warm])
    own = measured.cold_at(function.memory_mb)
    cold = lognormal_of([each.report.duration_ms for each in own]) or warm
    if warm is None or cold is None or curve is None:
        return None
    init = lognormal_of([each.init_ms or 0.0 for each in own])
    if init is None:
        mean_ms, spread = curve.at(function.memory_mb).estimate, curve.spread
        init = Lognormal(math.log(mean_ms) - spread**2 / 2, spread)
    is_restore = any(each.report.restore_duration_ms is not None for each in own)
    billed = [ms for each in own if (ms := each.report.billed_restore_duration_ms) is not None]
    return Facts(
        function,
        plan.pricing.prices,
        warm,
        cold,
        None if is_restore else init,
        init if is_restore else None,
        fmean(billed) if billed else None,
        ready_count,
    )


def _traffic(arrivals: Arrivals, facts: Facts, recent_ms: float | None) -> Traffic:
    """Requests replayed; where production's mean duration is known, with that."""
    init_ms = _init_ms(facts)
    work = Work(recent_ms or facts.warm.mean_ms, facts.warm.cv, init_ms)
    stretches = stretches_of(arrivals, work, np.random.default_rng(_SEED))
    share = share_over_keep_alive(
        stretches,
        init_ms,
        request_count=arrivals.request_count,
        ready_count=facts.ready_count,
    )
    return Traffic(arrivals, stretches, share)


def _init_ms(facts: Facts) -> float:
    init = facts.init or facts.restore
    return 0.0 if init is None else init.mean_ms
