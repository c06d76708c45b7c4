"""`tuner observe`: what production says of a function, without an invocation.

Annotations are evaluated by typer, so nothing here is postponed.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tuner.cli import options, values
from tuner.cli.screen import say, show_json, show_text, width

EPILOG = """\
tuner observe resize-images --logs exported/

tuner observe resize-images --logs logs.json.gz --days 7 --json

tuner observe --forget resize-images"""


def observe(
    function: Annotated[
        str | None, typer.Argument(metavar="FUNCTION", help="Name or ARN.", show_default=False)
    ] = None,
    *,
    logs: Annotated[
        list[Path] | None,
        options.measure_option(
            "--logs",
            metavar="PATH",
            help="File or folder of logs, in any form that Lambda's logs come in; - reads stdin. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Any,
        options.measure_option(
            "--from", metavar="TIME", parser=values.moment, help="2026-11-01 or 2026-11-01T06:30Z."
        ),
    ] = None,
    end: Annotated[
        Any,
        options.measure_option(
            "--to", metavar="TIME", parser=values.moment_to, help="The same; of a day, its end."
        ),
    ] = None,
    days: Annotated[
        float | None,
        options.measure_option(
            "--days", metavar="N", min=0.0, help="Days counted back from the last line."
        ),
    ] = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        options.measure_option(help="Whose prices count (default: the logs', else x86_64)."),
    ] = None,
    discount_percent: Annotated[
        float,
        options.traffic_option(
            "--discount",
            metavar="PERCENT",
            parser=values.discount_percent,
            help="Off the list price, such as 12%.",
        ),
    ] = 0.0,
    region: Annotated[str | None, options.region_option("the ARN's, AWS_REGION, us-east-1")] = None,
    forget: Annotated[
        str | None,
        options.output_option(
            "--forget", metavar="FUNCTION", help="Delete what is kept of a function's logs."
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Say what a function does and costs in production, from its logs.

    With --logs AWS isn't called, and the window is from the first to the last line. Lines of files
    that name no function are taken for FUNCTION's; those of other functions are left out. What was
    read is kept in the state folder (REPORT fields, request ids and error classes, never messages),
    so that asking again is quick.
    """
    from tuner.api import observing
    from tuner.cli.config import state_dir, today
    from tuner.cli.flags import shown
    from tuner.errors import UsageError
    from tuner.report.observation import render, to_json

    if forget is not None:
        return _forget(forget, json=json)
    if function is None:
        raise UsageError("say which FUNCTION to observe")
    if not logs:
        raise UsageError("give --logs PATH: a file or a folder of the function's logs")
    found = shown(
        observing.observe(
            function,
            [Path("/dev/stdin") if str(each) == "-" else each for each in logs],
            start=start,
            end=end,
            days=days,
            region=region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
            architecture=architecture,
            discount_percent=discount_percent,
            state_dir=state_dir(),
            today=today(),
        )
    )
    if json:
        show_json(to_json(found))
    else:
        import sys

        show_text(render(found, width=width(), encoding=sys.stdout.encoding or "ascii"))
    return 0


def _forget(function: str, *, json: bool) -> int:
    from tuner.api.observing import forget
    from tuner.cli.config import state_dir

    count = forget(function, state_dir=state_dir())
    if json:
        show_json({"schema_version": 1, "kind": "forgotten", "function": function, "count": count})
    else:
        say(f"Forgot {count:,} reports of {function}.")
    return 0
