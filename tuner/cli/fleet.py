"""`tuner fleet …`: many functions under one budget: run, status, stop, report."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import exit_status, options, picture
from tuner.cli.config import state_dir
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.screen import agree, say, show, show_text
from tuner.errors import NotAgreedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.loop import FleetEvent
    from tuner.model.fleet import FleetStatus

EPILOG = """\
tuner fleet run fleet

tuner fleet status fleet

tuner fleet stop fleet

tuner fleet report fleet --format html --out fleet.html"""

# Not called `allow_side_effects`: a variable of that name agrees for one function.
SideEffectsOption = Annotated[
    list[str] | None,
    options.limits_option(
        "--allow-side-effects",
        metavar="NAME",
        help="A function whose invocations may have side effects. Repeatable.",
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The fleet's folder.")]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where sweeps run."""

    engine: Annotated[
        Literal["local", "step-functions"],
        options.where_option(help="Where sweeps run: this machine, or workers."),
    ] = "local"
    bucket: Annotated[
        str | None,
        options.where_option(metavar="NAME", help="Bucket of tuner fleet deploy's stack."),
    ] = None
    state_machine: Annotated[
        str | None, options.where_option(metavar="ARN", help="State machine of it.")
    ] = None

    def check(self, fleet: "FleetFolder") -> None:
        """Raise UsageError for what doesn't go together, or isn't how the fleet was started."""
        from tuner.fleet.remote import StartedExecution

        if self.engine == "local":
            if self.bucket is not None or self.state_machine is not None:
                raise UsageError("`bucket` and `state_machine` are for `engine=step-functions`")
            if StartedExecution.of(fleet) is not None:
                raise UsageError(
                    "this fleet was started on Step Functions: go on with `engine=step-functions`"
                )
        elif self.bucket is None or self.state_machine is None:
            raise UsageError(
                "`engine=step-functions` needs `bucket` and `state_machine`: they are outputs of "
                "the stack of tuner fleet deploy"
            )

    def start(self, fleet: "FleetFolder", where: WhereOptions) -> "FleetStatus":
        """Start the state machine on what waits; return the fleet's status then."""
        from tuner.api.fleet_remote import start_remote

        assert self.bucket is not None
        assert self.state_machine is not None
        return start_remote(
            fleet, bucket=self.bucket, state_machine=self.state_machine, **asdict(where)
        )


@spread
def run(
    folder: Folder,
    *,
    # Not called `concurrency`: a setting of that name is for invocations of a sweep.
    at_once: Annotated[
        int,
        options.limits_option(
            "--concurrency",
            min=1,
            max=200,
            metavar="N",
            help="Sweeps at once (default: 8); at most 20 in a region of an account.",
        ),
    ] = 8,
    harmless: SideEffectsOption = None,
    place: EngineOptions,
    where: WhereOptions,
    yes: options.Yes = False,
    json: options.JsonOutput = False,
) -> int:
    """Sweep the fleet's functions, or go on where it was stopped or killed.

    Every function is swept once and given back as it was; one that fails stops no other, and is
    tried again by the next run. It first undoes what an interrupted run left. With --engine
    step-functions it only starts the state machine: see tuner fleet status. Exit codes: 0 all done
    (or started), 1 some failed, 4 something is left changed.
    """
    from tuner.fleet.folder import FleetFolder

    fleet = FleetFolder.open(folder).agreed(harmless or ())
    place.check(fleet)
    _agree(fleet, yes=yes)
    if harmless:
        fleet.write()
    if place.engine == "local":
        return _run_here(fleet, folder, concurrency=at_once, json=json)
    started = place.start(fleet, where)
    if json:
        _show(started, json=True)
    else:
        say(f"Started; see tuner fleet status {folder}")
    return 0


def _agree(fleet: "FleetFolder", *, yes: bool) -> None:
    """Say what is left to sweep and what that may cost. Raises NotAgreedError."""
    from tuner.report import numbers

    before = _status(fleet)
    waiting = before.count("pending") + before.count("running") + before.count("failed")
    say(
        f"{waiting:,} of {len(before.items):,} functions to sweep; all together may cost up to "
        f"{numbers.usd(fleet.plan.budget_usd)}. Every invocation really runs their code."
    )
    if waiting and not (yes or agree("Proceed?")):
        raise NotAgreedError("plan not confirmed: nothing changed")


def _run_here(fleet: "FleetFolder", folder: Path, *, concurrency: int, json: bool) -> int:
    """Sweep on this machine until all is done or somebody stops it; return the exit code."""
    from tuner.api.fleet import run_folder
    from tuner.sweep.io import StopSignal, stop_on_signals

    stop = StopSignal()
    with stop_on_signals(stop):
        found = run_folder(
            fleet, state_dir=state_dir(), concurrency=concurrency, stop=stop, on_progress=_teller()
        )
    _show(found, json=json)
    if found.lease_count:
        return exit_status.LEFT_CHANGED
    if stop.is_requested:
        say(f"tuner: stopped; to go on: tuner fleet run {folder}")
        return exit_status.INTERRUPTED
    is_all_done = not (found.count("failed") or found.count("pending"))
    return 0 if is_all_done else exit_status.FAILED


def _teller() -> "Callable[[FleetEvent], None]":
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

    _show(_status(FleetFolder.open(folder)), json=json)
    return 0


def stop(folder: Folder, *, json: options.JsonOutput = False) -> int:
    """Stop a fleet that runs: its sweeps give their functions back, and nothing more starts."""
    from tuner.fleet.folder import FleetFolder

    fleet = FleetFolder.open(folder)
    say(_ask_to_stop(fleet))
    if json:
        _show(_status(fleet), json=True)
    return 0


def _ask_to_stop(fleet: "FleetFolder") -> str:
    """Ask whatever runs the fleet to stop; return what comes of it."""
    from tuner.fleet.folder import is_running_in
    from tuner.fleet.remote import StartedExecution

    if StartedExecution.of(fleet) is not None:
        from tuner.api.fleet_remote import stop_remote

        if stop_remote(fleet):
            return "Stopped: nothing more starts, and sweeps that run end within 15 minutes."
        return "It isn't running."
    if not is_running_in(fleet.path):
        return "It isn't running."
    fleet.ask_to_stop()
    return f"Asked to stop; see tuner fleet status {fleet.path}"


def report(
    folder: Folder,
    *,
    format_name: options.TableFormat = "text",
    out_file: options.PageFile = None,
    json: options.JsonOutput = False,
) -> int:
    """Show every function of a fleet, those first that save the most.

    Resizes that `tuner verify` has looked at since have their realized savings too.
    """
    from tuner.api.fleet import with_realized
    from tuner.fleet.folder import FleetFolder
    from tuner.report.fleet import to_csv

    form = picture.check(format_name, out_file, json=json)
    found = shown(with_realized(_status(FleetFolder.open(folder)), state_dir()))
    if form == "csv":
        show_text(to_csv(found))
    elif form == "html":
        from tuner.report.page.functions import render_fleet

        picture.write(render_fleet(found).encode(), out_file)
    else:
        _show(found, json=form == "json", top=len(found.items))
    return 0


def _status(folder: "FleetFolder") -> "FleetStatus":
    from tuner.fleet.remote import StartedExecution

    if StartedExecution.of(folder) is not None:
        from tuner.api.fleet_remote import remote_status

        return remote_status(folder)
    return folder.status(datetime.now(UTC))


def _show(found: "FleetStatus", *, json: bool, top: int | None = None) -> None:
    from tuner.report.fleet import render_status, status_json

    show(found, status_json, render_status, json=json, top=top)
