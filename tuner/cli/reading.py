"""What reading logs costs: shown before a query is sent, and confirmed if it's much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.cli.screen import agree, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.account import ReadingCost


def agreement(
    *, budget_usd: float, yes: bool = False, dry_run: bool = False
) -> Callable[[ReadingCost], bool]:
    """Return what shows a price on stderr, and whether it's agreed to.

    Above the budget it asks; without a terminal that raises UsageError, which names the flag. With
    `dry_run` the answer is no.
    """

    def agreed(cost: ReadingCost) -> bool:
        from tuner.report import numbers
        from tuner.report.scan import gigabytes

        metrics = f" {cost.metric_count:,} metrics cost {numbers.usd(cost.metric_usd)}."
        say(
            f"Log queries will scan about {gigabytes(cost.log_bytes)}: "
            f"{numbers.usd(cost.query_usd)}.{metrics if cost.metric_count else ''}"
        )
        return not dry_run and (yes or cost.usd <= budget_usd or agree("Go on?"))

    return agreed
