"""Whether a saving came as forecast, and what many verified forecasts say of the next ones.

The verdict, over the difference realized less forecast (both are shares of the old cost; its 90%
interval is made of the two intervals: Zou and Donner, "Construction of confidence limits about
effect measures", Stat. Med. 27 (2008), 1693–1702):

- A difference is *material* beyond 2% of the cost, or beyond a tenth of the forecast saving if that
  is more: a smaller one changes nothing that anybody does.
- `less` and `more`: it's material, and zero is outside its interval.
- `as_forecast`: otherwise, if the whole interval is within half of the forecast saving (or within
  what's material, if that is more): what came is sure to be most of what was said.
- `unknown`: otherwise. The interval is too wide to tell.

The outcome ledger has one line of JSON for each verified forecast, in the state folder. A line is
only ever added, in one write, so that no reader or crash sees half of another's; a sweep that is
verified again has a later line, which counts in place of the earlier ones.
"""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.interval import Interval, percent
from tuner.model.record import RecordError, from_record, to_record
from tuner.model.spend import SMALLEST_RATIO
from tuner.model.verification import Outcome, TrackRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tuner.model.recommendation import Recommendation
    from tuner.model.verification import VerificationVerdict

_MATERIAL_SHARE: Final = 0.1
_KNOWN_SHARE: Final = 0.5
_NORMAL_90: Final = 1.645
PRIOR_OUTCOMES: Final = 10
"""How many outcomes the belief that intervals are right is worth."""
FEWEST_OUTCOMES: Final = 5
WORTH_WIDENING: Final = 1.2
_MOST_WIDENING: Final = 30.0


def difference(realized: Interval, forecast: Interval) -> Interval:
    """Realized less forecast, 90%."""
    middle = realized.estimate - forecast.estimate
    below = math.hypot(realized.estimate - realized.low, forecast.high - forecast.estimate)
    above = math.hypot(realized.high - realized.estimate, forecast.estimate - forecast.low)
    return Interval(middle, middle - below, middle + above)


def verdict_of(realized: Interval, forecast: Interval) -> VerificationVerdict:
    """By the rule above."""
    apart = difference(realized, forecast)
    material, known = _margin(forecast, _MATERIAL_SHARE), _margin(forecast, _KNOWN_SHARE)
    if apart.estimate < -material and apart.high < 0:
        return "less"
    if apart.estimate > material and apart.low > 0:
        return "more"
    return "as_forecast" if apart.low >= -known and apart.high <= known else "unknown"


def days_needed(
    realized: Interval, forecast: Interval, days_before: float, days_after: float
) -> float | None:
    """About how many more days would tell, if the interval narrows with the root of the days.

    None where no number of them would: the days before the change are what they are, and so is the
    forecast's own interval.
    """
    apart, known = difference(realized, forecast), _margin(forecast, _KNOWN_SHARE)
    reach = (realized.high - realized.low) / 2
    own = (forecast.high - forecast.low) / 2
    target = max(known - min(abs(apart.estimate), known / 2), known / 4)
    left = target**2 - own**2
    if left <= 0:
        return None
    before, after = max(days_before, 1.0), max(days_after, 1.0)
    unit = reach**2 / (1 / before + 1 / after)
    room = left / unit - 1 / before
    if room <= 0:
        return None
    wanted = 1 / room - after
    return wanted if 0 < wanted <= 90 else None


def _margin(forecast: Interval, share: float) -> float:
    """A share of the forecast saving, or the smallest that matters at all."""
    return max(SMALLEST_RATIO, share * abs(forecast.estimate))


def track_record(outcomes: Iterable[Outcome]) -> TrackRecord:
    """How forecasts came out, and by how much their intervals should be wider.

    The factor is the least by which the forecasts' intervals would have to be wider for nine of ten
    to hold, counted together with `PRIOR_OUTCOMES` that are as they should be: one that is far off
    counts once, however far. It's never below 1: what a sweep measured isn't surer than it says
    because others were lucky.
    """
    known = [*outcomes]
    pairs = [(each.realized_saving_ratio, each.forecast_saving_ratio) for each in known]
    apart = [difference(*each) for each in pairs]
    ratios = [
        realized.estimate / forecast.estimate
        for realized, forecast in pairs
        if forecast.estimate > SMALLEST_RATIO
    ]
    return TrackRecord(
        outcome_count=len(known),
        held_count=sum(each.low <= 0 <= each.high for each in apart),
        typical_ratio=median(ratios) if ratios else None,
        width_factor=_width_factor(pairs),
    )


def with_track_record(answer: Recommendation, outcomes: Iterable[Outcome]) -> Recommendation:
    """The recommendation, with a finding if verified forecasts say that its saving is less sure.

    The interval itself stays what the measurements say, so that a replay says the same anywhere.
    """
    record, saving = track_record(outcomes), answer.choice.saving_ratio
    if (
        saving is None
        or answer.verdict != "resize"
        or record.outcome_count < FEWEST_OUTCOMES
        or record.width_factor < WORTH_WIDENING
    ):
        return answer
    wide = widened(saving, record.width_factor)
    typical = ""
    if record.typical_ratio is not None:
        typical = f", and typically {percent(record.typical_ratio)} of the saving came"
    found = Finding(
        "forecasts_off",
        "warning",
        f"{record.held_count} of {record.outcome_count} verified forecasts held{typical}: by those "
        f"the saving is {percent(wide.estimate)} ({percent(wide.low)} to {percent(wide.high)})",
    )
    return replace(answer, findings=(*answer.findings, found))


def _width_factor(pairs: list[tuple[Interval, Interval]]) -> float:
    def held_share(factor: float) -> float:
        held = PRIOR_OUTCOMES * math.erf(factor * _NORMAL_90 / math.sqrt(2))
        for realized, forecast in pairs:
            variance = _variance(realized) + factor**2 * _variance(forecast)
            apart = abs(realized.estimate - forecast.estimate)
            held += apart <= _NORMAL_90 * math.sqrt(variance)
        return held / (PRIOR_OUTCOMES + len(pairs))

    low, high = 1.0, _MOST_WIDENING
    if held_share(low) >= 0.9 - 1e-3:
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if held_share(middle) >= 0.9 else (middle, high)
    return high


def _variance(interval: Interval) -> float:
    return ((interval.high - interval.low) / 2 / _NORMAL_90) ** 2


def widened(interval: Interval, factor: float) -> Interval:
    """The interval, so many times as wide around its estimate."""
    middle = interval.estimate
    return Interval(
        middle,
        middle - factor * (middle - interval.low),
        middle + factor * (interval.high - middle),
    )


def ledger_file(state_dir: Path) -> Path:
    """Where the ledger is."""
    return state_dir / "outcomes.jsonl"


def keep_outcome(state_dir: Path, outcome: Outcome) -> None:
    """Add an outcome. Raises InputError where the file can't be written."""
    file = ledger_file(state_dir)
    line = json.dumps(to_record(outcome), allow_nan=False).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" + line if torn else line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(f"the ledger {file} can't be written ({error.strerror})") from None


def read_outcomes(state_dir: Path) -> tuple[Outcome, ...]:
    """The latest outcome of each sweep, in order of time; torn or foreign lines are left out."""
    found: dict[str, Outcome] = {}
    try:
        lines = ledger_file(state_dir).read_bytes().splitlines()
    except OSError:
        return ()
    for line in lines:
        with suppress(ValueError, RecordError, RecursionError):
            outcome = from_record(Outcome, json.loads(line))
            found[outcome.sweep_id] = outcome
    return tuple(sorted(found.values(), key=lambda each: each.verified_at))
