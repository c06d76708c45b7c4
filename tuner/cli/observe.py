"""`tuner observe`: what production says about a function, without an invocation.

typer evaluates annotations, so nothing here is postponed.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options, values
from tuner.cli.reading import (
    Days,
    ReadingBudget,
    Source,
    WindowEnd,
    WindowStart,
    agreement,
    files_read,
)
from tuner.cli.screen import say, show_json, show_text, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.api.observing_live import LiveRequest
    from tuner.model.account import ReadingCost
    from tuner.model.observation import Observation

EPILOG = """\
tuner observe resize-images

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
    start: WindowStart = None,
    end: WindowEnd = None,
    days: Days = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        options.measure_option(
            help="With --logs: whose prices count (default: the logs', else x86_64)."
        ),
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
    source: Source = "auto",
    region: Annotated[
        str | None, options.region_option("the ARN's or the profile's; with --logs us-east-1")
    ] = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    budget_usd: ReadingBudget = 1.0,
    yes: options.Yes = False,
    forget: Annotated[
        str | None,
        options.output_option(
            "--forget", metavar="FUNCTION", help="Delete what is kept of a function's logs."
        ),
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Say what a function does and costs in production, without an invocation.

    It reads the function's log in CloudWatch, its settings and its metrics. It only reads, and says
    what log queries cost before and after. With --logs AWS isn't called, and the window is from the
    first to the last line. Lines that name no function count as FUNCTION's; other functions' lines
    are left out. What was read is kept in the state folder (REPORT fields, request ids and error
    classes, never messages), so asking again is quick.
    """
    from tuner.api import observing
    from tuner.cli.config import state_dir, today
    from tuner.cli.flags import shown
    from tuner.errors import UsageError

    if forget is not None:
        return _forget(forget, json=json)
    if function is None:
        raise UsageError("say which FUNCTION to observe")
    if not logs:
        if start is not None or end is not None:
            raise UsageError("--from and --to are for --logs: give --days")
        from tuner.api.observing_live import LiveRequest

        request = LiveRequest(
            function,
            region=region,
            profile=profile,
            endpoint_url=endpoint_url,
            days=14 if days is None else days,
            source=source,
            discount_percent=discount_percent,
        )
        agree = agreement(budget_usd=budget_usd, yes=yes)
        _show(shown(_of_account(request, agree)), json=json)
        return 0
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
            progress=files_read,
        )
    )
    _show(found, json=json)
    return 0


def _of_account(request: "LiveRequest", agree: "Callable[[ReadingCost], bool]") -> "Observation":
    from datetime import UTC, datetime

    from tuner.api.observing_live import observe_live
    from tuner.cli.config import state_dir

    return observe_live(
        request, state_dir=state_dir(), now=datetime.now(UTC), agree=agree, tell=say
    )


def _show(found: "Observation", *, json: bool) -> None:
    import sys

    from tuner.report.observation import render, to_json

    if json:
        show_json(to_json(found))
    else:
        show_text(render(found, width=width(), encoding=sys.stdout.encoding or "ascii"))


def _forget(function: str, *, json: bool) -> int:
    from tuner.api.observing import forget
    from tuner.cli.config import state_dir

    count = forget(function, state_dir=state_dir())
    if json:
        show_json({"schema_version": 1, "kind": "forgotten", "function": function, "count": count})
    else:
        say(f"Forgot {count:,} reports of {function}.")
    return 0
