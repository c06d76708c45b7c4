"""The options of `tuner break-even`: which traffic, and on which terms.

Annotations are evaluated by typer, so nothing here is postponed.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options, values

if TYPE_CHECKING:
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.traffic import Traffic
    from tuner.model.sweep import Sweep

TRAFFIC = "Traffic"
TERMS = "Terms"


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How often the function is invoked, at most one way of saying so."""

    rate: options.Rate = None
    per_month: options.PerMonth = None
    traffic: Annotated[
        str | None,
        typer.Option(
            metavar="CSV|cloudwatch",
            help="Load by hour (hour,requests), or the function's own by minute.",
            rich_help_panel=TRAFFIC,
        ),
    ] = None
    days: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Days of --traffic cloudwatch, at most 15.",
            rich_help_panel=TRAFFIC,
        ),
    ] = 14
    peak_ratio: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            help="Peak over the mean (3 without it; 1 with --traffic).",
            rich_help_panel=TRAFFIC,
        ),
    ] = None

    def of(
        self,
        sweep: "Sweep",
        *,
        region: str | None,
        profile: str | None,
        endpoint_url: str | None,
    ) -> "Traffic":
        """Return the traffic; CloudWatch is asked for the swept function's. Raises InputError."""
        from tuner.cli.traffic import Source, traffic_of  # noqa: PLC0415 - not needed for --help

        source = Source(
            self.traffic, self.days, region=region, profile=profile, endpoint_url=endpoint_url
        )
        return traffic_of(self.rate, self.per_month, source, self.peak_ratio, sweep=sweep)


@dataclass(frozen=True, slots=True)
class TermsOptions:
    """What is compared, and how."""

    trigger: Annotated[
        Literal["http", "queue", "stream", "schedule"],
        typer.Option(help="http needs a load balancer elsewhere.", rich_help_panel=TERMS),
    ] = "http"
    utilization: Annotated[
        float,
        typer.Option(
            parser=values.ratio,
            metavar="SHARE",
            help="Of a fleet's vCPUs, that the peak may fill.",
            rich_help_panel=TERMS,
        ),
    ] = 0.6
    container_concurrency: Annotated[
        float,
        typer.Option(help="Requests that a process holds while they wait.", rich_help_panel=TERMS),
    ] = 10.0
    arm_speed: Annotated[
        float,
        typer.Option(
            metavar="TIMES",
            help="Speed of an arm vCPU over an x86 one for this code.",
            rich_help_panel=TERMS,
        ),
    ] = 1.0
    provisioned: Annotated[
        bool,
        typer.Option(
            "--provisioned/--no-provisioned",
            help="Price Lambda with provisioned concurrency where that is cheaper.",
            rich_help_panel=TERMS,
        ),
    ] = True
    needs_gpu: Annotated[
        bool,
        typer.Option("--needs-gpu", help="The work gains from a GPU.", rich_help_panel=TERMS),
    ] = False
    spot_share: Annotated[
        float,
        typer.Option(
            parser=values.ratio,
            metavar="SHARE",
            help="Share of Fargate tasks on Spot.",
            rich_help_panel=TERMS,
        ),
    ] = 0.0
    savings_plan: Annotated[
        bool,
        typer.Option(
            "--savings-plan",
            help="One-year Compute Savings Plan, no upfront, for Lambda and Fargate.",
            rich_help_panel=TERMS,
        ),
    ] = False
    nat: Annotated[
        bool,
        typer.Option("--nat", help="NAT instead of public addresses.", rich_help_panel=TERMS),
    ] = False
    account_gb_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="GB-S",
            parser=values.amount_or_nothing,
            help="The account's GB-seconds a month besides: counts price tiers and free tier.",
            rich_help_panel=TERMS,
        ),
    ] = None
    gateway_usd_per_million: Annotated[
        float,
        typer.Option(
            metavar="USD",
            parser=values.amount_or_nothing,
            help="Your API gateway's own price.",
            rich_help_panel=TERMS,
        ),
    ] = 0.0
    api_gateway: Annotated[
        bool,
        typer.Option(
            "--api-gateway",
            help="An HTTP API at list price before Lambda (without it a function URL).",
            rich_help_panel=TERMS,
        ),
    ] = False
    load_balancer_usd_per_month: Annotated[
        float | None,
        typer.Option(
            metavar="USD",
            parser=values.amount_or_nothing,
            help="In place of the list price.",
            rich_help_panel=TERMS,
        ),
    ] = None
    log_kb_per_request: Annotated[
        float,
        typer.Option(
            metavar="KB",
            parser=values.amount_or_nothing,
            help="Log lines of a request, billed everywhere (0: left out).",
            rich_help_panel=TERMS,
        ),
    ] = 0.0
    ops_cost_usd: Annotated[
        float,
        typer.Option(
            metavar="USD",
            parser=values.amount_or_nothing,
            help="What operating a fleet costs a month.",
            rich_help_panel=TERMS,
        ),
    ] = 0.0
    migration_cost_usd: Annotated[
        float | None,
        typer.Option(
            metavar="USD",
            parser=values.amount_or_nothing,
            help="What the move costs: gives payback.",
            rich_help_panel=TERMS,
        ),
    ] = None
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0
    min_saving_ratio: options.MinSavingRatio = None

    def with_traffic(self, traffic: "Traffic") -> "Terms":
        """Return the terms of a comparison. --api-gateway is at its list price or at yours."""
        from tuner.breakeven.terms import Terms  # noqa: PLC0415 - not needed for --help

        given = asdict(self)
        if given.pop("api_gateway") and not self.gateway_usd_per_million:
            given["gateway_usd_per_million"] = None
        return Terms(traffic=traffic, **given)
