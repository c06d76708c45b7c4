"""`tuner spend`: where the money goes, by function or feature, and which deployment changed it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import options, picture
from tuner.cli.config import state_dir, today
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.reading import Discount, ReadOptions, Source, files_read
from tuner.cli.screen import show, show_text

if TYPE_CHECKING:
    from tuner.api.spending import SideFiles
    from tuner.model.spend import Spend

EPILOG = """\
tuner spend --region eu-west-1 --by tag:feature

tuner spend --logs exported/ --by tag:feature --tags tags.csv --revenue revenue.csv

tuner spend --logs exported/ --deploys auto --deploys git:. --format html --out spend.html

tuner spend --logs exported/ --bill focus.csv.gz

tuner spend resize-images --logs exported/ --days 30 --json"""


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

    def files(self) -> "SideFiles":
        """Them, as they were given."""
        from tuner.api.spending import SideFiles

        return SideFiles(self.by, self.tags, self.deploys or "auto", self.revenue, self.bill_file)


@spread
def spend(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="FUNCTION",
            help="Only this one, including lines that name no function (default: all functions).",
        ),
    ] = None,
    *,
    read: ReadOptions,
    source: Source = "auto",
    side: SideOptions,
    discount_percent: Discount = 0.0,
    where: WhereOptions,
    format_name: options.ReportFormat = "text",
    out_file: options.ReportFile = None,
    json: options.JsonOutput = False,
) -> int:
    """Say where the money goes: cost by day and function or feature, and what moved it.

    Changes of what an invocation costs are found and put to the deployment that explains them;
    traffic is kept apart. The logs of a region's functions are read from CloudWatch, with tags and
    CloudTrail's changes; only reading requests are sent, and what log queries cost is said before
    and after. With --logs AWS isn't called, and the window is from the first to the last line.
    """
    from tuner.api import spending

    form = picture.check(format_name, out_file, json=json)
    picture.check_out(out_file, drawn=(".png", ".svg"))
    if read.logs:
        answer = spending.spend_files(
            read.files(function, where.region, discount_percent),
            side.files(),
            state_dir=state_dir(),
            today=today(),
            progress=files_read,
        )
    else:
        request = read.live(function, where, source, discount_percent)
        answer = spending.spend_live(request, read.caller(), side.files())
    _show(shown(answer), form, out_file)
    return 0


def _show(answer: "Spend", form: str, out_file: Path | None) -> None:
    from tuner.report import spend as words

    if form == "markdown":
        show_text(words.render_markdown(answer))
    elif form == "html":
        from tuner.report.page.spend import render

        picture.write(render(answer).encode(), out_file)
    elif form in picture.FORMATS:
        from tuner.report.figures.spend import draw_spend

        picture.write_figure(draw_spend(answer), form, out_file)
    else:
        show(answer, words.to_json, words.render, json=form == "json")
