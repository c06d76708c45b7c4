"""`tuner scan`: every function of an account, ranked by what tuning would save.

typer evaluates annotations, so nothing here is postponed.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tuner.cli import options, values
from tuner.cli.reading import ReadingBudget, WindowEnd, WindowStart, agreement
from tuner.cli.screen import say, show_json, show_text, width

if TYPE_CHECKING:
    from tuner.model.scan import Scan

EPILOG = """\
tuner scan --regions eu-west-1,us-east-1

tuner scan --profile staging,production --format html --out account.html

tuner scan --logs exported/ --top 10 --json"""


def scan(
    *,
    regions: Annotated[
        str | None,
        options.where_option(
            metavar="REGION,…", help="Regions to scan (default: the profile's).", show_default=False
        ),
    ] = None,
    profile: Annotated[
        str | None,
        options.where_option(
            metavar="NAME,…",
            help="Profiles of the AWS configuration: several for several accounts.",
            show_default=False,
        ),
    ] = None,
    endpoint_url: options.EndpointUrl = None,
    days: Annotated[
        float | None,
        options.measure_option(
            metavar="N",
            min=1,
            max=90,
            help="Days to look at (default: 14; with --logs all, counted back from the last line).",
            show_default=False,
        ),
    ] = None,
    logs: Annotated[
        list[Path] | None,
        options.measure_option(
            "--logs",
            metavar="PATH",
            help="Scan the functions of these files or folders of logs; AWS isn't called. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    start: WindowStart = None,
    end: WindowEnd = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        options.measure_option(help="With --logs: whose prices count (default: the logs')."),
    ] = None,
    sort: Annotated[
        Literal["saving", "value", "cost"],
        options.output_option(
            help="First what saves the most, what a sweep's dollar saves the most, or what costs "
            "the most."
        ),
    ] = "saving",
    top: Annotated[
        int | None,
        options.output_option(
            min=1, metavar="N", help="Only the first N functions.", show_default=False
        ),
    ] = None,
    budget_usd: ReadingBudget = 1.0,
    metrics_only: Annotated[
        bool,
        options.limits_option(
            "--metrics-only", help="Query no logs: costs are rough, and nothing is advised."
        ),
    ] = False,
    restart: Annotated[
        bool,
        options.limits_option("--restart", help="Start over, even if a scan was interrupted."),
    ] = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    format_name: Annotated[
        Literal["text", "json", "csv", "html"],
        options.output_option("--format", help="What to write."),
    ] = "text",
    out_file: Annotated[
        Path | None,
        options.output_option(
            "--out", metavar="FILE", help="File to write, with --format html (default: stdout)."
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Rank an account's functions by what tuning would save, without an invocation.

    It lists every function with its cost, the advice from its logs, and Compute Optimizer's
    finding, and reports idle functions and limits that are close. It only reads, with fewer than
    ten requests a second, and says what log queries cost before and after. An interrupted scan
    resumes where it was.
    """
    from tuner.cli import picture
    from tuner.cli.flags import shown

    format_name = picture.format_of(format_name, json=json)  # type: ignore[assignment]
    picture.check(format_name, out_file, sweep_count=1)
    found: Scan | None
    if logs:
        found = _of_logs(
            logs,
            region=regions,
            start=start,
            end=end,
            days=days,
            architecture=architecture,
            sort=sort,
        )
    else:
        from tuner.api.scanning import ScanRequest

        request = ScanRequest(
            regions=tuple(values.region(name) for name in _names(regions)),
            profiles=_names(profile),
            endpoint_url=endpoint_url,
            days=14 if days is None else days,
            sort=sort,
            with_logs=not metrics_only,
            restart=restart,
        )
        found = _of_account(request, budget_usd=budget_usd, yes=yes, dry_run=dry_run)
        if found is None:
            return 0
    _show(shown(found), format_name, out_file, top)
    return 0


def _names(given: str | None) -> tuple[str, ...]:
    """Those of a list with commas, each once."""
    names = (name.strip() for name in (given or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _of_account(request: Any, *, budget_usd: float, yes: bool, dry_run: bool) -> "Scan | None":
    """Scan the account; None if only the price was asked for."""
    from datetime import UTC, datetime

    from tuner.api.scanning import scan_account
    from tuner.cli.config import state_dir
    from tuner.errors import NotAgreedError

    try:
        return scan_account(
            request,
            state_dir=state_dir(),
            now=datetime.now(UTC),
            agree=agreement(budget_usd=budget_usd, yes=yes, dry_run=dry_run),
            tell=say,
        )
    except NotAgreedError:
        if dry_run:
            return None
        raise


def _of_logs(logs: list[Path], **how: Any) -> "Scan":
    from tuner.api.scanning_logs import scan_logs
    from tuner.cli.config import state_dir, today

    return scan_logs(logs, state_dir=state_dir(), today=today(), **how)


def _show(found: "Scan", format_name: str, out: Path | None, top: int | None) -> None:
    from tuner import __version__
    from tuner.cli.flags import with_flags
    from tuner.report import scan as report

    if format_name == "json":
        show_json(report.to_json(found, top=top))
    elif format_name == "csv":
        show_text(report.to_csv(found.functions[:top]))
    elif format_name == "html":
        from dataclasses import replace

        from tuner.cli.picture import write
        from tuner.report.page.scan import render_scan

        cut = replace(found, functions=found.functions[:top])
        write(render_scan(cut, version=__version__).encode(), out)
    else:
        encoding = sys.stdout.encoding or "ascii"
        text = report.render(found, width=width(), encoding=encoding, top=top)
        show_text(with_flags(text))
