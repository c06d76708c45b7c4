"""`tuner watch`: what runs away, by what evidence, what it costs an hour, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuner.cli import options, picture, values
from tuner.cli.flags import shown
from tuner.cli.groups import spread
from tuner.cli.observe import ObserveWhere
from tuner.cli.reading import Discount, ReadOptions, Source
from tuner.cli.screen import encoding, say, show, show_json, show_text, width
from tuner.errors import TunerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.reading import Caller, FilesRequest, LiveRequest

EPILOG = """\
tuner watch resize-images --logs exported/

tuner watch resize-images send-mail --live --days 28 --json

tuner watch resize-images --logs exported/ --detailed-exitcode

tuner watch resize-images --live --alarms cloudformation --out alarms.yaml

tuner watch resize-images --live --stop-at 20usd/h"""

COMMON = (
    *("functions", "logs", "live", "days", "alarms", "out_file", "stop_at", "region", "json"),
    "detailed_exitcode",
)
"""What the short help shows."""
FOUND = 13
"""The exit code of a warning or an error with --detailed-exitcode."""


@spread
def watch(
    functions: Annotated[list[str], typer.Argument(metavar="FUNCTION…", help="Names or ARNs.")],
    *,
    read: ReadOptions,
    live: Annotated[
        bool, options.measure_option("--live", help="Read CloudWatch (the default without --logs).")
    ] = False,
    discount_percent: Discount = 0.0,
    source: Source = "auto",
    where: ObserveWhere,
    alarms: Annotated[
        Literal["cloudformation", "terraform"] | None,
        options.output_option(
            help="Write alarms instead, with thresholds from the history, and replay them on it."
        ),
    ] = None,
    out_file: Annotated[
        Path | None, options.out_option("With --alarms: write them there (default: stdout).")
    ] = None,
    stop_at: Annotated[
        Any,
        options.limits_option(
            metavar="USD/h",
            parser=values.usd_per_hour,
            help="With --live: stop a function (reserved concurrency 0) that costs this much an "
            "hour or more, such as 20usd/h, once you or --yes agree. tuner recover undoes it.",
        ),
    ] = None,
    json: options.JsonOutput = False,
    detailed_exitcode: Annotated[
        bool, options.exit_code_option("Exit with 13 where a warning or an error was found.")
    ] = False,
) -> int:
    """Say which functions run away: recursion, poison messages, retries, queues that never drain.

    Each finding has its evidence, what it costs an hour now, and what to do. A function is held
    against its own history: under two weeks of it no weekly season is assumed, and what can't be
    judged is said. It only reads, but for --stop-at.
    """
    if live and read.logs:
        raise UsageError("--live reads CloudWatch and --logs files: give one of them")
    if out_file is not None and alarms is None:
        raise UsageError("--out is for the file of --alarms: give that too")
    if stop_at is not None and (not live or alarms is not None):
        raise UsageError("--stop-at goes with --live, and not with --alarms")
    picture.check_out(out_file)
    stops: list[dict[str, Any]] | None = None
    request = read.request(where, source, discount_percent)
    if alarms is not None:
        return _write_alarms(
            functions, request, read.caller(), format_name=alarms, out_file=out_file, json=json
        )
    from tuner.api.reading import LiveRequest
    from tuner.api.watching import watch as watched
    from tuner.cli.stop import add_stops, stop_over
    from tuner.report.watch import render, to_json

    if stop_at is not None:
        assert isinstance(request, LiveRequest)  # --stop-at goes with --live
        stops = stop_over(functions, request, read, limit_usd_per_hour=stop_at, json=json)
    try:
        found = watched(functions, request, read.caller())
    except TunerError as error:
        if stops:
            add_stops(error, stops)
        raise
    beside = {} if stops is None else {"stops": stops}
    show(found, lambda each: to_json(each) | beside, render, json=json)
    return FOUND if detailed_exitcode and found.is_alarming else 0


def _write_alarms(
    functions: "Sequence[str]",
    request: "FilesRequest | LiveRequest",
    caller: "Caller",
    *,
    format_name: Literal["cloudformation", "terraform"],
    out_file: Path | None,
    json: bool,
) -> int:
    """Write the file to `out_file` or stdout, and the replay to stdout or stderr.

    Raises what reading raises, and InputError for a file that can't be written.
    """
    from tuner.api.alarming import RENDERERS, alarms
    from tuner.report.alarms import render, to_json

    found = shown(alarms(functions, request, caller))
    text = RENDERERS[format_name](found)
    if out_file is not None:
        picture.write(text.encode(), out_file)
    if json:
        file = None if out_file is None else str(out_file)
        show_json(to_json(found, format_name=format_name, file=file, text=text))
        return 0
    table = render(found, width=width(), encoding=encoding())
    if out_file is not None:
        show_text(f"{table}\nWritten to {out_file}.\n")
        return 0
    show_text(text)
    for line in table.splitlines():
        say(line)
    return 0
