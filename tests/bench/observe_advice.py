"""What production tells of other sizes: errors, intervals, and resizes that cost more.

Handlers of the local Lambda with CPU time, from each of six sizes to the five others; recorded
curves (TUNER_BENCH_CURVES) from each pair of sizes to the others, of an octave apart or more and of
less. Where the mix of events shifts,
it does so by 3% from period to period, and days show it. A resize is harmful if the function is
more expensive by over 1% at the advised size, by the truth.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.decide_kinds import odd_functions
from tests.bench.decide_world import cost_usd, generated_functions, recorded_functions
from tests.bench.measured_handlers import measured_handlers
from tuner.model.advice import DayMean, ObservedSize, Situation
from tuner.model.lambda_limits import MB_PER_VCPU
from tuner.observe.advice import advise
from tuner.observe.forecast import forecast
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.bench.decide_world import Function

Row = tuple[str, str, str, bool]
MOST_ERROR: Final = 0.10
COVERAGE: Final = (0.85, 0.95)
MOST_HARMFUL: Final = 0.02
PRICES: Final = load_price_book().lambda_prices("us-east-1", "x86_64")
_DAYS: Final = 7
_SIZES_MB: Final = (128, 256, 512, 1024, 1792, 3008)


@dataclass
class Tally:
    """Forecasts and advices against the truth."""

    errors: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    resizes: list[float] = field(default_factory=list)
    """Cost at the advised size over today's, less 1."""
    advice_count: int = 0

    def forecasts(self, what: str) -> Iterator[Row]:
        """Rows of the error and of the intervals."""
        mean, median = float(np.mean(self.errors)), float(np.median(self.errors))
        low, high = COVERAGE
        share = float(np.mean(self.held))
        count = f"{len(self.errors):,} forecasts"
        yield (
            f"duration at another size, {what}: mean error",
            f"≤ {MOST_ERROR:.0%}",
            f"{mean:.1%}, median {median:.1%} ({count})",
            mean <= MOST_ERROR,
        )
        told = f"{share:.1%} hold"
        yield "the same: 90% intervals", f"{low:.0%}–{high:.0%}", told, low <= share <= high

    def advices(self, what: str) -> Row:
        """Row of the resizes that cost more."""
        harmful = sum(each > 0.01 for each in self.resizes)
        count = len(self.resizes)
        saved = -float(np.mean(self.resizes)) if self.resizes else 0.0
        share = harmful / max(self.advice_count, 1)
        told = f"{share:.1%}: {harmful} of {count} resizes, {self.advice_count} advices"
        return (
            f"resize that costs over 1% more, {what}",
            f"≤ {MOST_HARMFUL:.0%} of advices",
            f"{told}; a resize saves {saved:.0%}",
            harmful <= MOST_HARMFUL * max(count, 1),
        )


def rows() -> Iterator[Row]:
    """Handlers with CPU time, curves with two sizes, and curves with one."""
    tally = of_handlers()
    yield from tally.forecasts("CPU time known (handlers)")
    yield tally.advices("CPU time known (handlers)")
    curves = recorded_functions()
    if curves:
        for shift in (0.0, 0.03):
            what = f"two sizes known (curves{', mix shifts by 3%' if shift else ''})"
            tally = of_curves(curves, _pairs, shift=shift)
            yield from tally.forecasts(what)
            yield tally.advices(what)
        for pairs, which in (
            (_around_a_core, "one below a core"),
            (_above_a_core, "both above it"),
        ):
            what = f"two sizes less than an octave apart, {which} (curves)"
            tally = of_curves(curves, pairs)
            yield from tally.forecasts(what)
            yield tally.advices(what)
        yield of_curves(curves, _ones).advices("one size known (curves)")
    generated = [*generated_functions(), *odd_functions()][::3]
    yield of_curves(generated, _few_pairs).advices("two sizes known (generated, odd ones too)")


def of_handlers() -> Tally:
    """From each size with its CPU time to the five others."""
    tally = Tally()
    by_name: dict[str, list[ObservedSize]] = {}
    for each in measured_handlers():
        seen = _seen(each.memory_mb, each.duration_ms, used_mb=each.used_mb, cv=0.05)
        own = by_name.setdefault(each.name, [])
        own.append(ObservedSize(**{**_fields(seen), "processor_ms": each.processor_ms}))
    for sizes in by_name.values():
        truth = {each.memory_mb: each.mean_ms or 0.0 for each in sizes}

        def truth_ms(memory_mb: int, truth: dict[int, float] = truth) -> float:
            known = sorted(truth)
            logs = np.log([truth[size] for size in known])
            return float(np.exp(np.interp(math.log(memory_mb), np.log(known), logs)))

        for seen in sizes:
            _compare(tally, [seen], [size for size in truth if size != seen.memory_mb], truth_ms)
            _advise(tally, [seen], seen.memory_mb, truth_ms, largest_mb=max(truth))
    return tally


def of_curves(
    functions: Sequence[Function],
    known: Callable[[Sequence[int]], Iterable[tuple[int, ...]]],
    *,
    shift: float = 0.0,
) -> Tally:
    """From some sizes to the others; the last of them is today's."""
    tally = Tally()
    rng = np.random.default_rng(18)
    for function in functions:
        sizes = [size for size in _SIZES_MB if size in function.sizes_mb]
        if function.source == "generated":
            sizes = [size for size in function.sizes_mb if size in (128, 512, 1024, 1792, 3008)]
        for some in known(sizes):
            seen = [_drawn(function, size, shift, rng) for size in some]
            others = [size for size in sizes if size not in some]
            _compare(tally, seen, others, function.truth_ms)
            largest_mb = function.sizes_mb[-1]
            _advise(tally, seen, some[-1], function.truth_ms, largest_mb=largest_mb)
    return tally


def _ones(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return [(size,) for size in sizes]


def _pairs(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return [each for each in itertools.permutations(sizes, 2) if max(each) >= 2 * min(each)]


def _close_pairs(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return [each for each in itertools.permutations(sizes, 2) if max(each) < 2 * min(each)]


def _around_a_core(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return [each for each in _close_pairs(sizes) if min(each) < MB_PER_VCPU]


def _above_a_core(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """What is flat there may wait or compute on one core: they don't tell which."""
    return [each for each in _close_pairs(sizes) if min(each) >= MB_PER_VCPU]


def _few_pairs(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    return _pairs(sizes)[::3]


def _drawn(
    function: Function, memory_mb: int, shift: float, rng: np.random.Generator
) -> ObservedSize:
    """A period of some days; its mix and its days' shift alike."""
    mean_ms = function.truth_ms(memory_mb) * math.exp(shift * rng.standard_normal())
    days = tuple(
        DayMean(10_000, mean_ms * math.exp((shift or 0.01) * rng.standard_normal()))
        for _ in range(_DAYS)
    )
    return _seen(memory_mb, mean_ms, used_mb=function.used_mb, cv=0.3, days=days)


def _seen(
    memory_mb: int,
    mean_ms: float,
    *,
    used_mb: int,
    cv: float,
    days: tuple[DayMean, ...] = (),
) -> ObservedSize:
    return ObservedSize(
        memory_mb=memory_mb,
        invocation_count=100_000,
        warm_count=99_000,
        mean_ms=mean_ms,
        cv=cv,
        days=days,
        max_memory_used_mb=used_mb,
    )


def _fields(seen: ObservedSize) -> dict[str, object]:
    return {name: getattr(seen, name) for name in ObservedSize.__slots__}


def _compare(
    tally: Tally,
    seen: Sequence[ObservedSize],
    sizes_mb: Sequence[int],
    truth_ms: Callable[[int], float],
) -> None:
    found = forecast(seen, sizes_mb, PRICES)
    assert found is not None
    for each in found.at(sizes_mb):
        truth, told = truth_ms(each.memory_mb), each.duration_ms
        tally.errors.append(abs(told.estimate / truth - 1))
        tally.held.append(told.low <= truth <= told.high)


def _advise(
    tally: Tally,
    seen: Sequence[ObservedSize],
    now_mb: int,
    truth_ms: Callable[[int], float],
    *,
    largest_mb: int,
) -> None:
    found = advise(seen, Situation(now_mb, 14 * 86_400.0), PRICES)
    tally.advice_count += 1
    if found.verdict == "resize" and found.memory_mb is not None:
        # Beyond what is known of it, a function is taken to get no faster.
        size = found.memory_mb
        cost = cost_usd(size, truth_ms(min(size, largest_mb)) + 0.5)
        tally.resizes.append(cost / cost_usd(now_mb, truth_ms(now_mb) + 0.5) - 1)
