"""Which part of production's logs is read, and what that costs: shown before a query is sent, and
confirmed if it's much. `observe`, `scan` and `spend` share these options.
"""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tuner.cli import options, values
from tuner.cli.config import state_dir, today
from tuner.cli.groups import WhereOptions
from tuner.cli.screen import agree, say
from tuner.errors import UsageError
from tuner.model.interval import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.api.reading import Caller, FilesRequest, LiveRequest, LiveSource
    from tuner.model.account import ReadingCost

Source = Annotated[
    Literal["auto", "insights", "events"],
    options.measure_option(
        help="How CloudWatch is read. insights: by queries, which are priced by the bytes they "
        "scan. events: event by event, free and slow. auto: queries, where they're allowed."
    ),
]
Discount = Annotated[
    float,
    options.traffic_option(
        "--discount",
        metavar="PERCENT",
        parser=values.discount_percent,
        help="Off the list price, such as 12%.",
    ),
]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is read: files of logs, or CloudWatch; which days of it; and for how much."""

    logs: Annotated[
        list[Path] | None,
        options.measure_option(
            metavar="PATH",
            help="File or folder of logs, in any form that Lambda's logs come in; - reads stdin. "
            "AWS isn't called then. Repeatable.",
        ),
    ] = None
    start: Annotated[
        Any,
        options.measure_option(
            "--from",
            metavar="TIME",
            parser=values.moment,
            help="With --logs: 2026-11-01 or 2026-11-01T06:30Z.",
        ),
    ] = None
    end: Annotated[
        Any,
        options.measure_option(
            "--to", metavar="TIME", parser=values.moment_to, help="The same; a day means its end."
        ),
    ] = None
    days: Annotated[
        float | None,
        options.measure_option(
            metavar="N",
            parser=values.days,
            help="Days counted back from now (default: 14), with --logs from the last line.",
        ),
    ] = None
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        options.measure_option(
            help="With --logs: whose prices count (default: the logs', else x86_64)."
        ),
    ] = None
    budget_usd: Annotated[
        float,
        options.limits_option(
            **options.AMOUNT_OR_NOTHING, help="What reading may cost without asking you."
        ),
    ] = 1.0
    yes: options.Yes = False

    @property
    def live_days(self) -> float:
        """How far back an account's logs are read. Raises UsageError for what is for files."""
        if self.start is not None or self.end is not None:
            raise UsageError("--from and --to are for --logs: give --days")
        return 14 if self.days is None else self.days

    def files(
        self, function: str | None, region: str | None, discount_percent: float = 0.0
    ) -> "FilesRequest":
        """The request for files."""
        from tuner.api.reading import FilesRequest
        from tuner.observe.usage import Span

        return FilesRequest(
            tuple(Path("/dev/stdin") if str(each) == "-" else each for each in self.logs or ()),
            function,
            Span(self.start, self.end, self.days),
            region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
            self.architecture,
            discount_percent,
        )

    def live(
        self,
        function: str | None,
        where: WhereOptions,
        source: "LiveSource",
        discount_percent: float,
    ) -> "LiveRequest":
        """The request for an account. Raises UsageError."""
        from tuner.api.reading import LiveRequest

        return LiveRequest(function, where.part(), self.live_days, source, discount_percent)

    def request(
        self,
        where: WhereOptions,
        source: "LiveSource",
        discount_percent: float,
        region: str | None = None,
    ) -> "FilesRequest | LiveRequest":
        """The request for files if they are given, else for an account. Raises UsageError.

        `region` is that of files if no option says it.
        """
        if self.logs:
            return self.files(None, where.region or region, discount_percent)
        return self.live(None, where, source, discount_percent)

    def caller(
        self, *, dry_run: bool = False, on_price: "Callable[[ReadingCost], None] | None" = None
    ) -> "Caller":
        """Who reads: it's asked about a price above the budget, and `on_price` is told any.

        Without a terminal that raises UsageError, which names the flag. With `dry_run` the answer
        is no.
        """
        from tuner.api.reading import Caller

        def agreed(cost: "ReadingCost") -> bool:
            from tuner.report import numbers

            size = numbers.gigabytes(cost.log_bytes)
            about = size if size.startswith("under") else f"about {size}"
            metrics = f" {cost.metric_count:,} metrics cost {numbers.usd(cost.metric_usd)}."
            say(
                f"Log queries will scan {about}: {numbers.usd(cost.query_usd)}."
                f"{metrics if cost.metric_count else ''}"
            )
            if on_price is not None:
                on_price(cost)
            return not dry_run and (self.yes or cost.usd <= self.budget_usd or agree("Go on?"))

        return Caller(state_dir(), datetime.now(UTC), agreed, say, progress=files_read, day=today())


def files_read(count: int, total: int) -> None:
    """Say on a terminal that files are read, at the beginning and after each tenth of many."""
    step = max(total // 10, 1)
    if sys.stderr.isatty() and (count == 0 or (total >= 100 and count % step == 0)):
        done = f" ({count:,} read)" if count else ""
        say(f"Reading {counted(f'{total:,}', 'file')} of logs{done}")
