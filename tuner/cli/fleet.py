"""`tuner fleet …`: many functions under one budget: plan, run, status, stop, report.

typer evaluates annotations, so nothing here is postponed.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options, values
from tuner.cli.config import state_dir
from tuner.cli.flags import with_flags
from tuner.cli.screen import agree, say, show_json, show_text, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.loop import FleetEvent
    from tuner.model.fleet import FleetStatus

EPILOG = """\
tuner fleet plan --scan scan.json --budget-usd 5 --out fleet

tuner fleet plan --functions names.txt --payload event.json --budget-usd 1 --out fleet

tuner fleet run fleet

tuner fleet status fleet

tuner fleet stop fleet

tuner fleet report fleet --format html --out fleet.html"""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The fleet's folder.")]
_FAILED = 1
_LEFT_CHANGED = 4
_INTERRUPTED = 130


def plan(
    *,
    scan: Annotated[
        Path | None,
        options.measure_option(metavar="FILE", help="Functions of a scan (tuner scan --json)."),
    ] = None,
    functions: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE", help="Names or ARNs, one a line; # begins a comment."
        ),
    ] = None,
    tag: Annotated[
        str | None,
        options.measure_option(metavar="KEY=VALUE", help="Functions with this tag."),
    ] = None,
    payload: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="FILE|FOLDER|JSON",
            help="Event for functions without their own, as in tuner tune. Repeatable.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        options.measure_option(
            "--settings",
            metavar="FILE",
            help="Payloads, side effects, accounts and hours (default: fleet.toml here).",
        ),
    ] = None,
    goal: options.GoalOption = None,
    budget_usd: Annotated[
        float, options.limits_option(**options.AMOUNT, help="What all sweeps together may cost.")
    ],
    allow_side_effects: Annotated[
        list[str] | None,
        options.limits_option(
            "--allow-side-effects",
            metavar="NAME",
            help="A function whose invocations may have side effects. Repeatable.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, options.output_option("--out", metavar="DIR", help="Folder of the fleet, new.")
    ],
    region: options.Region = None,
    regions: Annotated[
        str | None,
        options.where_option(
            metavar="REGION,…", help="Regions to look in for --tag.", show_default=False
        ),
    ] = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.JsonOutput = False,
) -> int:
    """Choose which functions to sweep, in the order of what a sweep is worth per dollar.

    Functions that a scan has answered from logs aren't swept. Nothing is changed: it shows hours,
    calls and dollars, and what is left out and why.
    """
    from datetime import UTC, datetime

    from tuner.api.fleet import FleetRequest, plan_fleet
    from tuner.report import fleet as report

    request = FleetRequest(
        budget_usd=budget_usd,
        out=out,
        scan=scan,
        functions=functions,
        tag=tag,
        payloads=tuple(payload or ()),
        settings=settings,
        goal=goal or "cost",
        allow_side_effects=frozenset(allow_side_effects or ()),
        region=region,
        regions=tuple(values.region(each.strip()) for each in (regions or "").split(",") if each),
        profile=profile,
        endpoint_url=endpoint_url,
    )
    now = datetime.now(UTC)
    folder, estimate = plan_fleet(request, now=now, working_dir=Path.cwd(), tell=say)
    if json:
        show_json(report.plan_json(folder.status(now), estimate))
    else:
        encoding = sys.stdout.encoding or "ascii"
        text = report.render_plan(folder.plan, estimate, width=width(), encoding=encoding)
        show_text(with_flags(text))
        if folder.plan.items:
            show_text(f"Run it: tuner fleet run {out}\n")
    return 0


def run(
    folder: Folder,
    *,
    concurrency: Annotated[
        int,
        options.limits_option(
            min=1,
            max=200,
            metavar="N",
            help="Sweeps at once (default: 8); at most 20 in a region of an account.",
        ),
    ] = 8,
    engine: Annotated[
        Literal["local", "step-functions"],
        options.where_option("--engine", help="Where sweeps run: this machine, or workers."),
    ] = "local",
    bucket: Annotated[
        str | None,
        options.where_option(metavar="NAME", help="Bucket of tuner fleet deploy's stack."),
    ] = None,
    state_machine: Annotated[
        str | None,
        options.where_option("--state-machine", metavar="ARN", help="State machine of it."),
    ] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    yes: options.Yes = False,
    json: options.JsonOutput = False,
) -> int:
    """Sweep the fleet's functions, or go on where it was stopped or killed.

    Every function is swept once and given back as it was; one that fails stops no other. It first
    undoes what an interrupted run left. With --engine step-functions it only starts the state
    machine: see tuner fleet status. Exit codes: 0 all done (or started), 1 some failed, 4 something
    is left changed.
    """
    from tuner.api.fleet import run_folder
    from tuner.fleet.folder import FleetFolder
    from tuner.report import fleet as report
    from tuner.sweep.io import StopSignal, stop_on_signals

    fleet = FleetFolder.open(folder)
    _check_engine(fleet, engine, bucket, state_machine)
    before = _status(fleet)
    waiting = before.count("pending") + before.count("running")
    say(
        f"{waiting:,} of {len(before.items):,} functions to sweep; all together may cost up to "
        f"${fleet.plan.budget_usd:,.2f}. Every invocation really runs their code."
    )
    if waiting and not (yes or agree("Proceed?")):
        from tuner.errors import NotAgreedError

        raise NotAgreedError("plan not confirmed: nothing changed")
    if engine == "step-functions":
        from tuner.api.fleet_remote import start_remote

        assert bucket is not None
        assert state_machine is not None
        started = start_remote(
            fleet,
            bucket=bucket,
            state_machine=state_machine,
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
        )
        if json:
            show_json(report.status_json(started))
        else:
            say(f"Started; see tuner fleet status {folder}")
        return 0
    stop = StopSignal()
    with stop_on_signals(stop):
        status = run_folder(
            fleet,
            state_dir=state_dir(),
            concurrency=concurrency,
            stop=stop,
            on_progress=_teller(),
        )
    if json:
        show_json(report.status_json(status))
    else:
        _show_status(status)
    if status.lease_count:
        return _LEFT_CHANGED
    if stop.is_requested:
        say(f"tuner: stopped; to go on: tuner fleet run {folder}")
        return _INTERRUPTED
    is_all_done = not (status.count("failed") or status.count("pending"))
    return 0 if is_all_done else _FAILED


def _check_engine(
    folder: "FleetFolder", engine: str, bucket: str | None, state_machine: str | None
) -> None:
    from tuner.errors import UsageError
    from tuner.fleet.remote import StartedExecution

    if engine == "local":
        if bucket is not None or state_machine is not None:
            raise UsageError("`bucket` and `state_machine` are for `engine=step-functions`")
        if StartedExecution.of(folder) is not None:
            raise UsageError(
                "this fleet was started on Step Functions: go on with `engine=step-functions`"
            )
    elif bucket is None or state_machine is None:
        raise UsageError(
            "`engine=step-functions` needs `bucket` and `state_machine`: they are outputs of the "
            "stack of tuner fleet deploy"
        )


def _teller() -> "Callable[[FleetEvent], None]":
    from datetime import UTC, datetime, timedelta

    from tuner.fleet.loop import ItemEnded, PlaceFails
    from tuner.report import numbers
    from tuner.report.fleet import place_of, verdict_of

    def tell(event: "FleetEvent") -> None:
        if isinstance(event, ItemEnded):
            each = event.progress
            what = verdict_of(each) if each.state == "done" else f"{each.state}: {each.reason}"
            ends = ""
            if event.seconds_left:
                at = datetime.now(UTC) + timedelta(seconds=event.seconds_left)
                ends = f" · {numbers.wall_time(event.seconds_left)} left, until {at:%H:%M} UTC"
            say(f"  {event.ended_count}/{event.item_count} {each.item.name}: {what}{ends}")
        elif isinstance(event, PlaceFails):
            say(f"  {place_of(event.place)} can't be reached, its functions wait: {event.reason}")
        else:
            say(f"  waiting {numbers.wall_time(event.wait_s)} for the hours when it may run")

    return tell


def status(folder: Folder, *, json: options.JsonOutput = False) -> int:
    """Show how far a fleet has come, while it runs or afterwards."""
    from tuner.fleet.folder import FleetFolder
    from tuner.report.fleet import status_json

    found = _status(FleetFolder.open(folder))
    if json:
        show_json(status_json(found))
    else:
        _show_status(found)
    return 0


def stop(folder: Folder) -> int:
    """Stop a fleet that runs: its sweeps give their functions back, and nothing more starts."""
    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.lock import is_running
    from tuner.fleet.remote import StartedExecution

    fleet = FleetFolder.open(folder)
    if StartedExecution.of(fleet) is not None:
        from tuner.api.fleet_remote import stop_remote

        if stop_remote(fleet):
            say("Stopped: nothing more starts, and sweeps that run end within 15 minutes.")
        else:
            say("It isn't running.")
        return 0
    if not is_running(folder):
        say("It isn't running.")
        return 0
    fleet.ask_to_stop()
    say(f"Asked to stop; see tuner fleet status {folder}")
    return 0


def report(
    folder: Folder,
    *,
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
    """Show every function of a fleet, those first that save the most.

    Resizes that `tuner verify` has looked at since have their realized savings too.
    """
    from tuner import __version__
    from tuner.api.fleet import with_realized
    from tuner.cli import picture
    from tuner.fleet.folder import FleetFolder
    from tuner.report.fleet import status_json, to_csv

    format_name = picture.format_of(format_name, json=json)  # type: ignore[assignment]
    picture.check(format_name, out_file, sweep_count=1)
    found = with_realized(_status(FleetFolder.open(folder)), state_dir())
    if format_name == "json":
        show_json(status_json(found))
    elif format_name == "csv":
        show_text(to_csv(found))
    elif format_name == "html":
        from tuner.report.page.fleet import render_fleet

        picture.write(render_fleet(found, version=__version__).encode(), out_file)
    else:
        _show_status(found, top=len(found.items))
    return 0


def _status(folder: "FleetFolder") -> "FleetStatus":
    from datetime import UTC, datetime

    from tuner.fleet.remote import StartedExecution

    if StartedExecution.of(folder) is not None:
        from tuner.api.fleet_remote import remote_status

        return remote_status(folder)
    return folder.status(datetime.now(UTC))


def _show_status(status: "FleetStatus", top: int | None = None) -> None:
    from tuner.report.fleet import render_status

    encoding = sys.stdout.encoding or "ascii"
    text = render_status(status, width=width(), encoding=encoding, top=top)
    show_text(with_flags(text))
