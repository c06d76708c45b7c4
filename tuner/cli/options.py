"""Every option once, so that it means the same in every command."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from tuner.cli import values
from tuner.cli.help import SETTINGS

measure_option = partial(typer.Option, rich_help_panel="What to measure")
goal_option = partial(typer.Option, rich_help_panel="Goal")
limits_option = partial(typer.Option, rich_help_panel="Limits and safety")
where_option = partial(typer.Option, rich_help_panel="Where it runs")
output_option = partial(typer.Option, rich_help_panel="Output")
traffic_option = partial(typer.Option, rich_help_panel="Traffic and money")
# What hardly anyone needs: a line of names in help, told of in docs/settings.md.
setting = partial(typer.Option, rich_help_panel=SETTINGS, hidden=True)

# How the values of several options are shown and read.
SHARE: Final[dict[str, Any]] = {"metavar": "SHARE", "parser": values.ratio}
SIZE_MB: Final[dict[str, Any]] = {"metavar": "MB", "parser": values.memory_mb}
SIZES_MB: Final[dict[str, Any]] = {"metavar": "MB,MB,…", "parser": values.memory_sizes_mb}
TIME: Final[dict[str, Any]] = {"metavar": "TIME", "parser": values.duration_ms}
AMOUNT: Final[dict[str, Any]] = {"metavar": "USD", "parser": values.amount_usd}
AMOUNT_OR_NOTHING: Final[dict[str, Any]] = {"metavar": "USD", "parser": values.amount_or_nothing}

FunctionName = Annotated[str, typer.Argument(metavar="FUNCTION", help="Name or ARN.")]


def region_option(otherwise: str) -> Any:
    """`--region`, saying what is used without it."""
    return where_option(
        parser=values.region, metavar="REGION", help=f"AWS region (default: {otherwise})."
    )


def without_settings(*names: str, beside: Callable[[Any], bool] = bool) -> dict[str, Any]:
    """For an option beside which (if it's given, or by its value) others mean nothing: if a
    variable or a file sets them for all commands, they don't count.
    """

    def leave_out(context: typer.Context, value: Any) -> Any:
        if beside(value):
            settings = context.default_map or {}
            context.default_map = {name: settings[name] for name in settings.keys() - {*names}}
        return value

    return {"callback": leave_out, "is_eager": True}


def out_option(what: str) -> Any:
    """`--out`, saying what is written there. Its parameter isn't called `out`: a setting of that
    name is the sweep file that `tune` writes.
    """
    return output_option("--out", metavar="FILE", help=what)


def exit_code_option(what: str) -> Any:
    """`--detailed-exitcode`, saying which codes it adds."""
    return output_option("--detailed-exitcode", help=what)


Region = Annotated[str | None, region_option("the profile's")]
Profile = Annotated[
    str | None, where_option(metavar="NAME", help="Profile of the AWS configuration.")
]
ReportFile = Annotated[
    Path | None, out_option("File to write, with --format html, png or svg (default: stdout).")
]
PageFile = Annotated[
    Path | None, out_option("File to write, with --format html (default: stdout).")
]
EndpointUrl = Annotated[
    str | None, where_option(metavar="URL", help="Use this Lambda API endpoint.")
]
LocalTemplate = Annotated[
    Path | None,
    where_option(
        **without_settings("profile", "endpoint_url"),
        parser=values.template,
        metavar="TEMPLATE",
        help="Run this SAM template's functions on this machine. No account is needed; demo is "
        "the example template.",
    ),
]
TemplateParameters = Annotated[
    list[str] | None,
    where_option(
        metavar="NAME=VALUE",
        help="Value of a template parameter (default: its Default). Repeatable.",
    ),
]
TemplateEnvironment = Annotated[
    list[str] | None,
    where_option(
        metavar="NAME=VALUE",
        help="Environment variable of the template's functions, overriding the template's. "
        "Repeatable.",
    ),
]
Build = Annotated[
    bool,
    where_option(
        "--build",
        help="Build the template's functions first. Runs pip, npm, make, or what BuildMethod "
        "names (esbuild, go, cargo), in copies of their folders.",
    ),
]
# `tune` says more of it.
Payload = Annotated[
    list[str] | None,
    measure_option(
        metavar="FILE|FOLDER|JSON",
        help="Event to send, or what makes events, as for tuner tune (default: {}). Repeatable.",
    ),
]
PayloadSize = Annotated[
    str | None,
    measure_option(
        metavar="SIZES",
        parser=values.event_sizes,
        help="Size of events made from a schema: 2kB, or p50=2kB,p99=200kB.",
    ),
]
Raw = Annotated[bool, measure_option("--raw", help="Accept payload files that aren't JSON.")]
AllowOutside = Annotated[
    bool,
    measure_option(
        "--allow-outside",
        help="Let payload sets use files outside their folder, and templates use code outside "
        "their repository.",
    ),
]
Vary = Annotated[
    str | None,
    measure_option(
        metavar="NAME=V,V,…",
        help="Send events with each value of a parameter, such as batch_size=1,5,10. The best "
        "value is recommended together with the memory, by the cost of a record.",
    ),
]
MinMemory = Annotated[
    int | None, measure_option(**SIZE_MB, help="Smallest size to consider (default: 128).")
]
MaxMemory = Annotated[
    int | None, measure_option(**SIZE_MB, help="Largest size to consider (default: 10240).")
]
# The goal has no default here: a sweep keeps its own.
GoalOption = Annotated[
    Literal["cost", "speed", "balanced"] | None,
    goal_option(
        metavar="cost|speed|balanced",
        help="What best means (default: cost). cost: a size twice as fast may cost 7% more; "
        "balanced: twice as much; speed: the fastest. A saved sweep keeps its own.",
    ),
]
TimeWeight = Annotated[
    float | None,
    goal_option(
        metavar="WEIGHT",
        parser=values.time_weight,
        help="The goal as a number, 0 to 1000. It's how many percent of cost one percent of time "
        "is worth: 0 is the plain cheapest, the goals are 0.1, 1 (balanced) and 10 (speed).",
    ),
]
CostSlack = Annotated[float | None, goal_option(parser=values.no_slack, hidden=True)]
Tolerance = Annotated[
    float | None,
    goal_option(**SHARE, help="A difference that doesn't matter to you: 1% or 0.01 (default: 1%)."),
]
MaxDuration = Annotated[
    float | None, goal_option(**TIME, help="Longest mean duration: 500ms or 2s.")
]
Percentile = Annotated[
    float | None,
    goal_option(
        metavar="P",
        parser=values.percentile,
        help="--max-duration limits this percentile, not the mean. 95 also shows every size's p95.",
    ),
]
MaxCostPerMillion = Annotated[
    float | None, goal_option(**AMOUNT, help="Highest cost of a million invocations.")
]
ColdStartShare = Annotated[
    float | None,
    goal_option(
        **SHARE,
        help="Share of cold starts in your traffic: 1% or 0.01 (default: as observed, or 1%).",
    ),
]
AllowDifferentReplies = Annotated[
    bool,
    setting(
        "--allow-different-replies",
        help="Allow sizes whose replies differ from the current size's, or are errors.",
    ),
]
IsolationOption = Annotated[
    Literal["auto", "version", "clone"],
    limits_option(
        metavar="MODE",
        help="auto, version or clone (default: auto). version publishes sizes as versions and "
        "deletes them; clone measures a temporary copy and only reads the function; auto clones if "
        "anything reaches $LATEST.",
    ),
]
LeftFunction = Annotated[
    str | None,
    typer.Option(
        metavar="FUNCTION",
        help="Only this function, even if its sweep ran on another machine that's gone.",
    ),
]
TakeOver = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SWEEP_ID",
        help="Also undo what this sweep left: it is not running on any machine. Repeatable.",
    ),
]
BudgetUsd = Annotated[float | None, limits_option(**AMOUNT, help="Limit on dollars spent.")]
Yes = Annotated[bool, limits_option("--yes", help="Agree to the plan and any cost; don't ask.")]
AllowSideEffects = Annotated[
    bool,
    limits_option(
        "--allow-side-effects",
        help="Agree to what invocations may trigger, such as queue messages. --yes agrees to the "
        "cost only.",
    ),
]
DryRun = Annotated[bool, limits_option("--dry-run", help="Show the plan and any cost, then end.")]
Rate = Annotated[
    float | None,
    traffic_option(
        metavar="N/s",
        parser=values.rate_per_s,
        help="Request rate: 50/s, 3000/min, 1M/day or 30M/month.",
    ),
]
PerMonth = Annotated[
    float | None,
    traffic_option(metavar="N", parser=values.count, help="Requests a month: 30M or 500k."),
]
MinSavingUsdPerMonth = Annotated[
    float,
    setting(
        **AMOUNT_OR_NOTHING,
        help="Don't recommend leaving Lambda, or a resize, for a smaller monthly saving.",
    ),
]
MinSavingRatio = Annotated[
    float | None,
    setting(
        **SHARE,
        help="Don't recommend leaving Lambda, or a resize, for a smaller share of the bill. "
        "Default: 20% for leaving, any for a resize.",
    ),
]
ReportFormat = Annotated[
    Literal["text", "json", "markdown", "html", "png", "svg"],
    output_option("--format", help="What to write."),
]
TableFormat = Annotated[
    Literal["text", "json", "csv", "html"], output_option("--format", help="What to write.")
]
Explain = Annotated[
    bool, output_option("--explain", help="Also show every size, the curves and all assumptions.")
]
JsonOutput = Annotated[
    bool,
    output_option("--json", **without_settings("format_name"), help="Print one JSON object."),
]
Out = Annotated[
    Path | None,
    output_option(
        metavar="FILE", help="Sweep file to write (default: a new one in the state folder)."
    ),
]
Force = Annotated[bool, output_option("--force", help="Replace the sweep that --out already has.")]
DetailedExitcode = Annotated[
    bool, exit_code_option("Exit with 10 for a resize (or a change to make), 12 if inconclusive.")
]
