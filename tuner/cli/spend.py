"""`tuner spend`: where the money goes, by function or feature, and which deployment changed it.

typer evaluates annotations, so nothing here is postponed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuner.cli import options, picture, values
from tuner.cli.groups import spread

if TYPE_CHECKING:
    from tuner.model.spend import Spend

EPILOG = """\
tuner spend --logs exported/

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
    end: Annotated[
        Any,
        options.measure_option(
            "--to", metavar="TIME", parser=values.moment_to, help="The same; a day means its end."
        ),
    ] = None
    days: Annotated[
        float | None,
        options.measure_option(
            "--days", metavar="N", min=0.0, help="Days counted back from the last line."
        ),
    ] = None


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
            metavar="CSV", help="Tags of functions: columns function and the tag's key."
        ),
    ] = None
    deploys: Annotated[
        list[str] | None,
        options.traffic_option(
            metavar="auto|CSV|JSON|git:REPO",
            help="Deployments: auto (versions and memory sizes in the logs), a table with the "
            "columns at, version and function, a CloudTrail file, a repository's tags, none. "
            "Repeatable (default: auto).",
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
        options.traffic_option(help="Whose prices count (default: the logs', else x86_64)."),
    ] = None
    discount_percent: Annotated[
        float,
        options.traffic_option(
            "--discount", metavar="PERCENT", min=0.0, help="Off the list price, such as 12."
        ),
    ] = 0.0


@spread
def spend(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="[FUNCTION]",
            help="Only this one, including lines that name no function (default: all functions).",
            show_default=False,
        ),
    ] = None,
    *,
    read: LogOptions,
    side: SideOptions,
    region: Annotated[str | None, options.region_option("the logs', AWS_REGION, us-east-1")] = None,
    format_name: Annotated[
        Literal["text", "json", "markdown", "html", "png", "svg"],
        options.output_option("--format", help="How to show it."),
    ] = "text",
    out_file: Annotated[
        Path | None,
        options.output_option(
            "--out",
            metavar="FILE",
            help="File to write, with --format html, png or svg (default: stdout).",
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Say where the money goes: cost by day and function or feature, and what moved it.

    Changes of what an invocation costs are found and put to the deployment that explains them;
    traffic is kept apart. With --logs AWS isn't called, and the window is from the first to the
    last line.
    """
    from tuner.api import spending
    from tuner.cli.config import state_dir, today
    from tuner.cli.flags import shown
    from tuner.errors import UsageError

    form = picture.format_of(format_name, json=json)
    picture.check(form, out_file, sweep_count=1)
    if not read.logs:
        raise UsageError("give --logs PATH: files or folders of functions' logs")
    answer = spending.spend(
        read.logs,
        function=function,
        by=side.by,
        tags=side.tags,
        deploys=side.deploys or "auto",
        revenue=side.revenue,
        bill=side.bill_file,
        start=read.start,
        end=read.end,
        days=read.days,
        region=region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        architecture=side.architecture,
        discount_percent=side.discount_percent,
        state_dir=state_dir(),
        today=today(),
    )
    _show(shown(answer), form, out_file)
    return 0


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
