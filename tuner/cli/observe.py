"""`tuner observe`: what production says about a function, without an invocation."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.config import state_dir, today
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, check_beside, spread
from tuner.cli.pathways import PathwayOptions
from tuner.cli.reading import Discount, ReadOptions, Source, files_read
from tuner.cli.screen import encoding, say, show, show_json, show_text, width
from tuner.errors import UsageError
from tuner.report.json import headed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.reading import Caller, FilesRequest
    from tuner.model.observation import Observation
    from tuner.report.observation import Section

EPILOG = """\
tuner observe resize-images

tuner observe resize-images --logs exported/

tuner observe resize-images --logs logs.json.gz --days 7 --json

tuner observe resize-images --pathways --trigger sns --rate 50/s --event-size 4kB

tuner observe resize-images --logs exported/ --overheads

tuner observe --forget resize-images"""


@dataclass(frozen=True, slots=True)
class OverheadsOptions:
    """Whether to weigh the log, and what its group would say."""

    overheads: Annotated[
        bool,
        options.measure_option(
            "--overheads",
            help="Also say what logs, extensions, tracing and layers cost, and what would save. "
            "Reads all lines of --logs, else a sample.",
        ),
    ] = False
    log_class: Annotated[
        Literal["standard", "infrequent-access", "delivery"] | None,
        options.traffic_option(
            metavar="CLASS",
            help="With --overheads: standard, infrequent-access or delivery (default: as the group "
            "has it, with --logs standard).",
        ),
    ] = None
    retention_days: Annotated[
        int | None,
        options.traffic_option(
            metavar="N",
            min=1,
            help="With --overheads: how long logs are kept (default: as the group has it).",
        ),
    ] = None
    account_log_gb: Annotated[
        float,
        options.traffic_option(
            metavar="GB",
            min=0,
            help="With --overheads: what the account's other logs fill of a month's tiers.",
        ),
    ] = 0.0

    def sections(
        self,
        function: str,
        observed: "Observation",
        files: "FilesRequest | None",
        live: "tuple[WhereOptions, Caller] | None",
    ) -> "Iterator[Section]":
        """The overheads, if they were asked for. Raises UsageError, InputError and AwsError."""
        if not self.overheads:
            return
        from tuner.api.overheads import OverheadsRequest, overheads_live, overheads_of_files
        from tuner.report import overheads
        from tuner.report.observation import Section

        names = {"standard": "STANDARD", "infrequent-access": "INFREQUENT_ACCESS"}
        request = OverheadsRequest(
            None if self.log_class is None else names.get(self.log_class, "DELIVERY"),  # type: ignore[arg-type] # one of the three
            self.retention_days,
            self.account_log_gb,
        )
        if files is not None:
            found = overheads_of_files(request, files, observed, files_read)
        else:
            assert live is not None
            where, caller = live
            found = overheads_live(request, function, observed, where.part(), caller)
        found = shown(found)
        text = overheads.render(found, width=width(), encoding=encoding())
        yield Section(overheads.KEY, overheads.overheads_json(found), text)


@dataclass(frozen=True, slots=True)
class ObserveWhere(WhereOptions):
    """The same, where an ARN may name the region."""

    region: Annotated[
        str | None, options.region_option("the ARN's or the profile's; with --logs us-east-1")
    ] = None


@spread
def observe(
    function: Annotated[str | None, typer.Argument(metavar="FUNCTION", help="Name or ARN.")] = None,
    *,
    read: ReadOptions,
    discount_percent: Discount = 0.0,
    source: Source = "auto",
    where: ObserveWhere,
    ways: PathwayOptions,
    costs: OverheadsOptions,
    forget: Annotated[
        str | None,
        options.output_option(metavar="FUNCTION", help="Delete what is kept of a function's logs."),
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Say what a function does and costs in production, without an invocation.

    It reads the function's log in CloudWatch, its settings and its metrics. It only reads, and says
    what log queries cost before and after. With --logs AWS isn't called, and the window is from the
    first to the last line. Lines that name no function count as FUNCTION's; other functions' lines
    are left out. What was read is kept in the state folder (REPORT fields, ids of requests and
    traces, error classes, digests of errors and of messages' ids, never text), so asking again is
    quick.
    """
    from tuner.report.observation import render, to_json

    if forget is not None:
        return _forget(forget, json=json)
    if function is None:
        raise UsageError("say which FUNCTION to observe")
    ways.check()
    check_beside("overheads", costs)
    if ways.needs_no_reading and not read.logs and not costs.overheads:
        ways.show(function, where.region, read.architecture, json=json)
        return 0
    event_source = files = live = None
    if read.logs:
        from tuner.api import observing

        files = read.files(function, where.region, discount_percent)
        found = observing.observe(files, state_dir=state_dir(), today=today(), progress=files_read)
    else:
        from tuner.api.observing_live import observe_live

        caller = read.caller()
        live = (where, caller)
        event_source = ways.source(function, where, caller)  # first: it costs nothing
        found = observe_live(read.live(function, where, source, discount_percent), caller)
    found = shown(found)
    sections = [
        *ways.sections(function, found, event_source),
        *costs.sections(function, found, files, live),
    ]
    show(found, partial(to_json, sections=sections), render, json=json)
    for each in () if json else sections:
        show_text(f"\n{each.text}")
    return 0


def _forget(function: str, *, json: bool) -> int:
    from tuner.api.observing import forget

    count = forget(function, state_dir=state_dir())
    if json:
        show_json({**headed("forgotten"), "function": function, "count": count})
    else:
        say(f"Forgot {count:,} reports of {function}.")
    return 0
