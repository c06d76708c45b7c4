"""One vocabulary of options, so that a word means the same in every command.

Annotations are evaluated by typer, so nothing here is postponed.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import values

measure_option = partial(typer.Option, rich_help_panel="What is measured")
goal_option = partial(typer.Option, rich_help_panel="What is wanted")
limits_option = partial(typer.Option, rich_help_panel="What it may take")
where_option = partial(typer.Option, rich_help_panel="Where")
output_option = partial(typer.Option, rich_help_panel="Output")
traffic_option = partial(typer.Option, rich_help_panel="Traffic")

FunctionName = Annotated[
    str, typer.Argument(metavar="FUNCTION", help="Name or ARN.", show_default=False)
]
Region = Annotated[
    str | None,
    where_option(parser=values.region, metavar="REGION", help="AWS region (else the profile's)."),
]
Profile = Annotated[str | None, where_option(help="Profile of the AWS configuration.")]
EndpointUrl = Annotated[str | None, where_option(help="Another endpoint of the Lambda API.")]
LocalTemplate = Annotated[
    Path | None,
    where_option(
        parser=values.template,
        metavar="TEMPLATE",
        help="Run the functions of this SAM template on this machine: free, no account (demo: the "
        "examples').",
    ),
]
TemplateParameters = Annotated[
    list[str] | None,
    where_option(
        "--parameter",
        metavar="NAME=VALUE",
        help="Value of one of the template's parameters (without it: its Default); repeatable.",
        show_default=False,
    ),
]
TemplateEnvironment = Annotated[
    list[str] | None,
    where_option(
        "--env",
        metavar="NAME=VALUE",
        help="Value of an environment variable of the template's functions, in place of what the "
        "template says; repeatable.",
        show_default=False,
    ),
]
Build = Annotated[
    bool,
    where_option(
        "--build",
        help="Build the template's functions in copies of their folders: pip, npm, make, or what "
        "BuildMethod names (esbuild, go, cargo).",
    ),
]
PayloadSize = Annotated[
    str | None,
    measure_option(
        metavar="SIZES",
        parser=values.event_sizes,
        help="Sizes of events from a schema: p50=2kB,p99=200kB, or one size.",
    ),
]
Raw = Annotated[bool, measure_option("--raw", help="Take files that are not JSON.")]
AllowOutside = Annotated[
    bool,
    measure_option(
        "--allow-outside",
        help="Let payload sets name files outside their folder, and templates code outside their "
        "repository.",
    ),
]
Vary = Annotated[
    str | None,
    measure_option(
        metavar="NAME=V,V,…",
        help="Send events with each value of a parameter, of a source (batch_size=1,5,10) or of a "
        "template: a batch size is recommended with the memory, by the cost of a record.",
    ),
]
MinMemory = Annotated[
    int | None,
    measure_option(
        metavar="MB", parser=values.memory_mb, help="Smallest size to consider (128 without it)."
    ),
]
MaxMemory = Annotated[
    int | None,
    measure_option(
        metavar="MB", parser=values.memory_mb, help="Largest size to consider (10240 without it)."
    ),
]
# What is wanted has no default here: a sweep keeps the goal that it was made for.
GoalOption = Annotated[
    Literal["cost", "speed", "balanced"] | None,
    goal_option(
        help="cost: cheapest; speed: fastest; balanced: 1 % of cost for 1 % of time (without it "
        "the sweep's own; of a new one: cost).",
        show_default=False,
    ),
]
TimeWeight = Annotated[
    float | None,
    goal_option(
        metavar="WEIGHT",
        parser=values.time_weight,
        help="How many % of cost 1 % of time is worth, 0 to 1000; 0: the plain cheapest (without "
        "it the goal's: cost 0.1, balanced 1, speed 10).",
        show_default=False,
    ),
]
CostSlack = Annotated[
    float | None, goal_option(parser=values.no_slack, hidden=True, show_default=False)
]
Tolerance = Annotated[
    float | None,
    goal_option(
        metavar="SHARE",
        parser=values.ratio,
        help="Regret that you do not mind: 1% or 0.01 (without it: 1%).",
        show_default=False,
    ),
]
MaxDuration = Annotated[
    float | None,
    goal_option(
        metavar="TIME", parser=values.duration_ms, help="No size that is slower: 500ms or 2s."
    ),
]
Percentile = Annotated[
    float | None,
    goal_option(
        metavar="P",
        parser=values.percentile,
        help="95 shows p95 of every size; --max-duration then limits it instead of the mean.",
    ),
]
MaxCostPerMillion = Annotated[
    float | None,
    goal_option(
        metavar="USD",
        parser=values.amount_usd,
        help="No size at which a million invocations cost more.",
    ),
]
ColdStartShare = Annotated[
    float | None,
    goal_option(
        metavar="SHARE",
        parser=values.ratio,
        help="Share of cold starts in your traffic: 1% or 0.01 (without it: 1%).",
        show_default=False,
    ),
]
AllowDifferentReplies = Annotated[
    bool,
    goal_option(
        "--allow-different-replies",
        help="Recommend sizes too whose replies differ from the current size's, or are errors.",
    ),
]
IsolationOption = Annotated[
    Literal["auto", "version", "clone"],
    limits_option(
        help="version: sizes are published as versions of the function, then deleted. "
        "clone: a temporary copy is measured, the function is only read. "
        "auto: clone if anything reaches $LATEST."
    ),
]
LeftFunction = Annotated[
    str | None,
    typer.Option(
        "--function",
        metavar="FUNCTION",
        help="Only this function, also where its sweep ran on another machine that is gone.",
    ),
]
TakeOver = Annotated[
    list[str] | None,
    typer.Option(
        "--take-over",
        metavar="SWEEP_ID",
        help="Put right what this sweep left too: it is not running on any machine. Repeatable.",
    ),
]
Yes = Annotated[bool, limits_option("--yes", help="Agree to the plan and its cost.")]
AllowSideEffects = Annotated[
    bool,
    limits_option(
        "--allow-side-effects",
        help="Agree to what invocations may cause in queues and tables (--yes: to the cost only).",
    ),
]
DryRun = Annotated[bool, limits_option("--dry-run", help="Show the plan and end.")]
Rate = Annotated[
    float | None,
    traffic_option(
        metavar="N/s", parser=values.rate_per_s, help="Requests: 50/s, 3000/min, 5k/h or 1M/day."
    ),
]
PerMonth = Annotated[
    float | None,
    traffic_option(metavar="N", parser=values.count, help="Requests a month: 30M or 500k."),
]
MinSavingUsdPerMonth = Annotated[
    float,
    traffic_option(
        metavar="USD",
        parser=values.amount_or_nothing,
        help="No flag for a smaller saving a month, where the rate is known; a resize too.",
    ),
]
MinSavingRatio = Annotated[
    float | None,
    traffic_option(
        parser=values.ratio,
        metavar="SHARE",
        help="No flag for a smaller share of Lambda's bill (without it 20% for leaving, any for "
        "a resize).",
    ),
]
ReportFormat = Annotated[
    Literal["text", "json", "markdown", "html", "png", "svg"],
    output_option("--format", help="How to show it."),
]
# Not called `out`: a folder's setting of that name is the sweep file that `tune` writes.
ReportFile = Annotated[
    Path | None,
    output_option(
        "--out",
        metavar="FILE",
        help="File to write, with --format html, png or svg (stdout without it).",
    ),
]
JsonOutput = Annotated[bool, output_option("--json", help="Answer as one JSON object.")]
Out = Annotated[
    Path | None,
    output_option(
        metavar="FILE",
        help="Sweep file to write, its folder too (without it a new one in the state folder).",
    ),
]
Force = Annotated[
    bool, output_option("--force", help="Replace the sweep that --out holds already.")
]
DetailedExitcode = Annotated[
    bool,
    output_option(
        "--detailed-exitcode",
        help="Exit with 10 for a resize (or a change to be made), 12 if inconclusive.",
    ),
]
