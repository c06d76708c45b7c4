"""What the operator should know of a function's cold starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.cold.arrivals import DAY_S
from tuner.cold.options import RESTORE_MS, snap_start_refusal, snap_start_upgrade
from tuner.cold.share import MOSTLY
from tuner.model.finding import Finding
from tuner.model.interval import counted, listed, percent
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.sweep.estimate import MAX_INIT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.cold.arrivals import Arrivals
    from tuner.cold.result import ColdOption, ColdStarts
    from tuner.errors import TunerError
    from tuner.model.interval import Interval
    from tuner.pricing import LambdaPrices

_NEAR_LIMIT: Final = 0.8
_SLOW_MS: Final = 50.0
_SLOW_RATIO: Final = 0.2
"""Of the INIT: less is hardly noticed."""
_BILL_RATIO: Final = 0.05
_WORTH_RATIO: Final = 0.2
"""By which p99 must fall for an option to be named."""
_LEAST_SAMPLES: Final = 2
_NEARLY_A_DAY: Final = 0.9
_LEAST_SHARE: Final = 0.001
"""Of cold starts: below it, it doesn't matter whose they are."""


def found_in(answer: ColdStarts, prices: LambdaPrices, init_timeouts: int) -> Iterator[Finding]:
    """Findings about an answer; `init_timeouts` counts INITs that Lambda ended at its limit."""
    yield from _limit(answer, init_timeouts)
    yield from _slow_import(answer)
    yield from _few(answer)
    yield from _bill(answer, prices)
    yield from _option(answer)
    if answer.rate_per_s is None:
        yield Finding(
            "traffic_unknown",
            "info",
            "Without a rate no share of cold starts is known, and no month's cost: give "
            "`rate_per_s`, or when requests come (`arrivals`)",
        )
    refusal = snap_start_refusal(answer.function, prices, answer.ready_count)
    if refusal is not None:
        yield Finding("snapstart_unavailable", "info", refusal)
    elif not answer.is_restore:
        newer = snap_start_upgrade(answer.function)
        needs = f"{newer} or later, " if newer else ""
        yield Finding(
            "snapstart_assumed",
            "info",
            f"No restore was measured: SnapStart counts with one of {RESTORE_MS:.0f} ms. It needs "
            f"{needs}code that may be restored many times, and neither provisioned concurrency nor "
            "a file system; turn it on for a copy of the function, and measure that",
        )


def provisioned_already(counts: Sequence[tuple[str, int]]) -> Iterator[Finding]:
    """Environments that are provisioned, by version or alias."""
    total = sum(count for _, count in counts)
    if total:
        names = listed([f"{qualifier} {count}" for qualifier, count in counts if count])
        verb = "is" if total == 1 else "are"
        yield Finding(
            "provisioned_already",
            "info",
            f"{counted(total, 'environment')} {verb} provisioned already ({names}): the share of "
            "cold starts and the bill as it is are with them",
        )


def provisioned_unknown(error: TunerError) -> Finding:
    """Nobody could say whether any is."""
    return Finding(
        "provisioned_unknown",
        "info",
        f"Whether concurrency is provisioned already isn't known ({str(error).rstrip('.')}): "
        "cold starts are counted as if none were",
    )


def imports_unknown(why: str) -> Finding:
    """The imports weren't timed."""
    return Finding("imports_unknown", "info", f"Imports weren't timed: {why}")


def short_arrivals(arrivals: Arrivals, share: float, beginning: float) -> Iterator[Finding]:
    """Of a trace: most of its cold starts are the `beginning`'s, or it has less than a day."""
    if arrivals.basis == "rate":
        return
    is_cold_at_first = share >= _LEAST_SHARE and beginning > MOSTLY * share
    if not is_cold_at_first and arrivals.window_s >= _NEARLY_A_DAY * DAY_S:
        return
    said = f"{arrivals.source} has {_span(arrivals.window_s)} of requests"
    if is_cold_at_first:
        ratio = percent(min(1.0, beginning / share))
        yield Finding(
            "arrivals_short",
            "warning",
            f"{said}. {ratio} of its cold starts are at its beginning, where nobody knows which "
            "environments were there, and a month is priced with them: give a day or more "
            "(`arrivals`)",
        )
    else:
        yield Finding(
            "arrivals_short",
            "info",
            f"{said}. A month is priced at its rate: give a day or more (`arrivals`)",
        )


def logged_share(arrivals: Arrivals, share: Interval) -> Iterator[Finding]:
    """What a log itself says of its cold starts; a warning where that is another share."""
    cold, count = arrivals.cold_count, arrivals.request_count
    if cold is None:
        return
    logged = cold / count
    said = (
        f"{arrivals.source} itself has {counted(f'{cold:,}', 'cold start')} in "
        f"{counted(f'{count:,}', 'request')} ({percent(logged)})"
    )
    if share.low <= logged <= share.high:
        yield Finding("cold_starts_logged", "info", said)
    else:
        yield Finding(
            "cold_starts_logged",
            "warning",
            f"{said}, not {percent(share.estimate)}: environments lived otherwise than for 5 to 15 "
            "minutes, as with deployments, errors that end them, or several functions in one log. "
            "What follows from the share is off by as much",
        )


def _span(seconds: float) -> str:
    for unit_s, unit in ((DAY_S, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= unit_s:
            return counted(f"{seconds / unit_s:.3g}", unit)
    return counted(f"{seconds:.2g}", "second")


def _limit(answer: ColdStarts, init_timeouts: int) -> Iterator[Finding]:
    if init_timeouts:
        yield Finding(
            "init_times_out",
            "error",
            f"{counted(init_timeouts, 'INIT')} took longer than {MAX_INIT_MS / 1000:.0f} s: Lambda "
            "ended it and ran it again within the invocation, billed twice. Load less, or load it "
            "when it's first needed",
        )
        return
    near = [
        s for s in answer.sizes if s.sample_count and s.init_ms.high > _NEAR_LIMIT * MAX_INIT_MS
    ]
    if near and not answer.is_restore:
        slowest = max(near, key=lambda each: each.init_ms.high)
        yield Finding(
            "init_near_limit",
            "warning",
            f"INIT takes {slowest.init_ms.estimate / 1000:.1f} s at {slowest.memory_mb} MB, and "
            f"Lambda ends it at {MAX_INIT_MS / 1000:.0f} s to run it again within the invocation. "
            "Load less, or load it when it's first needed",
        )


def _slow_import(answer: ColdStarts) -> Iterator[Finding]:
    current = answer.current
    if not answer.slow_imports or current is None:
        return
    slowest = max(answer.slow_imports, key=lambda each: each.self_ms)
    if slowest.self_ms < max(_SLOW_MS, _SLOW_RATIO * current.init_ms.estimate):
        return
    yield Finding(
        "slow_import",
        "warning",
        f"Loading {slowest.module} takes {slowest.self_ms:.0f} ms by itself, of an INIT of "
        f"{current.init_ms.estimate:.0f} ms at {current.memory_mb} MB: do less when it's imported, "
        "or import it where it's first needed",
    )


def _few(answer: ColdStarts) -> Iterator[Finding]:
    current = answer.current
    count = 0 if current is None else current.sample_count
    if count < _LEAST_SAMPLES:
        yield Finding(
            "few_cold_starts",
            "warning",
            f"{counted(count, 'cold start')} at the function's own size could be measured: its "
            "interval is from the other sizes, or wide. Allow more (`max_invocations`, "
            "`budget_usd`)",
        )


def errors_found(errors: Mapping[str, int], sent_count: int) -> Iterator[Finding]:
    """Invocations whose handler failed: they tell nothing of a cold start's latency."""
    if errors:
        kinds = ", ".join(f"{name} {count:,}" for name, count in errors.items())
        yield Finding(
            "function_error",
            "warning",
            f"{sum(errors.values()):,} of {counted(f'{sent_count:,}', 'invocation')} failed "
            f"({kinds}) and aren't among the samples: check the function's log",
        )


def _bill(answer: ColdStarts, prices: LambdaPrices) -> Iterator[Finding]:
    """What INIT adds to the bill, where that's more than a little."""
    none, current, share = _named(answer, "none"), answer.current, answer.share
    if none is None or current is None or share is None or answer.rate_per_s is None:
        return
    function = answer.function
    price_usd = prices.price_usd_per_ms(function.memory_mb, function.ephemeral_storage_mb)
    cold_count = answer.rate_per_s * SECONDS_PER_MONTH * share.estimate
    init_usd = cold_count * current.init_ms.estimate * price_usd
    whole_usd = none.cost_usd_per_month or 0.0
    if whole_usd and init_usd / whole_usd >= _BILL_RATIO:
        yield Finding(
            "init_billed",
            "info",
            f"INIT is {percent(init_usd / whole_usd)} of the bill, {_cents(init_usd)} a month: "
            "it's billed like duration (for ZIP packages of managed runtimes since August 2025)",
        )


def _cents(amount_usd: float) -> str:
    return f"${amount_usd:,.2f}" if amount_usd >= 0.01 else "under $0.01"


def _option(answer: ColdStarts) -> Iterator[Finding]:
    """The cheapest option that lowers p99 by a fifth or more."""
    none = _named(answer, "none")
    if none is None or none.latency_ms is None or none.cost_usd_per_month is None:
        return
    before_ms = none.latency_ms.p99
    better = [
        (each.cost_usd_per_month - none.cost_usd_per_month, each.latency_ms.p99, each)
        for each in answer.options
        if each is not none
        and each.latency_ms is not None
        and each.cost_usd_per_month is not None
        and each.latency_ms.p99 <= (1 - _WORTH_RATIO) * before_ms
    ]
    if not better:
        return
    more_usd, p99_ms, option = min(better, key=lambda each: each[:2])
    name = {"snapstart": "SnapStart", "provisioned": "Provisioned concurrency"}[option.name]
    price = f"{_cents(abs(more_usd))} a month {'more' if more_usd >= 0 else 'less'}"
    yield Finding(
        "cold_start_option",
        "info",
        f"{name} lowers p99 from {before_ms:.0f} to {p99_ms:.0f} ms for {price}",
    )


def _named(answer: ColdStarts, name: str) -> ColdOption | None:
    return next((each for each in answer.options if each.name == name), None)
