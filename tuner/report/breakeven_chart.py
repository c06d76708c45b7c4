"""Draws monthly cost over requests a month, both by logarithm: one letter a platform."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tuner.model.lambda_limits import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from tuner.breakeven.answer import BreakEven, PlatformCost
    from tuner.report.glyphs import Glyphs

HEIGHT: Final = 14
LABEL_WIDTH: Final = 10
_LETTERS: Final = "LFCEM"


def shown_platforms(answer: BreakEven) -> tuple[PlatformCost, ...]:
    """Platforms that have a line, Lambda first; another architecture's are in the table alone."""
    return tuple(each for each in answer.platforms if each.same_architecture and each.curve)


def draw_costs(answer: BreakEven, *, width: int, glyphs: Glyphs) -> list[str]:
    """Lines of the chart: platforms of the function's architecture, crossings below the axis.

    Where lines meet, the cheaper names come last, so that Lambda's is never hidden. A crossing is
    `X` with its interval as `=`.
    """
    shown = list(shown_platforms(answer))[: len(_LETTERS)]
    across = max(width - LABEL_WIDTH - 3, 30)
    rates = [point.rate_per_s for point in shown[0].curve]
    costs = [point.cost_usd_per_month for each in shown for point in each.curve]
    low, high = math.log(max(min(costs), 0.01)), math.log(max(costs))
    cells = [[" "] * across for _ in range(HEIGHT)]
    for letter, platform in reversed(list(zip(_letters(shown), shown, strict=True))):
        for column in range(across):
            cost = platform.curve[round(column / (across - 1) * (len(rates) - 1))]
            place = (math.log(max(cost.cost_usd_per_month, 0.01)) - low) / (high - low)
            cells[round((1 - place) * (HEIGHT - 1))][column] = letter
    lines = ["  $ a month over requests a month (both log scale)"]
    for row, line in enumerate(cells):
        value = math.exp(high - (high - low) * row / (HEIGHT - 1))
        label = _amount(value) if row in {0, HEIGHT // 2, HEIGHT - 1} else ""
        lines.append(f"{label:>{LABEL_WIDTH}} {glyphs.axis_y}{''.join(line)}".rstrip())
    lines.append(f"{'':{LABEL_WIDTH}} {glyphs.corner}{glyphs.axis_x * across}")
    lines.append(_ticks(rates[0], rates[-1], across))
    for letter, platform in zip(_letters(shown), shown, strict=True):
        if platform.break_even is not None:
            lines.append(_crossing(letter, platform, rates, across))
    names = "   ".join(
        f"{letter} {each.name}" for letter, each in zip(_letters(shown), shown, strict=True)
    )
    return [*lines, f"  {names}"]


def _amount(usd: float) -> str:
    return f"{usd:,.0f}" if usd >= 10 else f"{usd:.2f}"


def _letters(shown: list[PlatformCost]) -> str:
    """Lambda, Fargate, ECS, EC2, Managed Instances: each its own letter."""
    letters = {"Lambda": "L", "Fargate": "F", "ECS": "C", "EC2": "E", "Managed": "M"}
    return "".join(letters[each.name.split()[0]] for each in shown)


def _crossing(letter: str, platform: PlatformCost, rates: list[float], across: int) -> str:
    """`=` from the low to the high end of the break-even, `X` at the estimate."""
    rate = platform.break_even
    assert rate is not None
    line = [" "] * across
    start = _column(rate.low_per_s, rates, across)
    end = across - 1 if rate.high_per_s is None else _column(rate.high_per_s, rates, across)
    line[start : end + 1] = "=" * (end + 1 - start)
    line[_column(rate.estimate_per_s, rates, across)] = "X"
    return f"{letter + ' cheaper':>{LABEL_WIDTH}}  {''.join(line)}".rstrip()


def _ticks(first: float, last: float, across: int) -> str:
    """`1M` and its like, at powers of ten of requests a month."""
    line = [" "] * (across + 4)
    for power in range(3, 13):
        rate = 10**power / SECONDS_PER_MONTH
        if first <= rate <= last:
            names = {3: "1k", 4: "10k", 5: "100k", 6: "1M", 7: "10M", 8: "100M", 9: "1G"}
            text = names.get(power, "10G")
            start = _column(rate, [first, last], across)
            line[start : start + len(text)] = text
    return f"{'':{LABEL_WIDTH}}  {''.join(line)}".rstrip()


def _column(rate: float, rates: list[float], across: int) -> int:
    share = math.log(max(rate, 1e-12) / rates[0]) / math.log(rates[-1] / rates[0])
    return round(min(max(share, 0.0), 1.0) * (across - 1))
