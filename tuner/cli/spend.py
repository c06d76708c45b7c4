"""`tuner spend`: where the money goes, by function or feature, and which deployment changed it.

typer evaluates annotations, so nothing here is postponed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuner.cli import options, picture, values
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.reading import (
    Days,
    ReadingBudget,
    Source,
    WindowEnd,
    agreement,
    files_read,
)

if TYPE_CHECKING:
    from tuner.model.spend import Spend

EPILOG = """\
tuner spend --region eu-west-1 --by tag:feature

tuner spend --logs exported/ --by tag:feature --tags tags.csv --revenue revenue.csv

tuner spend --logs exported/ --deploys auto --deploys git:. --format html --out spend.html

tuner spend --logs exported/ --bill focus.csv.gz

tuner spend resize-images --logs exported/ --days 30 --json"""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is read."""

    logs: Annotated[
        list[Path] | None,
        options.measure_option(
            "--logs",
            metavar="PATH",
            help="File or folder of logs, in any form that Lambda's logs come in. Repeatable.",
            show_default=False,
        ),
    ] = None
    start: Annotated[
        Any,
        options.measure_option(
            "--from", metavar="TIME", parser=values.moment, help="2026-11-01 or 2026-11-01T06:30Z."
        ),
    ] = None
    end: WindowEnd = None
    days: Days = None
    source: Source = "auto"
    budget_usd: ReadingBudget = 1.0
    yes: options.Yes = False


@dataclass(frozen=True, slots=True)
class SideOptions:
    """What is known besides the logs."""

    by: Annotated[
        str,
        options.traffic_option(
            metavar="function|tag:KEY", help="What to add costs up by, such as tag:feature."
        ),
    ] = "function"
    tags: Annotated[
        Path | None,
        options.traffic_option(
            metavar="CSV",
            help="Tags of functions: columns function and the tag's key (default: the account's).",
        ),
    ] = None
    deploys: Annotated[
        list[str] | None,
        options.traffic_option(
            metavar="auto|CSV|JSON|git:REPO",
            help="Deployments: auto (versions and memory sizes in the logs, and without --logs "
            "CloudTrail), a table with the columns at, version and function, a CloudTrail file, a "
            "repository's tags, none. Repeatable (default: auto).",
            show_default=False,
        ),
    ] = None
    revenue: Annotated[
        Path | None,
        options.traffic_option(
            metavar="CSV", help="Dollars earned: columns day, feature, revenue."
        ),
    ] = None
    bill_file: Annotated[
        Path | None,
        options.traffic_option(
            "--bill",
            metavar="FILE",
            help="FOCUS 1.0 or Cost and Usage export (CSV, gzip, Parquet) to check against.",
        ),
    ] = None
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        options.traffic_option(
            help="With --logs: whose prices count (default: the logs', else x86_64)."
        ),
    ] = None
    discount_percent: Annotated[
        float,
        options.traffic_option(
            "--discount",
            metavar="PERCENT",
            parser=values.discount_percent,
            help="Off the list price, such as 12%.",
        ),
    ] = 0.0

    def given(self) -> dict[str, Any]:
        """What both ways of reading take."""
        return {
            "by": self.by,
            "tags": self.tags,
            "deploys": self.deploys or "auto",
            "revenue": self.revenue,
            "bill": self.bill_file,
            "discount_percent": self.discount_percent,
        }


@spread
def spend(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="FUNCTION",
            help="Only this one, including lines that name no function (default: all functions).",
            show_default=False,
        ),
    ] = None,
    *,
    read: LogOptions,
    side: SideOptions,
    where: WhereOptions,
    format_name: Annotated[
        Literal["text", "json", "markdown", "html", "png", "svg"],
        options.output_option("--format", help="How to show it."),
    ] = "text",
    out_file: options.RenderedFile = None,
    json: options.JsonOutput = False,
) -> int:
    """Say where the money goes: cost by day and function or feature, and what moved it.

    Changes of what an invocation costs are found and put to the deployment that explains them;
    traffic is kept apart. The logs of a region's functions are read from CloudWatch, with tags and
    CloudTrail's changes; only reading requests are sent, and what log queries cost is said before
    and after. With --logs AWS isn't called, and the window is from the first to the last line.
    """
    from tuner.cli.flags import shown
    from tuner.errors import UsageError

    form = picture.format_of(format_name, json=json)
    picture.check(form, out_file, sweep_count=1)
    if read.logs:
        answer = _of_logs(function, read, side, where)
    elif read.start is not None or read.end is not None:
        raise UsageError("--from and --to are for --logs: give --days")
    else:
        answer = _of_account(function, read, side, where)
    _show(shown(answer), form, out_file)
    return 0


def _of_logs(
    function: str | None, read: LogOptions, side: SideOptions, where: WhereOptions
) -> "Spend":
    from tuner.api.spending import spend
    from tuner.cli.config import state_dir, today

    usual = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return spend(
        [Path("/dev/stdin") if str(each) == "-" else each for each in read.logs or []],
        function=function,
        start=read.start,
        end=read.end,
        days=read.days,
        region=where.region or usual,
        architecture=side.architecture,
        state_dir=state_dir(),
        today=today(),
        progress=files_read,
        **side.given(),
    )


def _of_account(
    function: str | None, read: LogOptions, side: SideOptions, where: WhereOptions
) -> "Spend":
    from datetime import UTC, datetime

    from tuner.api.spending import spend_live
    from tuner.api.spending_live import LiveAccount
    from tuner.cli.config import state_dir
    from tuner.cli.screen import say

    account = LiveAccount(
        region=where.region,
        profile=where.profile,
        endpoint_url=where.endpoint_url,
        days=14 if read.days is None else read.days,
        source=read.source,
    )
    return spend_live(
        account,
        function=function,
        state_dir=state_dir(),
        now=datetime.now(UTC),
        agree=agreement(budget_usd=read.budget_usd, yes=read.yes),
        tell=say,
        **side.given(),
    )


def _show(answer: "Spend", form: str, out_file: Path | None) -> None:
    import sys

    from tuner.cli.screen import show_json, show_text, width
    from tuner.report import spend as words

    if form == "json":
        from tuner.report.spend_json import to_json

        show_json(to_json(answer))
    elif form == "markdown":
        show_text(words.render_markdown(answer))
    elif form == "text":
        show_text(words.render(answer, width=width(), encoding=sys.stdout.encoding or "ascii"))
    elif form == "html":
        from tuner import __version__
        from tuner.report.page.spend import render

        picture.write(render(answer, version=__version__).encode(), out_file)
    else:
        from tuner.report.figures.canvas import render_figure
        from tuner.report.figures.spend import draw_spend

        drawn = render_figure(draw_spend(answer), "svg" if form == "svg" else "png")
        picture.write(drawn, out_file)
