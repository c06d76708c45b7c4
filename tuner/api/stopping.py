"""Stops functions that cost too much an hour: what they cost now, and the emergency stop."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import AwsError
from tuner.lease.journal import LeaseTerms
from tuner.lease.stop import STOP_ID, stop_function, stop_of
from tuner.model.observation import Window
from tuner.observe.usage import cost_usd
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.reading import Caller, LiveRequest
    from tuner.aws import LambdaGateway
    from tuner.aws.services import Services
    from tuner.lease.stop import Stopped
    from tuner.model.function import FunctionConfig
    from tuner.pricing import LambdaPrices

WINDOW: Final = timedelta(minutes=5)
_FRESH: Final = timedelta(minutes=3)
"""How late CloudWatch's data points may be: an older one says nothing of now."""
_LOOK_BACK: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CostNow:
    """What a function cost over the last minutes, an hour's worth."""

    usd_per_hour: float
    invocation_count: int
    by: str
    """What says so: CloudWatch's metrics, or the function's log."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """One function with its cost, ready to be stopped."""

    function: FunctionConfig
    cost: CostNow
    limit_usd_per_hour: float
    gateway: LambdaGateway
    caller: Caller
    stopped_since: str | None
    """When it was stopped by an earlier run that nobody has undone."""

    @property
    def is_over(self) -> bool:
        """Whether it costs as much as the limit, or more."""
        return self.cost.usd_per_hour >= self.limit_usd_per_hour

    def stop(self) -> Stopped:
        """Set its reserved concurrency to 0; `tuner recover` undoes it.

        Raises LeaseError, AwsError if nothing was changed, LeftChangedError.
        """
        now = self.caller.now
        terms = LeaseTerms(
            f"{STOP_ID}{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            self.caller.state_dir,
            self.gateway.endpoint_url,
            f"{now:%Y-%m-%dT%H:%M:%SZ}",
            isolation="stop",
        )
        return stop_function(self.function, terms, control=self.gateway, sleep=self.caller.sleep)


def outcome_json(
    emergency: Emergency, stopped: Stopped | None, why_not: str | None
) -> dict[str, Any]:
    """As an entry of `stops`."""
    cost = emergency.cost
    return {
        "function": emergency.function.name,
        "usd_per_hour": cost.usd_per_hour,
        "limit_usd_per_hour": emergency.limit_usd_per_hour,
        "invocation_count": cost.invocation_count,
        "by": cost.by,
        "stopped": stopped is not None,
        "stopped_since": emergency.stopped_since,
        "why_not": why_not,
        "stop_id": stopped and stopped.stop_id,
        "reserved_before": stopped and stopped.reserved_before,
        "undo": stopped and stopped.by_hand,
    }


@contextmanager
def open_emergency(
    name: str, request: LiveRequest, caller: Caller, *, limit_usd_per_hour: float
) -> Iterator[Emergency]:
    """Read what a function costs now; nothing is changed yet.

    Raises AwsError and its subclasses, PriceError, and InputError where neither CloudWatch's
    metrics nor its log can be read.
    """
    from tuner.api.live_reports import open_services
    from tuner.aws import connect

    where = request.where
    with connect(
        region=where.region,
        profile=where.profile,
        endpoint_url=where.endpoint_url,
        function=name,
    ) as gateway:
        function = gateway.read_function(gateway.resolve(name).target)
        prices = current_price_book().lambda_prices(function.region, function.architecture)
        with open_services(replace(where, region=function.region), "watch", caller) as services:
            cost = cost_by_metrics(services, function, prices, caller.now)
        if cost is None:
            asked = replace(request, where=replace(where, region=function.region))
            cost = _cost_by_log(name, asked, caller)
        earlier = stop_of(function, caller.state_dir, gateway.endpoint_url)
        yield Emergency(
            function,
            cost,
            limit_usd_per_hour,
            gateway,
            caller,
            None if earlier is None else earlier.header.started_at,
        )


def cost_by_metrics(
    services: Services, function: FunctionConfig, prices: LambdaPrices, now: datetime
) -> CostNow | None:
    """Five minutes up to the newest that CloudWatch has; None where it has none, or may not be
    read.

    Handler time as it is, so INIT and rounding up are left out: it's never too much. A function
    whose newest minute is over three minutes ago costs nothing now.
    """
    from tuner.aws.metric_data import metric_points
    from tuner.model.alarm import LAMBDA

    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    of = {"FunctionName": function.name}
    start = end - _LOOK_BACK
    try:
        counts = metric_points(services, LAMBDA, "Invocations", "Sum", of, start=start, end=end)
        took = metric_points(services, LAMBDA, "Duration", "Sum", of, start=start, end=end)
    except AwsError:
        return None
    if not counts:
        return None
    newest = max(at for at, _ in counts)
    by = "CloudWatch's metrics of the last five minutes"
    if now - newest > _FRESH + timedelta(minutes=1):
        return CostNow(0.0, 0, by)
    since = newest + timedelta(minutes=1) - WINDOW
    count = sum(value for at, value in counts if at >= since)
    time_ms = sum(value for at, value in took if at >= since)
    usd = count * float(prices.request_price_usd) + time_ms * prices.price_usd_per_ms(
        function.memory_mb, function.ephemeral_storage_mb
    )
    return CostNow(usd * 12, round(count), by)


def _cost_by_log(name: str, request: LiveRequest, caller: Caller) -> CostNow:
    """By the REPORT lines of the last five minutes, event by event, which is free."""
    from tuner.api.observing_live import live_logs

    asked = replace(request, function=name, days=WINDOW.total_seconds() / 86_400, source="events")
    with live_logs(asked, caller, purpose="watch") as (logs, *_):
        window = Window(caller.now - WINDOW, caller.now)
        usage = logs.store.total(logs.function, window, account=logs.account)
        by = "its log of the last five minutes"
        if usage is None:
            return CostNow(0.0, 0, by)
        return CostNow(float(cost_usd(usage, logs.prices)) * 12, usage.invocation_count, by)
