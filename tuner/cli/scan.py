"""`tuner scan`: every function of an account, ranked by what tuning would save.

typer evaluates annotations, so nothing here is postponed.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tuner.cli import options, picture, values
from tuner.cli.groups import spread
from tuner.cli.reading import ReadOptions
from tuner.cli.screen import show_json, show_text, width

if TYPE_CHECKING:
    from tuner.model.scan import Scan

EPILOG = """\
tuner scan --regions eu-west-1,us-east-1

tuner scan --profile staging,production --format html --out account.html

tuner scan --logs exported/ --top 10 --json"""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Which accounts and regions."""

    regions: Annotated[
        str | None,
        options.where_option(
            metavar="REGION,…", help="Regions to scan (default: the profile's).", show_default=False
        ),
    ] = None
    profile: Annotated[
        str | None,
        options.where_option(
            metavar="NAME,…",
            help="Profiles of the AWS configuration: several for several accounts.",
            show_default=False,
        ),
    ] = None
    endpoint_url: options.EndpointUrl = None


@dataclass(frozen=True, slots=True)
class ScanReadOptions(ReadOptions):
    """The same as other commands', with the days that metrics are kept for."""

    days: Annotated[
        float | None,
        options.measure_option(
            metavar="N",
            min=1,
            max=90,
            help="Days to look at (default: 14; with --logs all, counted back from the last line).",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How the functions are listed."""

    sort: Annotated[
        Literal["saving", "value", "cost"],
        options.output_option(
            help="First what saves the most, what a sweep's dollar saves the most, or what costs "
            "the most."
        ),
    ] = "saving"
    top: Annotated[
        int | None,
        options.output_option(
            min=1, metavar="N", help="Only the first N functions.", show_default=False
        ),
    ] = None
    format_name: Annotated[
        Literal["text", "json", "csv", "html"],
        options.output_option("--format", help="What to write."),
    ] = "text"
    out_file: Annotated[
        Path | None,
        options.output_option(
            "--out", metavar="FILE", help="File to write, with --format html (default: stdout)."
        ),
    ] = None
    json: options.JsonOutput = False


@spread
def scan(
    *,
    place: PlaceOptions,
    read: ScanReadOptions,
    listed: ListOptions,
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
    dry_run: options.DryRun = False,
) -> int:
    """Rank an account's functions by what tuning would save, without an invocation.

    It lists every function with its cost, the advice from its logs, and Compute Optimizer's
    finding, and reports idle functions and limits that are close. It only reads, with fewer than
    ten requests a second, and says what log queries cost before and after. An interrupted scan
    resumes where it was.
    """
    from tuner.cli.flags import shown

    form = picture.format_of(listed.format_name, json=listed.json)
    picture.check(form, listed.out_file, sweep_count=1)
    if read.logs:
        from tuner.api.scanning_logs import scan_logs
        from tuner.cli.config import state_dir, today

        files = read.files(None, place.regions)
        found = scan_logs(files, sort=listed.sort, state_dir=state_dir(), today=today())
    else:
        from tuner.api.scanning import ScanRequest, scan_account
        from tuner.errors import NotAgreedError

        request = ScanRequest(
            regions=tuple(values.region(name) for name in _names(place.regions)),
            profiles=_names(place.profile),
            endpoint_url=place.endpoint_url,
            days=read.live_days,
            sort=listed.sort,
            with_logs=not metrics_only,
            restart=restart,
        )
        try:
            found = scan_account(request, read.caller(dry_run=dry_run))
        except NotAgreedError:
            if dry_run:
                return 0
            raise
    _show(shown(found), form, listed.out_file, listed.top)
    return 0


def _names(given: str | None) -> tuple[str, ...]:
    """Those of a list with commas, each once."""
    names = (name.strip() for name in (given or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _show(found: "Scan", form: str, out: Path | None, top: int | None) -> None:
    from tuner.cli.flags import with_flags
    from tuner.report import scan as report

    if form == "json":
        show_json(report.to_json(found, top=top))
    elif form == "csv":
        show_text(report.to_csv(found.functions[:top]))
    elif form == "html":
        from tuner import __version__
        from tuner.report.page.scan import render_scan

        picture.write(render_scan(found, version=__version__, top=top).encode(), out)
    else:
        encoding = sys.stdout.encoding or "ascii"
        show_text(with_flags(report.render(found, width=width(), encoding=encoding, top=top)))
