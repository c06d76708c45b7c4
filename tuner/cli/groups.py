"""Groups of options that reach a command as one value, shared by several commands."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.cli import options
from tuner.cli.values import parameters_of
from tuner.errors import UsageError
from tuner.model.goal import Goal
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.model.request import Target

if TYPE_CHECKING:
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.traffic import Traffic


T = TypeVar("T")


def spread(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command an option for each field of its dataclass parameters.

    The options take the parameter's place, in field order, with the fields' annotations and
    defaults; the command gets the dataclass made from them.
    """
    signature = inspect.signature(command)
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if is_dataclass(parameter.annotation):
            groups[name] = parameter.annotation
            parameters += _options(parameter.annotation)
        else:
            parameters.append(parameter)

    @wraps(command)
    def run(**given: Any) -> T:
        for name, group in groups.items():
            given[name] = group(**{each.name: given.pop(each.name) for each in fields(group)})
        return command(**given)

    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # PEP 362 lets a function have one
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=each.type,
        )
        for each in fields(group)
    ]


def check_beside(main: str, group: Any, *, unchecked: Collection[str] = ()) -> None:
    """Raise UsageError for an option of a group that goes with its main one, without that one."""
    for each in fields(group):
        is_given = each.name not in {main, *unchecked} and getattr(group, each.name)
        if is_given and not getattr(group, main):
            raise UsageError(f"`{each.name}` is for `{main}`: give that too")


@dataclass(frozen=True, slots=True)
class GoalOptions:
    """The goal and its limits."""

    goal: options.GoalOption = None
    time_weight: options.TimeWeight = None
    cost_slack: options.CostSlack = None
    tolerance: options.Tolerance = None
    max_duration: options.MaxDuration = None
    percentile: options.Percentile = None
    max_cost_per_million: options.MaxCostPerMillion = None
    cold_start_share: options.ColdStartShare = None
    allow_different_replies: options.AllowDifferentReplies = False

    def wanted(self, kept: Goal | None = None) -> Goal:
        """Return the goal: what is given here, otherwise the sweep's own or the defaults.

        A percentile without a limit is shown, but limits nothing.
        """
        kept = kept or Goal()
        return Goal(
            name=_or(self.goal, kept.name),
            tolerance_ratio=_or(self.tolerance, kept.tolerance_ratio),
            max_duration_ms=_or(self.max_duration, kept.max_duration_ms),
            percentile=_or(self.percentile, kept.percentile),
            max_cost_usd_per_million=_or(self.max_cost_per_million, kept.max_cost_usd_per_million),
            cold_start_share=_or(self.cold_start_share, kept.cold_start_share),
            allow_different_replies=self.allow_different_replies or kept.allow_different_replies,
            # A named goal has its own weight.
            time_weight=_or(self.time_weight, None if self.goal else kept.time_weight),
        )


def _or(given: T | None, kept: T) -> T:
    return kept if given is None else given


@dataclass(frozen=True, slots=True)
class TrafficOptions:
    """How often the function is invoked, and how much a change must save."""

    rate: options.Rate = None
    per_month: options.PerMonth = None
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0
    min_saving_ratio: options.MinSavingRatio = None

    def terms(self) -> "Terms":
        """Return them as the terms of a comparison. Raises InputError."""
        from tuner.breakeven.terms import Terms

        return Terms(
            traffic=traffic_of(self.rate, self.per_month),
            min_saving_usd_per_month=self.min_saving_usd_per_month,
            min_saving_ratio=self.min_saving_ratio,
        )


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """Where the function is: in an account, or on this machine from its template."""

    local: options.LocalTemplate = None
    parameter: options.TemplateParameters = None
    env: options.TemplateEnvironment = None
    build: options.Build = False
    region: options.Region = None
    profile: options.Profile = None
    endpoint_url: options.EndpointUrl = None

    def part(self) -> Target:
        """Return it; raises BadParameter for a value that isn't NAME=VALUE."""
        return Target(
            region=self.region,
            profile=self.profile,
            endpoint_url=self.endpoint_url,
            local_template=self.local,
            template_parameters=parameters_of(self.parameter),
            template_environment=parameters_of(self.env, "--env"),
            build=self.build,
        )


def traffic_of(
    rate_per_s: float | None, per_month: float | None, peak_ratio: float | None = None
) -> "Traffic":
    """Traffic from at most one of the two rates. Raises InputError."""
    from tuner.breakeven.traffic import traffic_of_rate

    check_one_rate(rate_per_s, per_month)
    if per_month is not None:
        rate_per_s = per_month / SECONDS_PER_MONTH
    return traffic_of_rate(rate_per_s, peak_ratio)


def check_one_rate(*given: object) -> None:
    """Raise UsageError if the rate is given in more than one way."""
    if sum(each is not None for each in given) > 1:
        raise UsageError("give one of --rate, --per-month and --traffic, not several")


@dataclass(frozen=True, slots=True)
class WhereOptions:
    """Where the function is: in an account, or at another endpoint."""

    region: options.Region = None
    profile: options.Profile = None
    endpoint_url: options.EndpointUrl = None

    def part(self) -> Target:
        """Return it."""
        return Target(region=self.region, profile=self.profile, endpoint_url=self.endpoint_url)


@dataclass(frozen=True, slots=True)
class MannerOptions:
    """Whether to ask, and how to print, when a command changes an account."""

    yes: options.Yes = False
    dry_run: options.DryRun = False
    json: options.JsonOutput = False
    detailed_exitcode: options.DetailedExitcode = False
