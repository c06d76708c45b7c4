"""Compares two sweeps: before and after, two architectures, two versions of the code.

Each side keeps its own curve and prices. The two sets of posterior draws are independent, so every
draw of one is compared with every draw of the other: the ratios' mean and 90% interval say how
large the difference is, and whether zero is inside says whether it's real.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.estimates import interval, size_estimates
from tuner.decision.strata import mean_record_count
from tuner.errors import InputError
from tuner.model.comparison import Change, Comparison, Pair, Pooled, Quantity, Side
from tuner.model.finding import Finding
from tuner.model.interval import Interval
from tuner.model.recommendation import PriceStamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.analysis import Analysis
    from tuner.decision.estimates import Estimates
    from tuner.model.arrays import Floats
    from tuner.model.comparison import ChangeVerdict, ComparisonKind, PairKind
    from tuner.model.sweep import Sweep

_LOW, _HIGH = 0.05, 0.95
_FOLLOWS_THE_CODE: Final = {"CodeSize"}
_TIMES_AND_HOSTS: Final = (
    "the change also includes differences in when and where the two sweeps ran"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An analysis to compare, with the user's name for its sweep."""

    source: str
    analysis: Analysis

    @property
    def sweep(self) -> Sweep:
        """What was analysed."""
        return self.analysis.sweep

    @property
    def sizes_mb(self) -> set[int]:
        """Sizes that the curve was drawn at."""
        posterior = self.analysis.posterior
        return set() if posterior is None else set(posterior.sizes_mb)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An entry's curve at all sizes that may be asked for on either side."""

    entry: Entry
    estimates: Estimates
    measured_mb: tuple[int, ...]

    def draws(self, memory_mb: int) -> tuple[Floats, Floats]:
        """(durations in ms, costs in USD per million) at a size."""
        column = self.estimates.column(memory_mb)
        return self.estimates.duration_ms[:, column], self.estimates.cost_usd[:, column] * 1e6

    @property
    def record_count(self) -> float:
        """Records of an event, on average."""
        return mean_record_count(self.entry.sweep.plan.payloads)

    @property
    def record_usd(self) -> Floats:
        """Cost of a record: (draws, sizes)."""
        return np.asarray(self.estimates.cost_usd / self.record_count)


def compare(a: Entry, b: Entry) -> Comparison:
    """Compare sweep `b` with sweep `a`. Pure: the same analyses give the same comparison.

    The goal of `b` gives the share of cold starts and the tolerance below which a difference
    doesn't count. Raises InputError if a sweep has no warm sample of every payload.
    """
    goal = b.analysis.question.goal
    sizes = sorted(_sizes(a) | _sizes(b))
    left, right = (_draw(each, sizes) for each in (a, b))
    common = sorted(a.sizes_mb & b.sizes_mb) or sizes
    kind = _kind(a.sweep, b.sweep)
    both = sorted(set(left.measured_mb) & set(right.measured_mb))
    tolerance = goal.tolerance_ratio
    prices = [each.analysis.question.prices for each in (a, b)]
    as_of = min(each.as_of for each in prices)  # no answer is newer than its oldest price
    return Comparison(
        kind=kind,
        tolerance_ratio=tolerance,
        a=_side(left, common),
        b=_side(right, common),
        pairs=tuple(_pairs(left, right, tolerance)),
        pooled=_pool(left, right, both, tolerance) if both else None,
        by_size=tuple(_by_size(left, right, common, tolerance)),
        findings=tuple(_findings(a.sweep, b.sweep, measured_in_both=bool(both))),
        assumptions=(
            f"{goal.cold_share * 100:g}% cold starts",
            f"list prices of {as_of}",
            _TIMES_AND_HOSTS,
        ),
        prices=PriceStamp(as_of, prices[1].region),
    )


def _kind(a: Sweep, b: Sweep) -> ComparisonKind:
    if (a.plan, a.function, a.invocations) == (b.plan, b.function, b.invocations):
        return "same"
    if a.function.architecture != b.function.architecture:
        return "architectures"
    if a.function.code_sha256 != b.function.code_sha256:
        return "code"
    return "repeat" if a.function.memory_mb == b.function.memory_mb else "rollout"


def _draw(entry: Entry, sizes: Sequence[int]) -> _Drawn:
    problem = entry.analysis.problem
    if problem is None:
        raise InputError(
            f"{entry.source} has no warm sample of every payload, so there's nothing to compare: "
            f"compare two others (tuner sweeps lists them). {entry.source} says: "
            f"{entry.analysis.choice.reason}"
        )
    return _Drawn(entry, problem.fitted_at(sizes), problem.measured)


def _sizes(entry: Entry) -> set[int]:
    """Every size that may be asked for on a side."""
    asked = {entry.sweep.function.memory_mb, entry.analysis.choice.memory_mb}
    return entry.sizes_mb | {size for size in asked if size is not None}


def _side(drawn: _Drawn, common: Sequence[int]) -> Side:
    entry, estimates = drawn.entry, drawn.estimates
    columns = estimates.columns(common)
    durations_ms, costs_usd = estimates.duration_ms[:, columns], estimates.cost_usd[:, columns]
    return Side(
        source=entry.source,
        sweep_id=entry.sweep.plan.sweep_id,
        started_at=entry.sweep.started_at,
        environment=entry.sweep.environment,
        function=entry.sweep.function,
        recommended_mb=entry.analysis.choice.memory_mb,
        curve=size_estimates(common, durations_ms, costs_usd, drawn.measured_mb),
    )


def _pairs(a: _Drawn, b: _Drawn, tolerance: float) -> Iterator[Pair]:
    now_a, now_b = a.entry.sweep.function.memory_mb, b.entry.sweep.function.memory_mb
    yield _pair("now", a, b, (now_a, now_b), tolerance)
    same_kind = a.entry.sweep.function.architecture == b.entry.sweep.function.architecture
    if now_a != now_b and same_kind:
        yield _pair("forecast", a, b, (now_b, now_b), tolerance)
    best_a, best_b = a.entry.analysis.choice.memory_mb, b.entry.analysis.choice.memory_mb
    if best_a is not None and best_b is not None:
        yield _pair("recommended", a, b, (best_a, best_b), tolerance)


def _pair(what: PairKind, a: _Drawn, b: _Drawn, sizes: tuple[int, int], tolerance: float) -> Pair:
    at_a, at_b = a.draws(sizes[0]), b.draws(sizes[1])
    duration, cost = (
        Quantity(interval(left), interval(right), _change(left, right, tolerance))
        for left, right in zip(at_a, at_b, strict=True)
    )
    records = None
    if max(a.record_count, b.record_count) > 1:
        left, right = at_a[1] / a.record_count, at_b[1] / b.record_count
        records = Quantity(interval(left), interval(right), _change(left, right, tolerance))
    seen_a = what == "forecast" or sizes[0] in a.measured_mb
    return Pair(
        what=what,
        a_memory_mb=sizes[0],
        b_memory_mb=sizes[1],
        measured=seen_a and sizes[1] in b.measured_mb,
        duration_ms=duration,
        cost_usd_per_million=cost,
        cost_usd_per_million_records=records,
    )


def _pool(a: _Drawn, b: _Drawn, sizes: Sequence[int], tolerance: float) -> Pooled:
    """Each size's ratio counts equally: draws of the mean logarithm over the sizes."""
    parts = []
    columns = [side.estimates.columns(sizes) for side in (a, b)]
    for both in (
        (a.estimates.duration_ms, b.estimates.duration_ms),
        (a.record_usd, b.record_usd),
    ):
        left, right = (
            np.exp(np.log(draws[:, of]).mean(axis=1))
            for draws, of in zip(both, columns, strict=True)
        )
        parts.append(_change(left, right, tolerance))
    return Pooled(tuple(sizes), *parts)


def _by_size(
    a: _Drawn, b: _Drawn, sizes: Sequence[int], tolerance: float
) -> Iterator[tuple[Change, Change]]:
    """The change at every size: draw by draw, after B's are shuffled.

    Otherwise sweeps with one seed would share their random numbers, and look more alike than they
    are.
    """
    order = np.random.default_rng(len(sizes)).permutation(len(b.estimates.cost_usd))
    columns_a, columns_b = a.estimates.columns(sizes), b.estimates.columns(sizes)
    durations = b.estimates.duration_ms[order][:, columns_b] / a.estimates.duration_ms[:, columns_a]
    costs = b.record_usd[order][:, columns_b] / a.record_usd[:, columns_a]
    yield from zip(_changes(durations, tolerance), _changes(costs, tolerance), strict=True)


def _change(a: Floats, b: Floats, tolerance: float) -> Change:
    """Every draw of B over every draw of A."""
    ratios = (b[:, None] / a[None, :]).ravel()
    return next(_changes(ratios[:, None], tolerance))


def _changes(ratios: Floats, tolerance: float) -> Iterator[Change]:
    """One change for each column of ratios."""
    lows, highs = np.quantile(ratios, (_LOW, _HIGH), axis=0) - 1
    means, higher = ratios.mean(axis=0) - 1, (ratios > 1).mean(axis=0)
    for mean, low, high, share in zip(means, lows, highs, higher, strict=True):
        found = Interval(float(mean), float(low), float(high))
        yield Change(found, float(share), _verdict(found, tolerance))


def _verdict(ratio: Interval, tolerance: float) -> ChangeVerdict:
    if -tolerance <= ratio.low and ratio.high <= tolerance:
        return "same"
    if ratio.low > 0:
        return "higher"
    return "lower" if ratio.high < 0 else "unclear"


def _findings(a: Sweep, b: Sweep, *, measured_in_both: bool) -> Iterator[Finding]:
    """Everything besides the function's own change that may cause a difference."""
    if a.environment != b.environment:
        yield Finding(
            "environments_differ",
            "warning",
            "one sweep was measured on a local endpoint, the other on AWS: their durations can't "
            "be compared",
        )
    if not _is_one_mix(a, b):
        yield Finding(
            "different_payloads",
            "warning",
            "the payloads differ (by digest or weight), which may explain the difference: tune "
            "both with the same `payloads`",
        )
    if b.plan.resumed_from == a.plan.sweep_id or a.plan.resumed_from == b.plan.sweep_id:
        yield Finding(
            "samples_shared",
            "warning",
            "one sweep resumed the other and has its samples, so differences look smaller",
        )
    if not measured_in_both:
        yield Finding(
            "no_common_size",
            "warning",
            "no size was measured in both sweeps: the comparison rests on the curves alone",
        )
    if a.function.name != b.function.name:
        yield Finding(
            "functions_differ",
            "info",
            f"these are two functions: {a.function.name} and {b.function.name}",
        )
    if a.function.region != b.function.region:
        yield Finding(
            "regions_differ",
            "info",
            f"the regions differ ({a.function.region}, {b.function.region}): so do prices",
        )
    if names := _differing_settings(a, b):
        yield Finding("settings_differ", "info", f"other settings that differ: {', '.join(names)}")


def _is_one_mix(a: Sweep, b: Sweep) -> bool:
    """Whether the events and their shares are the same, however the weights are written."""
    left, right = _shares(a), _shares(b)
    return left.keys() == right.keys() and all(
        math.isclose(share, right[digest]) for digest, share in left.items()
    )


def _shares(sweep: Sweep) -> dict[str, float]:
    """The share of events by digest."""
    payloads, found = sweep.plan.payloads, defaultdict[str, float](float)
    total = sum(each.weight for each in payloads)
    for each in payloads:
        found[each.sha256] += each.weight / total
    return found


def _differing_settings(a: Sweep, b: Sweep) -> list[str]:
    """Names of settings, by their digests; the code's size follows from the code."""
    left, right = dict(a.function.settings), dict(b.function.settings)
    differing = {name for name in left | right if left.get(name) != right.get(name)}
    own = ("runtime", "timeout_s", "ephemeral_storage_mb")
    differing |= {each for each in own if getattr(a.function, each) != getattr(b.function, each)}
    return sorted(differing - _FOLLOWS_THE_CODE)
