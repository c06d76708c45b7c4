"""Reasons for leaving and for staying, and what is assumed."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven.answer import total_usd
from tuner.breakeven.cost_model import describe_units, fleet_usd
from tuner.breakeven.fleet import FALL_LAG_MINUTES, MOST_TEAM_UNITS, RISE_LAG_MINUTES
from tuner.breakeven.platform_verdict import of_own_architecture, savings_usd
from tuner.model.finding import Finding
from tuner.model.interval import counted, figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tuner.breakeven.answer import DecidingAssumption, WorkSummary
    from tuner.breakeven.cost_model import CostModel
    from tuner.breakeven.platform_verdict import Ruling
    from tuner.breakeven.platforms import Candidate, Prices
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.traffic import Traffic

LONG_RUN_MS: Final = 60_000
NEAR_LIMIT_MS: Final = 600_000
MUCH_MEMORY_MB: Final = 8_192
IDLE_SHARE: Final = 0.1
WORTH_SAYING: Final = 0.05
"""How much cheaper a fleet of too many units must be to be mentioned."""
BURST_RATIO: Final = 2.0
"""Concurrency over what the busiest minute needs, above which a burst is reported."""


def traffic_findings(terms: Terms, duration_ms: float) -> Iterator[Finding]:
    """Spikes and idleness favor Lambda, a steady load doesn't."""
    traffic = terms.traffic
    top = max(traffic.shape) * traffic.peak_ratio
    if traffic.is_steady:
        yield Finding(
            "steady_load",
            "info",
            f"for leaving: a steady load (peak {figure(top, 2)} times the mean) keeps a fleet busy",
        )
    elif top >= 3:
        known = "" if traffic.is_by_hour else " (assumed; give `peak_ratio` or `traffic`)"
        yield Finding(
            "spiky_traffic",
            "info",
            f"for staying: the peak is {figure(top, 2)} times the mean{known}: "
            + ("a fleet lags behind it" if terms.autoscaling else "a fleet is sized for it")
            + ", while Lambda bills only what comes in",
        )
    yield from _seen_findings(traffic, duration_ms)
    rate = traffic.rate_per_s
    if rate is not None and rate * duration_ms / 1000 < IDLE_SHARE:
        yield Finding(
            "idle_most_of_the_time",
            "info",
            f"for staying: busy {rate * duration_ms / 10:.1f}% of the time: Lambda scales to "
            "zero, a fleet doesn't",
        )


def _seen_findings(traffic: Traffic, duration_ms: float) -> Iterator[Finding]:
    """What the minutes don't show by themselves: bursts within them, and a short history."""
    if traffic.peak_concurrency and traffic.busiest_per_s:
        even = traffic.busiest_per_s * duration_ms / 1000
        if traffic.peak_concurrency > max(BURST_RATIO * even, even + 3):
            yield Finding(
                "bursts_within_a_minute",
                "info",
                f"up to {traffic.peak_concurrency:,.0f} ran at once, but the busiest minute, "
                f"spread evenly, needs {max(even, 1):,.0f}: a fleet sized by the minute makes "
                "them wait (a higher `peak_ratio` sizes it for more)",
            )
    if traffic.quiet_days >= 1:
        yield Finding(
            "quiet_at_first",
            "info",
            f"nothing came in the first {counted(f'{traffic.quiet_days:.0f}', 'day')}: if the "
            "function is that young, `days` leaves them out",
        )


def work_findings(
    work: WorkSummary, duration_ms: float, *, needs_gpu: bool = False
) -> Iterator[Finding]:
    """Long runs, much memory and a GPU favor leaving."""
    if needs_gpu:
        yield Finding(
            "needs_gpu",
            "warning",
            "for leaving: Lambda and Fargate have no GPU, whatever they cost; EC2, ECS and "
            "Managed Instances do, with instance types that these figures leave out",
        )
    if duration_ms >= NEAR_LIMIT_MS:
        yield Finding(
            "near_time_limit",
            "warning",
            f"for leaving: {duration_ms / 60_000:.0f} min a run: Lambda ends runs after 15 "
            "min, others don't",
        )
    elif duration_ms >= LONG_RUN_MS:
        yield Finding(
            "long_runs",
            "info",
            f"for leaving: {duration_ms / 1000:.0f} s a run: a task's start hardly matters",
        )
    if work.memory_used_mb >= MUCH_MEMORY_MB:
        yield Finding(
            "near_memory_limit",
            "warning",
            f"for leaving: {work.memory_used_mb:,} MB used: Lambda ends at 10,240 MB, Managed "
            "Instances at 32,768 MB, tasks and instances later",
        )


def lambda_findings(costs: CostModel) -> Iterator[Finding]:
    """If provisioned concurrency is cheaper than on demand, what it saves."""
    rate, middle, bill = costs.terms.traffic.rate_per_s, costs.central, costs.bill
    count = 0.0 if rate is None else bill.provisioned_count(middle.work, rate)
    if rate is None or not count:
        return
    rates = np.array([rate])
    without = replace(bill, terms=replace(bill.terms, provisioned=False))
    month = float(bill.month_usd(middle.work, rates)[0, 0])
    saved = float(without.month_usd(middle.work, rates)[0, 0]) - month
    yield Finding(
        "provisioned_concurrency",
        "info",
        f"{counted(f'{count:,.0f}', 'provisioned environment')}, the rest on demand, would save "
        f"${saved:,.2f} a month on Lambda itself at this load: Lambda is priced so "
        "(`provisioned=False`: on demand)",
    )


def rewrite_finding(work: WorkSummary, costs: CostModel, threshold: float) -> Iterator[Finding]:
    """What a rewrite must gain: the share of CPU time that must go to save the threshold.

    At the chosen size the bill for duration is proportional to it, and the CPU part is duration
    minus wait. Nothing unless one core is the limit and computing dominates.
    """
    rate = costs.terms.traffic.rate_per_s
    middle = costs.central
    duration = float(middle.work.lambda_ms[0])
    computing = duration - work.wait_ms.estimate
    if rate is None or work.core_count.estimate > 1.3 or computing < duration / 2:
        return
    bill = total_usd(costs.bill.duration_items(middle.work, rate)) * computing / duration
    text = (
        "one core is the limit: using several takes a rewrite, and buys time, not money, since "
        "twice the memory costs the same only if it's then twice as fast"
    )
    if bill <= threshold:
        text += (
            f"; all of its CPU time costs only ${bill:,.2f} a month, too little to rewrite it for"
        )
    else:
        gain = bill / (bill - threshold)
        text += (
            f"; a rewrite (another language, say) that needs {figure(gain, 2)} times less CPU time "
            f"saves ${threshold:,.2f} a month"
        )
    yield Finding("one_core_limit", "info", text)


def deciding_finding(deciding: DecidingAssumption | None) -> Finding:
    """Which assumption decides, and where it flips the verdict."""
    if deciding is None:
        text = "no single assumption decides this: none flips the verdict within its range"
        return Finding("verdict_rests_on", "info", text)
    if deciding.name == "autoscaling":
        then = "leaving would pay" if deciding.leaves else "leaving no longer pays"
        text = f"autoscaling decides this: with a fleet sized for the peak all month {then}"
        return Finding("verdict_rests_on", "info", text)
    names: dict[str, tuple[str, Callable[[float], str]]] = {
        "utilization": ("the share of a fleet's vCPUs that the peak may fill", "{:.0%}".format),
        "vcpu_speed": ("the speed of a vCPU over Lambda's", _times),
        "container_concurrency": (
            "how many requests a process holds while they wait",
            lambda count: figure(count, 2),
        ),
        "peak_ratio": ("the peak of the day over the mean", _times),
    }
    name, write = names[deciding.name]
    side = "above" if deciding.flips_at > deciding.assumed else "below"
    then = "pays" if deciding.leaves else "no longer pays"
    return Finding(
        "verdict_rests_on",
        "info",
        f"decided by {name}: {side} {write(deciding.flips_at)} leaving {then} "
        f"(assumed {write(deciding.assumed)}, "
        f"range {write(deciding.low)} to {write(deciding.high)})",
    )


def _times(ratio: float) -> str:
    return f"{figure(ratio)}×"


def other_architecture_finding(
    candidates: Sequence[Candidate], costs: CostModel, elsewhere: CostModel, ruling: Ruling
) -> Iterator[Finding]:
    """The cheapest platform of the other architecture, if it saves enough to justify a rebuild:
    what leaving must, and notably more than the verdict's platform.

    `elsewhere` is the function on Lambda's other architecture, which takes the same rebuild.
    """
    own, other = costs.bill.prices.architecture, elsewhere.bill.prices.architecture
    weighed = [(savings_usd(c, costs)[0], c) for c in candidates if c.architecture != own]
    if not weighed:
        return
    saved, best = max(weighed, key=lambda pair: pair[0].estimate)
    already = ruling.saving_usd.estimate if ruling.leaves and ruling.saving_usd else 0.0
    more = saved.estimate - already
    if saved.estimate < ruling.threshold_usd or more < costs.terms.min_saving_usd_per_month:
        return
    rate, middle = costs.terms.traffic.rate_per_s or 0.0, costs.central
    units = describe_units(best, middle, rate)
    month = float(fleet_usd(best, middle, rate)[0])
    rates = np.array([rate])
    lambdas = (float(at.bill.month_usd(at.work, rates)[0, 0]) for at in (middle, elsewhere.central))
    yield Finding(
        "other_architecture",
        "info",
        f"built for {other}, {best.name} saves {dollars(saved.estimate)} a month "
        f"({dollars(saved.low)} to {dollars(saved.high)}) over Lambda as it is: it costs "
        f"{dollars(month)} with {units}; Lambda on {other} saves {dollars(operator.sub(*lambdas))}",
    )


def many_units_finding(candidates: Sequence[Candidate], costs: CostModel) -> Iterator[Finding]:
    """The cheapest fleet of all, if it has more units than a team would run."""
    rate, middle = costs.terms.traffic.rate_per_s, costs.central
    own = of_own_architecture(candidates, costs)
    if rate is None or not own:
        return
    best = min(own, key=lambda each: float(fleet_usd(each, middle, rate, any_size=True)[0]))
    month = float(fleet_usd(best, middle, rate, any_size=True)[0])
    least = min(float(fleet_usd(each, middle, rate)[0]) for each in own)
    if month > least * (1 - WORTH_SAYING):
        return
    units = describe_units(best, middle, rate, any_size=True)
    yield Finding(
        "many_small_units",
        "info",
        f"left out: {best.name} with {units} would cost {dollars(month)} a month, but that is more "
        f"than the {MOST_TEAM_UNITS} a team would run",
    )


def dollars(usd: float) -> str:
    """Whole dollars with the sign first."""
    return f"{'−' if usd <= -0.5 else ''}${abs(usd):,.0f}"


def price_findings(prices: Prices, ruling: Ruling | None) -> Iterator[Finding]:
    """What couldn't be priced; never made up."""
    yield from (Finding("price_missing", "warning", text) for text in sorted(prices.unpriced))
    if prices.missing_on_lambda:
        names = ", ".join(sorted(prices.missing_on_lambda))
        text = f"no price is known here for {names}: left out of Lambda, which costs that much more"
        yield Finding("price_missing", "warning", text)
    if prices.missing:
        names = ", ".join(sorted(prices.missing))
        text = f"no price is known here for {names}: left out of the other platforms"
        if ruling is not None and ruling.leaves and ruling.saving_usd is not None:
            room = ruling.saving_usd.low - ruling.threshold_usd
            text += f"; the verdict holds while they cost less than ${room:,.0f} a month together"
        else:
            text += "; they cost that much more"
        yield Finding("price_missing", "warning", text)


def assumptions(costs: CostModel) -> tuple[str, ...]:
    """One sentence part each."""
    terms = costs.terms
    size = costs.bill.memory_mb
    held = counted(f"{terms.container_concurrency:g}", "request")
    provisioned = " or provisioned, whichever is cheaper" if terms.provisioned else ""
    tier = ", with what's left of the account's free tier"
    if terms.account_gb_seconds is None:
        tier = ", without its free tier"
    trigger = f"a {terms.trigger} feeds every platform alike"
    if terms.trigger == "http":
        trigger = _before_lambda(terms.gateway_usd_per_million)
    return (
        f"Lambda at {size} MB, on demand{provisioned}{tier}",
        "first price tier"
        if terms.account_gb_seconds is None
        else f"tiers from {figure(terms.account_gb_seconds, 6, '')} GB-s a month on",
        _size_over_time(costs),
        f"utilization {terms.utilization:g} at the peak (0.4-0.7 in the intervals)",
        "a vCPU as fast as Lambda's (0.8-1.25 in the intervals)",
        *(() if terms.arm_speed == 1 else (f"arm vCPUs {terms.arm_speed:g} times as fast as x86",)),
        f"{held} at once in a process while they wait",
        "two tasks or instances at least, three Managed Instances",
        "no platform where a request takes over 2% longer than on Lambda",
        "public addresses" if not terms.nat else "two NAT gateways, not counting their traffic",
        trigger,
        "log ingestion and data transfer left out (the same everywhere)"
        if not terms.log_kb_per_request
        else f"{terms.log_kb_per_request:g} kB of logs a request; data transfer alike, left out",
        "engineering time excluded"
        if terms.migration_cost_usd is None
        else f"a migration that costs ${terms.migration_cost_usd:,.0f}",
    )


def _size_over_time(costs: CostModel) -> str:
    """What the fleets' size follows, and with what lag."""
    traffic, load = costs.terms.traffic, costs.load
    if not costs.terms.autoscaling or load.peak_ratio == 1:
        return f"the fleet is sized for {figure(load.peak_ratio)} times the mean rate all month"
    within = "" if traffic.peak_ratio == 1 else f", at {traffic.peak_ratio:g} times it"
    return {
        "rate": f"the fleet is autoscaled over a day that peaks at {traffic.peak_ratio:g} times "
        f"the mean rate, {RISE_LAG_MINUTES} min behind a rise (up to {load.shortfall_ratio:.0%} "
        f"short) and {FALL_LAG_MINUTES} min behind a fall",
        "hours": f"the fleet follows the load by hour{within}",
        "minutes": f"the fleet follows the busiest minute of each hour{within}",
    }[traffic.basis]


def _before_lambda(usd_per_million: float | None) -> str:
    if usd_per_million is None:
        return "an HTTP API at its list price in front of Lambda"
    if not usd_per_million:
        return "a function URL on Lambda's side"
    return f"an API gateway at ${usd_per_million:g} a million in front of Lambda"
