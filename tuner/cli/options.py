"""One vocabulary of options, so that a word means the same in every command.

Annotations are evaluated by typer, so nothing here is postponed.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import values

MEASURE = "What is measured"
GOAL = "What is wanted"
LIMITS = "What it may take"
WHERE = "Where"
OUTPUT = "Output"

FunctionName = Annotated[
    str, typer.Argument(metavar="FUNCTION", help="Name or ARN.", show_default=False)
]
Region = Annotated[
    str | None,
    typer.Option(
        parser=values.region,
        metavar="REGION",
        help="AWS region (else the profile's).",
        rich_help_panel=WHERE,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(help="Profile of the AWS configuration.", rich_help_panel=WHERE),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(help="Another endpoint of the Lambda API.", rich_help_panel=WHERE),
]
LocalTemplate = Annotated[
    Path | None,
    typer.Option(
        metavar="TEMPLATE",
        help="Run the functions of this SAM template on this machine: free, no account.",
        rich_help_panel=WHERE,
    ),
]
TemplateParameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME=VALUE",
        help="Value of one of the template's parameters (without it: its Default); repeatable.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
TemplateEnvironment = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME=VALUE",
        help="Value of an environment variable of the template's functions, in place of what the "
        "template says; repeatable.",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Build = Annotated[
    bool,
    typer.Option(
        "--build",
        help="Build the template's functions in copies of their folders: pip, npm, make, or what "
        "BuildMethod names (esbuild, go, cargo).",
        rich_help_panel=WHERE,
    ),
]
PayloadSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIZES",
        parser=values.event_sizes,
        help="Sizes of events from a schema: p50=2kB,p99=200kB, or one size.",
        rich_help_panel=MEASURE,
    ),
]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="Take files that are not JSON.", rich_help_panel=MEASURE),
]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside",
        help="Let payload sets name files outside their folder, and templates code outside their "
        "repository.",
        rich_help_panel=MEASURE,
    ),
]
Vary = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=V,V,…",
        help="Send events with each value of a parameter, of a source (batch_size=1,5,10) or of a "
        "template: a batch size is recommended with the memory, by the cost of a record.",
        rich_help_panel=MEASURE,
    ),
]
MinMemory = Annotated[
    int | None,
    typer.Option(
        metavar="MB",
        parser=values.memory_mb,
        help="Smallest size to consider (128 without it).",
        rich_help_panel=MEASURE,
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        metavar="MB",
        parser=values.memory_mb,
        help="Largest size to consider (10240 without it).",
        rich_help_panel=MEASURE,
    ),
]
# What is wanted has no default here: a sweep keeps the goal that it was made for.
GoalOption = Annotated[
    Literal["cost", "speed", "balanced"] | None,
    typer.Option(
        help="cost: cheapest; speed: fastest; balanced: 1 % of cost for 1 % of time (without it "
        "the sweep's own; of a new one: cost).",
        show_default=False,
        rich_help_panel=GOAL,
    ),
]
CostSlack = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        parser=values.ratio,
        help="How far from the best a size that is better otherwise may be: 2% or 0.02 "
        "(without it: 2%).",
        show_default=False,
        rich_help_panel=GOAL,
    ),
]
Tolerance = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        parser=values.ratio,
        help="Regret that you do not mind: 1% or 0.01 (without it: 1%).",
        show_default=False,
        rich_help_panel=GOAL,
    ),
]
MaxDuration = Annotated[
    float | None,
    typer.Option(
        metavar="TIME",
        parser=values.duration_ms,
        help="No size that is slower: 500ms or 2s.",
        rich_help_panel=GOAL,
    ),
]
Percentile = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        parser=values.percentile,
        help="95 shows p95 of every size; --max-duration then limits it instead of the mean.",
        rich_help_panel=GOAL,
    ),
]
MaxCostPerMillion = Annotated[
    float | None,
    typer.Option(
        metavar="USD",
        parser=values.amount_usd,
        help="No size at which a million invocations cost more.",
        rich_help_panel=GOAL,
    ),
]
ColdStartShare = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        parser=values.ratio,
        help="Share of cold starts in your traffic: 1% or 0.01 (without it: 1%).",
        show_default=False,
        rich_help_panel=GOAL,
    ),
]
AllowDifferentReplies = Annotated[
    bool,
    typer.Option(
        "--allow-different-replies",
        help="Recommend sizes too whose replies differ from the current size's, or are errors.",
        rich_help_panel=GOAL,
    ),
]
IsolationOption = Annotated[
    Literal["auto", "version", "clone"],
    typer.Option(
        help="version: sizes are published as versions of the function, then deleted. "
        "clone: a temporary copy is measured, the function is only read. "
        "auto: clone if anything reaches $LATEST.",
        rich_help_panel=LIMITS,
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
Yes = Annotated[
    bool, typer.Option("--yes", help="Agree to the plan and its cost.", rich_help_panel=LIMITS)
]
AllowSideEffects = Annotated[
    bool,
    typer.Option(
        "--allow-side-effects",
        help="Agree to what invocations may cause in queues and tables (--yes: to the cost only).",
        rich_help_panel=LIMITS,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and end.", rich_help_panel=LIMITS)
]
Rate = Annotated[
    float | None,
    typer.Option(
        metavar="N/s",
        parser=values.rate_per_s,
        help="Requests: 50/s, 3000/min, 5k/h or 1M/day.",
        rich_help_panel="Traffic",
    ),
]
PerMonth = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        parser=values.count,
        help="Requests a month: 30M or 500k.",
        rich_help_panel="Traffic",
    ),
]
MinSavingUsdPerMonth = Annotated[
    float,
    typer.Option(
        metavar="USD",
        parser=values.amount_or_nothing,
        help="No flag for a smaller saving a month, where the rate is known; a resize too.",
        rich_help_panel="Traffic",
    ),
]
MinSavingRatio = Annotated[
    float | None,
    typer.Option(
        parser=values.ratio,
        metavar="SHARE",
        help="No flag for a smaller share of Lambda's bill (without it 20% for leaving, any for "
        "a resize).",
        rich_help_panel="Traffic",
    ),
]
ReportFormat = Annotated[
    Literal["text", "json", "markdown", "html", "png", "svg"],
    typer.Option("--format", help="How to show it.", rich_help_panel=OUTPUT),
]
# Not called `out`: a folder's setting of that name is the sweep file that `tune` writes.
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="File to write, with --format html, png or svg (stdout without it).",
        rich_help_panel=OUTPUT,
    ),
]
JsonOutput = Annotated[
    bool, typer.Option("--json", help="Answer as one JSON object.", rich_help_panel=OUTPUT)
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Sweep file to write, its folder too (without it a new one in the state folder).",
        rich_help_panel=OUTPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace the sweep that --out holds already.", rich_help_panel=OUTPUT
    ),
]
DetailedExitcode = Annotated[
    bool,
    typer.Option(
        "--detailed-exitcode",
        help="Exit with 10 for a resize (or a change to be made), 12 if inconclusive.",
        rich_help_panel=OUTPUT,
    ),
]
