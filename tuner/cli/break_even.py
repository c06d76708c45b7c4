"""`tuner break-even`: at what traffic a function is cheaper elsewhere."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import exit_status, options, picture, saved, values
from tuner.cli.config import state_dir, today
from tuner.cli.groups import WhereOptions, check_one_rate, spread, traffic_of
from tuner.cli.screen import say, show_break_even
from tuner.errors import InputError, UsageError
from tuner.model.interval import figure
from tuner.model.request import Target

if TYPE_CHECKING:
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.traffic import Traffic
    from tuner.model.sweep import Sweep


EPILOG = """\
tuner break-even resize-images --rate 50/s

tuner break-even sweep.jsonl --per-month 30M --trigger queue

tuner break-even resize-images --traffic cloudwatch --days 14

tuner break-even resize-images --traffic traffic.csv --format json

tuner break-even resize-images --rate 50/s --format html --out costs.html"""

COMMON = (
    *("sweep", "rate", "per_month", "traffic", "days", "trigger", "savings_plan", "ops_cost_usd"),
    *("migration_cost_usd", "format_name", "out_file", "bill", "json"),
)
"""What the short help shows."""

_terms = partial(typer.Option, rich_help_panel="Terms")


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How often the function is invoked, given in at most one way."""

    rate: options.Rate = None
    per_month: options.PerMonth = None
    traffic: Annotated[
        str | None,
        options.traffic_option(
            # That setting is of logs too, in fractions of a day.
            **options.without_settings("days", beside=lambda traffic: traffic != "cloudwatch"),
            metavar="CSV|cloudwatch",
            help="Load by hour (hour,requests), or the function's own, read by minute.",
        ),
    ] = None
    days: Annotated[
        int,
        options.traffic_option(
            metavar="N", min=1, help="Days that --traffic cloudwatch reads, at most 15."
        ),
    ] = 14
    peak_ratio: Annotated[
        float | None,
        options.traffic_option(
            metavar="TIMES", help="Daily peak over the mean (default: 3, or 1 with --traffic)."
        ),
    ] = None

    def of(self, sweep: "Sweep", where: Target) -> "Traffic":
        """Return the traffic; for CloudWatch, the swept function's. Raises InputError."""
        from tuner.breakeven.traffic import read_traffic

        check_one_rate(self.rate, self.per_month, self.traffic)
        if self.traffic == "cloudwatch":
            return self._of_cloudwatch(sweep, where)
        if self.traffic is not None:
            return read_traffic(Path(self.traffic), self.peak_ratio)
        return traffic_of(self.rate, self.per_month, self.peak_ratio)

    def _of_cloudwatch(self, sweep: "Sweep", where: Target) -> "Traffic":
        """The swept function's traffic, up to the last full hour.

        Only reads (cloudwatch:GetMetricStatistics). Raises UsageError for days that CloudWatch no
        longer keeps by the minute, InputError if there were no requests, AwsError and its
        subclasses.
        """
        from tuner.aws import connect
        from tuner.aws.metrics import MAX_DAYS
        from tuner.breakeven.traffic import traffic_of_minutes

        if not 1 <= self.days <= MAX_DAYS:
            raise UsageError(
                f"--days {self.days} is out of range: CloudWatch keeps minutes for {MAX_DAYS} "
                f"days, so give 1 to {MAX_DAYS}"
            )
        if sweep.environment == "local" and where.endpoint_url is None:
            raise InputError(
                "the sweep ran on this machine, where the function has no traffic of its own: "
                "give --rate or --traffic FILE"
            )
        function = sweep.function
        region, endpoint_url = where.region or function.region, where.endpoint_url
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        start = end - timedelta(days=self.days)
        with connect(region=region, profile=where.profile, endpoint_url=endpoint_url) as gateway:
            minutes = gateway.minute_loads(function.name, start=start, days=self.days)
        hours = self.days * 24
        return traffic_of_minutes(minutes, start=start, hours=hours, peak_ratio=self.peak_ratio)


def _as_observed(sweep: "Sweep") -> "Sweep":
    """The sweep, with what was observed of its function lately. An earlier sweep stays what informs
    the curve.
    """
    from tuner.observe.kept import fresh_observation, observed_prior

    found = fresh_observation(state_dir(), sweep.function.name, datetime.now(UTC))
    if found is None or sweep.environment != "aws":
        return sweep
    function, names = sweep.function, tuple(each.name for each in sweep.plan.payloads)
    try:
        seen = observed_prior(found, function=function.name, region=function.region, payloads=names)
    except InputError:  # of another region
        return sweep
    if sweep.prior is not None and sweep.prior.source == "sweep":
        seen = replace(
            sweep.prior, rate_per_s=seen.rate_per_s, cold_start_share=seen.cold_start_share
        )
    return replace(sweep, prior=seen)


@dataclass(frozen=True, slots=True)
class TermsOptions:
    """What is compared, and how."""

    trigger: Annotated[
        Literal["http", "queue", "stream", "schedule"],
        _terms(help="What invokes it. http needs a load balancer on other platforms."),
    ] = "http"
    utilization: Annotated[
        float,
        options.setting(**options.SHARE, help="Share of a fleet's vCPUs that the peak may use."),
    ] = 0.6
    autoscaling: Annotated[
        bool,
        _terms(
            "--autoscaling/--no-autoscaling",
            help="Fleets follow the load over the day, or are sized for its peak all month.",
        ),
    ] = True
    container_concurrency: Annotated[
        float, options.setting(help="Requests that one process holds while they wait.")
    ] = 10.0
    arm_speed: Annotated[
        float,
        options.setting(
            metavar="TIMES", help="How fast an arm vCPU runs this code, relative to x86."
        ),
    ] = 1.0
    provisioned: Annotated[
        bool,
        _terms(
            "--provisioned/--no-provisioned",
            help="Price Lambda with provisioned concurrency where that's cheaper.",
        ),
    ] = True
    needs_gpu: Annotated[
        bool, options.setting("--needs-gpu", help="A GPU would speed up the work.")
    ] = False
    spot_share: Annotated[
        float, _terms(**options.SHARE, help="Share of Fargate tasks on Spot.")
    ] = 0.0
    savings_plan: Annotated[
        bool,
        _terms(
            "--savings-plan",
            help="One-year Compute Savings Plan, no upfront, for Lambda and Fargate.",
        ),
    ] = False
    nat: Annotated[bool, _terms("--nat", help="Use NAT instead of public addresses.")] = False
    account_gb_seconds: Annotated[
        float | None,
        _terms(
            metavar="GB-S",
            parser=values.amount_or_nothing,
            help="The account's other GB-seconds a month, for its price tier and free tier.",
        ),
    ] = None
    gateway_usd_per_million: Annotated[
        float,
        options.setting(**options.AMOUNT_OR_NOTHING, help="The price of your own API gateway."),
    ] = 0.0
    api_gateway: Annotated[
        bool,
        _terms(
            "--api-gateway",
            help="Put an HTTP API at list price in front of Lambda (default: a function URL).",
        ),
    ] = False
    load_balancer_usd_per_month: Annotated[
        float | None,
        options.setting(
            **options.AMOUNT_OR_NOTHING, help="Replaces the load balancer's list price."
        ),
    ] = None
    log_kb_per_request: Annotated[
        float,
        options.setting(
            metavar="KB",
            parser=values.amount_or_nothing,
            help="Logs written per request, billed on every platform (0: left out).",
        ),
    ] = 0.0
    ops_cost_usd: Annotated[
        float, _terms(**options.AMOUNT_OR_NOTHING, help="Monthly cost of operating a fleet.")
    ] = 0.0
    migration_cost_usd: Annotated[
        float | None,
        _terms(
            **options.AMOUNT_OR_NOTHING, help="What the migration costs; adds the payback time."
        ),
    ] = None
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0
    min_saving_ratio: options.MinSavingRatio = None

    def with_traffic(self, traffic: "Traffic") -> "Terms":
        """Return the terms of a comparison. --api-gateway takes your price if there is one."""
        from tuner.breakeven.terms import Terms

        given = asdict(self)
        if given.pop("api_gateway") and not self.gateway_usd_per_million:
            given["gateway_usd_per_million"] = None
        return Terms(traffic=traffic, **given)


@spread
def break_even(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="Sweep file, or a function's name for its newest."),
    ],
    *,
    load: LoadOptions,
    terms: TermsOptions,
    format_name: Annotated[
        Literal["text", "json", "markdown", "html", "png", "svg"],
        options.output_option("--format", help="Output format."),
    ] = "text",
    out_file: options.ReportFile = None,
    bill: Annotated[
        bool, options.output_option("--bill", help="Show what each cost is made of.")
    ] = False,
    json: options.JsonOutput = False,
    where: WhereOptions,
    detailed_exitcode: Annotated[
        bool, options.exit_code_option("Exit with 11 for leaving Lambda, 12 for too close to call.")
    ] = False,
) -> int:
    """Compare Lambda with Fargate, EC2 and Managed Instances, from a saved sweep.

    Without a rate, you get only the break-even rate. Leaving Lambda is recommended only if it saves
    $50 and 20% of Lambda's bill a month with a probability of 95%. AWS isn't called, except by
    --traffic cloudwatch, which reads the function's recent invocations and concurrency.
    """
    from tuner.api.answers import break_even as answer_of

    shown = picture.check(format_name, out_file, json=json)
    found = _as_observed(saved.load(sweep))
    traffic = load.of(found, where.part())
    prior = found.prior
    if traffic.rate_per_s is None and prior is not None and prior.rate_per_s is not None:
        say(f"Rate: {figure(prior.rate_per_s, 4)} requests/s, by {prior.source_id}.")
    answer = answer_of(found, terms.with_traffic(traffic), today=today())
    if shown == "html":
        picture.show_break_even_page(answer, out_file, source=sweep)
    elif shown in picture.FORMATS:
        picture.show_figure(answer, shown, out_file)
    else:
        show_break_even(answer, shown, with_bill=bill)
    return exit_status.of_platform(answer.verdict) if detailed_exitcode else 0
