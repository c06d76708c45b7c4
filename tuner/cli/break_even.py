"""`tuner break-even`: from which traffic on a function is cheaper elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import options, values

EPILOG = """\
tuner break-even resize-images --rate 50/s

tuner break-even sweep.jsonl --per-month 30M --trigger queue

tuner break-even resize-images --traffic cloudwatch --days 14

tuner break-even resize-images --traffic traffic.csv --format json

tuner break-even resize-images --rate 50/s --format svg --out costs.svg"""

TRAFFIC = "Traffic"
TERMS = "Terms"


def break_even(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="Sweep file, or a function's name for its newest."),
    ],
    *,
    rate: options.Rate = None,
    per_month: options.PerMonth = None,
    traffic: Annotated[
        str | None,
        typer.Option(
            metavar="CSV|cloudwatch",
            help="Load by hour (hour,requests), or the function's own by minute.",
            rich_help_panel=TRAFFIC,
        ),
    ] = None,
    days: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Days of --traffic cloudwatch, at most 15.",
            rich_help_panel=TRAFFIC,
        ),
    ] = 14,
    peak_ratio: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            help="Peak over the mean (3 without it; 1 with --traffic).",
            rich_help_panel=TRAFFIC,
        ),
    ] = None,
    trigger: Annotated[
        Literal["http", "queue", "stream", "schedule"],
        typer.Option(help="http needs a load balancer elsewhere.", rich_help_panel=TERMS),
    ] = "http",
    utilization: Annotated[
        float,
        typer.Option(
            parser=values.ratio,
            metavar="SHARE",
            help="Of a fleet's vCPUs, that the peak may fill.",
            rich_help_panel=TERMS,
        ),
    ] = 0.6,
    container_concurrency: Annotated[
        float,
        typer.Option(help="Requests that a process holds while they wait.", rich_help_panel=TERMS),
    ] = 10.0,
    arm_speed: Annotated[
        float,
        typer.Option(
            metavar="TIMES",
            help="Speed of an arm vCPU over an x86 one for this code.",
            rich_help_panel=TERMS,
        ),
    ] = 1.0,
    provisioned: Annotated[
        bool,
        typer.Option(
            "--provisioned/--no-provisioned",
            help="Price Lambda with provisioned concurrency where that is cheaper.",
            rich_help_panel=TERMS,
        ),
    ] = True,
    needs_gpu: Annotated[
        bool,
        typer.Option("--needs-gpu", help="The work gains from a GPU.", rich_help_panel=TERMS),
    ] = False,
    spot_share: Annotated[
        float,
        typer.Option(
            parser=values.ratio,
            metavar="SHARE",
            help="Share of Fargate tasks on Spot.",
            rich_help_panel=TERMS,
        ),
    ] = 0.0,
    savings_plan: Annotated[
        bool,
        typer.Option(
            "--savings-plan",
            help="One-year Compute Savings Plan, no upfront, for Lambda and Fargate.",
            rich_help_panel=TERMS,
        ),
    ] = False,
    nat: Annotated[
        bool,
        typer.Option("--nat", help="NAT instead of public addresses.", rich_help_panel=TERMS),
    ] = False,
    account_gb_seconds: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="The account's GB-seconds a month besides: counts price tiers and free tier.",
            rich_help_panel=TERMS,
        ),
    ] = None,
    gateway_usd_per_million: Annotated[
        float,
        typer.Option(
            min=0,
            help="Your API gateway's own price.",
            rich_help_panel=TERMS,
        ),
    ] = 0.0,
    api_gateway: Annotated[
        bool,
        typer.Option(
            "--api-gateway",
            help="An HTTP API at list price before Lambda (without it a function URL).",
            rich_help_panel=TERMS,
        ),
    ] = False,
    load_balancer_usd_per_month: Annotated[
        float | None,
        typer.Option(min=0, help="In place of the list price.", rich_help_panel=TERMS),
    ] = None,
    log_kb_per_request: Annotated[
        float,
        typer.Option(
            metavar="KB",
            min=0,
            help="Log lines of a request, billed everywhere (0: left out).",
            rich_help_panel=TERMS,
        ),
    ] = 0.0,
    ops_cost_usd: Annotated[
        float,
        typer.Option(min=0, help="What operating a fleet costs a month.", rich_help_panel=TERMS),
    ] = 0.0,
    migration_cost_usd: Annotated[
        float | None,
        typer.Option(min=0, help="What the move costs: gives payback.", rich_help_panel=TERMS),
    ] = None,
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0,
    min_saving_ratio: options.MinSavingRatio = None,
    format_name: Annotated[
        Literal["text", "json", "markdown", "png", "svg"],
        typer.Option("--format", help="How to show it.", rich_help_panel=options.OUTPUT),
    ] = "text",
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Figure to write, with --format png or svg (stdout without it).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    bill: Annotated[
        bool,
        typer.Option(
            "--bill", help="Show what each cost adds up from.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    json: options.JsonOutput = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="Exit with 11 for leaving Lambda, 12 for too close to call.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
) -> int:
    """Compare Lambda with Fargate, EC2 and Managed Instances, from a saved sweep.

    Without a rate the break-even rate is stated alone. A flag needs a saving of 50 dollars and
    20 % of Lambda's bill a month, sure in 95 % of what may be. Nothing is asked of AWS but, with
    --traffic cloudwatch, the function's invocations and concurrency of the last days.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.api.breakeven import break_even as answer_of  # noqa: PLC0415 - as above
    from tuner.breakeven.question import Terms  # noqa: PLC0415 - as above
    from tuner.cli import picture  # noqa: PLC0415 - as above
    from tuner.cli.clock import today  # noqa: PLC0415 - as above
    from tuner.cli.screen import show_break_even  # noqa: PLC0415 - as above
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
    from tuner.cli.traffic import Source, traffic_of  # noqa: PLC0415 - as above

    shown = "json" if json else format_name
    is_picture = picture.check(shown, out_file, sweep_count=1, formats=("png", "svg"))
    found = api.load_sweep(sweep, state_dir=state_dir())
    source = Source(traffic, days, region=region, profile=profile, endpoint_url=endpoint_url)
    terms = Terms(
        traffic=traffic_of(rate, per_month, source, peak_ratio, sweep=found),
        trigger=trigger,
        utilization=utilization,
        container_concurrency=container_concurrency,
        spot_share=spot_share,
        savings_plan=savings_plan,
        nat=nat,
        account_gb_seconds=account_gb_seconds,
        ops_cost_usd=ops_cost_usd,
        gateway_usd_per_million=None
        if api_gateway and not gateway_usd_per_million
        else gateway_usd_per_million,
        load_balancer_usd_per_month=load_balancer_usd_per_month,
        migration_cost_usd=migration_cost_usd,
        min_saving_usd_per_month=min_saving_usd_per_month,
        min_saving_ratio=min_saving_ratio,
        provisioned=provisioned,
        log_kb_per_request=log_kb_per_request,
        arm_speed=arm_speed,
        needs_gpu=needs_gpu,
    )
    answer = answer_of(found, terms, today=today())
    if is_picture:
        picture.show_break_even(answer, shown, out_file)
    else:
        show_break_even(answer, shown, with_bill=bill)
    if not detailed_exitcode:
        return 0
    return {"stay": 0, "too-close": 12, None: 0}.get(answer.verdict, 11)
