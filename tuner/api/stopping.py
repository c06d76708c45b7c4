"""Stops functions that cost too much an hour: what they cost now, and the emergency stop."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.api.reading import discount_ratio
from tuner.errors import AwsError, CredentialsError
from tuner.lease.journal import LeaseTerms
from tuner.lease.stop import STOP_ID, stop_function, stop_of
from tuner.model.observation import Window
from tuner.observe.usage import cost_usd
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.api.reading import Caller, LiveRequest
    from tuner.aws import LambdaGateway
    from tuner.aws.services import Services
    from tuner.lease.stop import Stopped
    from tuner.model.function import FunctionConfig
    from tuner.pricing import LambdaPrices
    from tuner.watch.wiring import Points

WINDOW: Final = timedelta(minutes=5)
_MINUTE: Final = timedelta(minutes=1)
_FRESH: Final = timedelta(minutes=3)
"""How late CloudWatch's data points may be: an older one says nothing of now."""
_LOOK_BACK: Final = timedelta(minutes=10)
"""Beyond the time that an invocation may take: CloudWatch puts one into the minute in which it
began, and knows of it once it has ended."""


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
    is_stopped: bool = False
    """Whether its reserved concurrency is 0 now, whoever set it."""

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
    with connect(function=name, **where.connection) as gateway:
        function = gateway.read_function(gateway.resolve(name).target)
        prices = current_price_book().lambda_prices(function.region, function.architecture)
        with open_services(replace(where, region=function.region), "watch", caller) as services:
            aliases = _other_sizes(gateway, function)
            cost = cost_by_metrics(services, function, prices, caller.now, aliases)
        if cost is None:
            asked = replace(request, where=replace(where, region=function.region))
            cost = _cost_by_log(name, asked, caller)
        paid = 1 - float(discount_ratio(request.discount_percent))
        cost = replace(cost, usd_per_hour=cost.usd_per_hour * paid)
        earlier = stop_of(function, caller.state_dir, gateway.endpoint_url)
        # A journal alone proves nothing: a deployment may have let the function run since.
        asks = earlier is not None or cost.usd_per_hour >= limit_usd_per_hour
        is_stopped = asks and gateway.reserved_concurrency(name) == 0
        yield Emergency(
            function,
            cost,
            limit_usd_per_hour,
            gateway,
            caller,
            earlier.header.started_at if earlier is not None and is_stopped else None,
            is_stopped,
        )


def _other_sizes(gateway: LambdaGateway, function: FunctionConfig) -> tuple[tuple[str, int], ...]:
    """(alias, the least memory that it routes to) of aliases whose versions have another size than
    $LATEST; none where they may not be read.
    """
    try:
        aliases = gateway.list_aliases(function.name)
        versions = gateway.list_versions(function.name) if aliases else ()
    except CredentialsError:
        raise
    except AwsError:
        return ()
    sizes = {each.version: each.memory_mb for each in versions} | {"$LATEST": function.memory_mb}
    least = [
        (each.name, min(sizes[version] for version in each.versions if version in sizes))
        for each in aliases
        if sizes.keys() & {*each.versions}
    ]
    return tuple((name, size) for name, size in least if size != function.memory_mb)


def cost_by_metrics(
    services: Services,
    function: FunctionConfig,
    prices: LambdaPrices,
    now: datetime,
    aliases: Sequence[tuple[str, int]] = (),
) -> CostNow | None:
    """Five minutes up to the newest that CloudWatch has; None where it has none, or may not be
    read.

    A minute's invocations count from when they ended on average, so that hanging ones count when
    CloudWatch tells of them. Handler time as it is, so INIT and rounding up are left out: it's
    never too much. What ended over three minutes ago costs nothing now. All of it counts at the
    size of $LATEST, but for what came by `aliases` of another (name, size in MB).
    """
    from tuner.aws.metric_data import metric_points
    from tuner.model.alarm import LAMBDA

    end = now.replace(second=0, microsecond=0) + _MINUTE
    of = {"FunctionName": function.name}
    start = end - _LOOK_BACK - timedelta(seconds=function.timeout_s)
    try:
        counts = metric_points(services, LAMBDA, "Invocations", "Sum", of, start=start, end=end)
        took = metric_points(services, LAMBDA, "Duration", "Sum", of, start=start, end=end)
        of_aliases = [
            (size, metric_points(
                services, LAMBDA, "Duration", "Sum", of | {"Resource": f"{function.name}:{alias}"},
                start=start, end=end,
            ))
            for alias, size in aliases
        ]  # fmt: skip
    except AwsError:
        return None
    if not counts:
        return None
    times_ms = dict(took)
    ended = {
        at: at + _MINUTE + timedelta(milliseconds=times_ms.get(at, 0.0) / max(count, 1.0))
        for at, count in counts
    }
    newest = max(ended.values())
    by = "CloudWatch's metrics of the last five minutes"
    if now - newest > _FRESH:
        return CostNow(0.0, 0, by)
    since = newest + _MINUTE - WINDOW
    count = sum(value for at, value in counts if ended[at] >= since)
    usd = count * float(prices.request_price_usd)
    rest_ms = _sum_since(took, ended, since)
    for size, points in of_aliases:
        time_ms = min(_sum_since(points, ended, since), rest_ms)
        usd += time_ms * prices.price_usd_per_ms(size, function.ephemeral_storage_mb)
        rest_ms -= time_ms
    usd += rest_ms * prices.price_usd_per_ms(function.memory_mb, function.ephemeral_storage_mb)
    return CostNow(usd * 12, round(count), by)


def _sum_since(points: Points, ended: Mapping[datetime, datetime], since: datetime) -> float:
    return sum(value for at, value in points if at in ended and ended[at] >= since)


def _cost_by_log(name: str, request: LiveRequest, caller: Caller) -> CostNow:
    """By the REPORT lines of the last five minutes, event by event, which is free.

    They are kept nowhere: the next time they are others, and what was read for a longer time stays.
    """
    from tuner.api.observing_live import live_logs

    asked = replace(request, function=name, days=WINDOW.total_seconds() / 86_400, source="events")
    with tempfile.TemporaryDirectory() as folder:
        alone = replace(caller, state_dir=Path(folder))
        with live_logs(asked, alone, purpose="watch", reports_only=True) as (logs, *_):
            window = Window(caller.now - WINDOW, caller.now)
            usage = logs.store.total(logs.function, window, account=logs.account)
            by = "its log of the last five minutes"
            if usage is None:
                return CostNow(0.0, 0, by)
            return CostNow(float(cost_usd(usage, logs.prices)) * 12, usage.invocation_count, by)
