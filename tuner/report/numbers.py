"""How quantities are written: significant digits and units, in one place."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from tuner.model import interval
from tuner.model.interval import counted, figure, percent_digits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.interval import Interval


NO_BREAK: Final = "\u00a0"
_SAME_SPEED_RATIO: Final = 0.02
_TIMES_RATIO: Final = 1.5
_SAME_COST_RATIO: Final = 0.05
_BEFORE_UNIT: Final = re.compile(r"(?<=[\d–]) (?=(?:MB|ms|s|min)(?!\w))|(?<=±) (?=\d)")


def held(text: str, space: str = NO_BREAK) -> str:
    """Prose whose numbers stay on one line with their units. Not for what is to be pasted."""
    return _BEFORE_UNIT.sub(space, text)


def memory(memory_mb: int) -> str:
    """A memory size: `1792 MB`."""
    return f"{memory_mb} MB"


def duration(duration_ms: float) -> str:
    """Three significant digits, in ms below ten seconds: `0.43 ms`, `1840 ms`, `12.5 s`."""
    if abs(duration_ms) >= 10_000:
        return f"{_significant(duration_ms / 1000, 3)} s"
    return f"{_significant(duration_ms, 3)} ms"


def durations(of: Any, *names: str, unknown: str = "–") -> tuple[str, ...]:
    """Fields of a value in ms as durations, `unknown` for each where there's no value."""
    return tuple(unknown if of is None else duration(getattr(of, name)) for name in names)


def wall_time(seconds: float) -> str:
    """A waiting time: `0.4 s`, `31 s`, `2 min 10 s`, `1 h 5 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def usd_per_million(cost_usd_per_million: float) -> str:
    """Dollars for a million invocations, without the sign: `15.53`, `1,204`."""
    if abs(cost_usd_per_million) >= 999.995:
        return f"{cost_usd_per_million:,.0f}"
    return f"{cost_usd_per_million:.2f}"


def usd(amount_usd: float) -> str:
    """An amount: cents from a dollar on, else two significant digits: `$0.01`, `−$0.0004`."""
    if amount_usd == 0:
        return "$0"
    if amount_usd < 0:
        return f"−{usd(-amount_usd)}"
    if abs(amount_usd) >= 1:
        return f"${amount_usd:,.2f}"
    if abs(amount_usd) < 1e-6:
        return "under $0.000001"
    whole, _, decimals = _significant(amount_usd, 2).partition(".")
    return f"${whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def rough_usd(amount_usd: float) -> str:
    """An amount that is an estimate: whole dollars from a hundred on, else as `usd` writes it."""
    if abs(amount_usd) < 99.5:
        return usd(amount_usd)
    return f"{'−' if amount_usd < 0 else ''}${abs(amount_usd):,.0f}"


def percent(ratio: float) -> str:
    """A share: whole percent from 1% on, one digit below: `40%`, `0.7%`."""
    return interval.percent(ratio)


def gigabytes(count: float) -> str:
    """Bytes as GB of 10^9: `0.42 GB`, `12 GB`; `under 0.001 GB`."""
    size = count / 1e9
    if 0 < size < 1e-3:
        return "under 0.001 GB"
    return f"{figure(size, 2)} GB"


def short_count(count: float) -> str:
    """A round count: `500`, `10k`, `1M`, `10G`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:,.10g}{unit}"
    return f"{count:,.10g}"


def per_s(rate_per_s: float) -> str:
    """A rate by the second without its unit, three digits and no power of ten: `21.2`."""
    return figure(rate_per_s)


def rate(rate_per_s: float) -> str:
    """A rate of requests: `21.2 requests/s`, `1 request/s`."""
    return f"{counted(per_s(rate_per_s), 'request')}/s"


def change(ratio: float) -> str:
    """A signed change: `−40%`, `+3%`, `0%`."""
    digits = percent_digits(abs(ratio))
    if float(digits) == 0:
        return "0%"
    return f"{'−' if ratio < 0 else '+'}{digits}%"


def known(interval: Interval | None, write: Callable[[float], str]) -> str:
    """An estimate as `write` writes it, or a dash."""
    return "–" if interval is None else write(interval.estimate)


def spread(interval: Interval) -> str:
    """Half the interval's width over its estimate: `± 3%`."""
    return f"± {percent(interval.half_width_ratio)}"


def ends(interval: Interval, write: Callable[[float], str]) -> str:
    """Both ends of an interval as `write` writes them: `510 ms to 545 ms`."""
    return f"{write(interval.low)} to {write(interval.high)}"


def with_ends(interval: Interval | None, write: Callable[[float], str]) -> str:
    """An estimate with the ends of its interval, `527 ms (510 ms to 545 ms)`, or a dash."""
    return "–" if interval is None else f"{write(interval.estimate)} ({ends(interval, write)})"


def with_spread(interval: Interval | None, write: Callable[[float], str]) -> str:
    """An estimate as `write` writes it with its spread, `527 ms ± 3%`, or a dash."""
    return "–" if interval is None else f"{write(interval.estimate)} {spread(interval)}"


def saving(ratio: Interval) -> str:
    """A saving with its interval, positive = cheaper: `40% cheaper (37–42%)`, or
    `about the same cost (−2% to +7%)` where that is all that is known. Ends that are written alike
    are left out.
    """
    if ratio.low < 0 < ratio.high and abs(ratio.estimate) < _SAME_COST_RATIO:
        return f"about the same cost ({change(-ratio.high)} to {change(-ratio.low)})"
    if ratio.low < 0 < ratio.high:
        return with_ends(ratio, _towards)
    near, far = map(percent_digits, sorted((abs(ratio.low), abs(ratio.high))))
    return f"{_towards(ratio.estimate)}{'' if near == far else f' ({near}–{far}%)'}"


def speed(before_ms: float, after_ms: float) -> str:
    """What a change does to the duration: `same speed`, `30% slower (400 → 520 ms)`, and from
    half as much again on `3.5× slower (159 → 554 ms)`.
    """
    if abs(after_ms / before_ms - 1) <= _SAME_SPEED_RATIO:
        return "same speed"
    ratio = max(after_ms / before_ms, before_ms / after_ms)
    how_much = times(ratio) if ratio >= _TIMES_RATIO else percent(ratio - 1)
    direction = "slower" if after_ms > before_ms else "faster"
    before, after = duration(before_ms), duration(after_ms)
    if before.rpartition(" ")[2] == after.rpartition(" ")[2]:
        before = before.rpartition(" ")[0]
    return f"{how_much} {direction} ({before} → {after})"


def times(ratio: float) -> str:
    """A factor, two significant digits: `3.5×`."""
    return f"{_significant(ratio, 2)}×"


def probability(chance: float) -> str:
    """A probability, never rounded up to certainty: `94%`, `over 99%`."""
    return "over 99%" if chance >= 0.995 else interval.percent(max(chance, 0), decimals=0)


def _towards(ratio: float) -> str:
    digits = percent_digits(abs(ratio))
    if float(digits) == 0:
        return "same cost"
    return f"{digits}% {'cheaper' if ratio > 0 else 'more expensive'}"


def _significant(value: float, digits: int) -> str:
    """Round to significant digits without an exponent; whole digits are never zeroed."""
    if value == 0:
        return "0"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{decimals}f}"
