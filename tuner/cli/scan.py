"""`tuner scan`: every function of an account, ranked by what tuning would save."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tuner.cli import options, picture, values
from tuner.cli.config import state_dir, today
from tuner.cli.flags import shown
from tuner.cli.groups import spread
from tuner.cli.reading import ReadOptions
from tuner.cli.screen import show, show_json, show_text
from tuner.errors import NotAgreedError, UsageError
from tuner.report.json import headed

if TYPE_CHECKING:
    from tuner.api.reading import Caller
    from tuner.model.account import ReadingCost
    from tuner.model.scan import Scan
    from tuner.observe.scanning import SortKey

EPILOG = """\
tuner scan --regions eu-west-1,us-east-1

tuner scan --profile staging,production --format html --out account.html

tuner scan --logs exported/ --top 10 --json

tuner scan --athena s3://my-logs/exports --days 30"""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Which accounts and regions."""

    regions: Annotated[
        str | None,
        options.where_option(metavar="REGION,…", help="Regions to scan (default: the profile's)."),
    ] = None
    profile: Annotated[
        str | None,
        options.where_option(
            metavar="NAME,…",
            help="Profiles of the AWS configuration: several for several accounts.",
        ),
    ] = None
    endpoint_url: options.EndpointUrl = None


@dataclass(frozen=True, slots=True)
class AthenaOptions:
    """An archive in S3."""

    athena: Annotated[
        str | None,
        options.measure_option(
            metavar="S3_URI",
            help="Archive of logs, such as s3://my-logs/exports: Athena reads it, and Lambda isn't "
            "called.",
        ),
    ] = None
    results: Annotated[
        str | None,
        options.where_option(
            metavar="S3_URI",
            help="With --athena: where it writes its answers (default: where its work group says).",
        ),
    ] = None
    work_group: Annotated[
        str | None,
        options.where_option(
            metavar="NAME", help="With --athena: its work group (default: primary)."
        ),
    ] = None


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
        int | None, options.output_option(min=1, metavar="N", help="Only the first N functions.")
    ] = None
    format_name: options.TableFormat = "text"
    out_file: options.PageFile = None
    json: options.JsonOutput = False


@spread
def scan(
    *,
    place: PlaceOptions,
    read: ScanReadOptions,
    archive: AthenaOptions,
    listed: ListOptions,
    metrics_only: Annotated[
        bool,
        options.limits_option(
            "--metrics-only", help="Query no logs: costs are rough, and nothing is advised."
        ),
    ] = False,
    restart: Annotated[
        bool, options.limits_option("--restart", help="Start over, even if a scan was interrupted.")
    ] = False,
    dry_run: options.DryRun = False,
) -> int:
    """Rank an account's functions by what tuning would save, without an invocation.

    It lists every function with its cost, the advice from its logs, and Compute Optimizer's
    finding, and reports idle functions and limits that are close. It only reads, with fewer than
    ten requests a second, and says what log queries cost before and after. An interrupted scan
    resumes where it was. With --logs or --athena it reads an archive instead.
    """
    form = picture.check(listed.format_name, listed.out_file, json=listed.json)
    picture.check_out(listed.out_file)
    _check(read, archive, metrics_only=metrics_only)
    if read.logs:
        from tuner.api.scanning_logs import scan_logs

        files = read.files(None, place.regions)
        found = scan_logs(files, sort=listed.sort, state_dir=state_dir(), today=today())
    else:
        prices: list[ReadingCost] = []
        try:
            caller = read.caller(dry_run=dry_run, on_price=prices.append)
            if archive.athena is not None:
                found = _scan_archive(archive, read, place, listed.sort, caller, restart=restart)
            else:
                from tuner.api.scanning import ScanRequest, scan_account

                request = ScanRequest(
                    regions=values.regions(place.regions),
                    profiles=values.names(place.profile),
                    endpoint_url=place.endpoint_url,
                    days=read.live_days,
                    sort=listed.sort,
                    with_logs=not metrics_only,
                    restart=restart,
                )
                found = scan_account(request, caller)
        except NotAgreedError:
            if not dry_run:
                raise
            if form == "json":
                show_json({**headed("scan_plan"), **asdict(prices[-1]), "cost_usd": prices[-1].usd})
            return 0
    _show(shown(found), form, listed.out_file, listed.top)
    return 0


def _check(read: ScanReadOptions, archive: AthenaOptions, *, metrics_only: bool) -> None:
    """Raise UsageError for options that don't go together."""
    if archive.athena is None:
        if archive.results is not None or archive.work_group is not None:
            raise UsageError("--results and --work-group are for --athena")
    elif read.logs or metrics_only:
        raise UsageError("--athena reads logs in S3: leave out --logs and --metrics-only")


def _scan_archive(
    archive: AthenaOptions,
    read: ScanReadOptions,
    place: PlaceOptions,
    sort: "SortKey",
    caller: "Caller",
    *,
    restart: bool,
) -> "Scan":
    from tuner.api.scanning_athena import AthenaRequest, scan_athena

    regions, profiles = values.regions(place.regions), values.names(place.profile)
    if len(regions) > 1 or len(profiles) > 1:
        raise UsageError("--athena reads one archive: give one of --regions and --profile")
    assert archive.athena is not None
    request = AthenaRequest(
        archive.athena,
        work_group=archive.work_group or "primary",
        results=archive.results,
        region=next(iter(regions), None),
        profile=next(iter(profiles), None),
        endpoint_url=place.endpoint_url,
        days=read.live_days,
        architecture=read.architecture,
        sort=sort,
        restart=restart,
    )
    return scan_athena(request, caller)


def _show(found: "Scan", form: str, out: Path | None, top: int | None) -> None:
    from tuner.report import scan as report

    if form == "csv":
        show_text(report.to_csv(found.functions[:top]))
    elif form == "html":
        from tuner.report.page.functions import render_scan

        picture.write(render_scan(found, top=top).encode(), out)
    else:
        show(found, partial(report.to_json, top=top), report.render, json=form == "json", top=top)
