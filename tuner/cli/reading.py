"""Which part of the logs is read, and what that costs: shown before a query is sent, and confirmed
if it's much.

Annotations are evaluated by typer, so nothing here is postponed.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tuner.cli import options, values
from tuner.cli.screen import agree, say
from tuner.model.interval import counted

if TYPE_CHECKING:
    from tuner.model.account import ReadingCost

WindowStart = Annotated[
    Any,
    options.measure_option(
        "--from",
        metavar="TIME",
        parser=values.moment,
        help="With --logs: 2026-11-01 or 2026-11-01T06:30Z.",
    ),
]
WindowEnd = Annotated[
    Any,
    options.measure_option(
        "--to", metavar="TIME", parser=values.moment_to, help="The same; a day means its end."
    ),
]
Days = Annotated[
    float | None,
    options.measure_option(
        "--days",
        metavar="N",
        min=0.0,
        help="Days counted back from now (default: 14), with --logs from the last line.",
        show_default=False,
    ),
]
Source = Annotated[
    Literal["auto", "insights", "events"],
    options.measure_option(
        help="How CloudWatch is read. insights: by queries, which are priced by the bytes they "
        "scan. events: event by event, free and slow. auto: queries, where they're allowed."
    ),
]
ReadingBudget = Annotated[
    float,
    options.limits_option(
        **options.AMOUNT_OR_NOTHING,
        help="What reading may cost without asking you.",
    ),
]


def files_read(count: int, total: int) -> None:
    """Say on a terminal that files are read, at the beginning and after each tenth of many."""
    step = max(total // 10, 1)
    if sys.stderr.isatty() and (count == 0 or (total >= 100 and count % step == 0)):
        done = f" ({count:,} read)" if count else ""
        say(f"Reading {counted(f'{total:,}', 'file')} of logs{done}")


def agreement(
    *, budget_usd: float, yes: bool = False, dry_run: bool = False
) -> "Callable[[ReadingCost], bool]":
    """Return what shows a price on stderr, and whether it's agreed to.

    Above the budget it asks; without a terminal that raises UsageError, which names the flag. With
    `dry_run` the answer is no.
    """

    def agreed(cost: "ReadingCost") -> bool:
        from tuner.report import numbers
        from tuner.report.scan import gigabytes

        metrics = f" {cost.metric_count:,} metrics cost {numbers.usd(cost.metric_usd)}."
        say(
            f"Log queries will scan about {gigabytes(cost.log_bytes)}: "
            f"{numbers.usd(cost.query_usd)}.{metrics if cost.metric_count else ''}"
        )
        return not dry_run and (yes or cost.usd <= budget_usd or agree("Go on?"))

    return agreed
