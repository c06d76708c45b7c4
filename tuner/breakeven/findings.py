"""What speaks for leaving and for staying, and what is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.breakeven.answer import WorkSummary
    from tuner.breakeven.compare import Comparison
    from tuner.breakeven.judge import Ruling
    from tuner.breakeven.question import Terms

LONG_RUN_MS: Final = 60_000
NEAR_LIMIT_MS: Final = 600_000
MUCH_MEMORY_MB: Final = 8_192
IDLE_SHARE: Final = 0.1


def traffic_findings(terms: Terms, duration_ms: float) -> list[Finding]:
    """Spikes and idleness speak for Lambda, a steady load against it."""
    traffic, found = terms.traffic, []
    top = max(traffic.shape) * traffic.peak_ratio
    if traffic.is_steady:
        found.append(_info("steady-load", f"the peak is {top:.2g} times the mean: a fleet fills"))
    elif top >= 3:
        known = "" if traffic.is_by_hour else " (assumed; --peak-ratio or --traffic tells more)"
        found.append(
            _info(
                "spiky-traffic",
                f"the peak is {top:.2g} times the mean{known}: a fleet stands ready for it, "
                "Lambda is billed for what comes",
            )
        )
    rate = traffic.rate_per_s
    if rate is not None and rate * duration_ms / 1000 < IDLE_SHARE:
        found.append(
            _info(
                "idle-most-of-the-time",
                f"{rate * duration_ms / 1000:.1%} busy: Lambda scales to zero, a fleet does not",
            )
        )
    return found


def work_findings(work: WorkSummary, duration_ms: float) -> list[Finding]:
    """Long runs and much memory speak for leaving; one core limits what a rewrite can gain."""
    found = []
    if duration_ms >= NEAR_LIMIT_MS:
        found.append(
            Finding(
                "near-time-limit",
                "warning",
                f"{duration_ms / 60_000:.0f} min a run: Lambda ends runs after 15 min",
            )
        )
    elif duration_ms >= LONG_RUN_MS:
        found.append(
            _info("long-runs", f"{duration_ms / 1000:.0f} s a run: a task starts no slower")
        )
    if work.memory_used_mb >= MUCH_MEMORY_MB:
        found.append(
            Finding(
                "near-memory-limit",
                "warning",
                f"{work.memory_used_mb} MB used: Lambda ends at 10,240 MB",
            )
        )
    return found


def rewrite_finding(work: WorkSummary, comparison: Comparison, threshold: float) -> Finding | None:
    """What a rewrite must gain: the share of CPU time that must go to save the threshold.

    At the chosen size the bill beside requests grows with the duration, of which the CPU part is
    duration less wait. None where one core is not the limit or waiting decides.
    """
    rate = comparison.terms.traffic.rate_per_s
    middle = comparison.central
    duration = float(middle.work.lambda_ms[0])
    computing = duration - work.wait_ms.estimate
    if rate is None or work.core_count.estimate > 1.3 or computing < duration / 2:
        return None
    per_rate = float(comparison.bill.usd_per_rate(middle.work)[0])
    request = float(comparison.bill.prices.request_price_usd) * 730 * 3600
    bill = (per_rate - request) * rate * computing / duration
    text = "one core is the limit: more cores would buy time, not money (the same CPU-seconds)"
    if bill <= threshold:
        text += f"; all of its CPU time costs ${bill:,.2f} a month, less than a flag needs"
    else:
        gain = bill / (bill - threshold)
        text += (
            f"; a rewrite that needs {gain:.2g} times less CPU time saves ${threshold:,.2f} a month"
        )
    return _info("one-core-limit", text)


def price_findings(missing: Iterable[str], ruling: Ruling | None) -> list[Finding]:
    """What could not be priced; never filled in."""
    found = []
    whole = sorted(text for text in missing if text.startswith("no "))
    items = sorted(set(missing) - set(whole))
    found += [Finding("price-missing", "warning", text) for text in whole]
    if items:
        text = f"no price is known here for {', '.join(items)}: left out of the other platforms"
        if ruling is not None and ruling.saving_usd is not None:
            room = ruling.saving_usd.low - ruling.threshold_usd
            text += f"; the verdict holds while they cost less than ${room:,.0f} a month together"
        else:
            text += "; they are dearer by that"
        found.append(Finding("price-missing", "warning", text))
    return found


def assumptions(comparison: Comparison) -> tuple[str, ...]:
    """One sentence part each."""
    terms = comparison.terms
    traffic = terms.traffic
    size = comparison.bill.memory_mb
    peak = (
        "the fleet follows the load by hour"
        if traffic.is_by_hour
        else f"the fleet stands at {traffic.peak_ratio:g} times the mean rate all month"
    )
    trigger = {
        "http": "a function URL on Lambda's side"
        if not terms.gateway_usd_per_million
        else f"an API gateway at ${terms.gateway_usd_per_million:g} a million",
    }.get(terms.trigger, f"a {terms.trigger} feeds every platform alike")
    return (
        f"Lambda at {size} MB, on demand, without its free tier",
        "first price tier"
        if terms.account_gb_seconds is None
        else f"tiers from {terms.account_gb_seconds:g} GB-s a month on",
        peak,
        f"utilization {terms.utilization:g} at the peak (0.4-0.7 in the intervals)",
        "a vCPU as fast as Lambda's (0.8-1.25 in the intervals)",
        f"{terms.container_concurrency:g} requests at once in a process while they wait",
        "two tasks or instances at least, three Managed Instances",
        "public addresses" if not terms.nat else "two NAT gateways, their traffic left out",
        trigger,
        "log ingestion and data transfer alike everywhere, left out",
        "engineering time excluded"
        if terms.migration_cost_usd is None
        else f"a migration that costs ${terms.migration_cost_usd:,.0f}",
    )


def _info(code: str, message: str) -> Finding:
    return Finding(code, "info", message)
