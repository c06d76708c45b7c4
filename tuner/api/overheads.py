"""What a function pays besides its work: from files of its logs, or from the account."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.api.live_reports import open_services
from tuner.aws import function_list, log_groups, metric_data
from tuner.aws.function_ref import parse_reference
from tuner.errors import AccessDeniedError, InputError, UsageError
from tuner.logs.heard import read_message
from tuner.logs.log_sizes import LogSizes, read_log_sizes
from tuner.model.finding import Finding
from tuner.model.observation import Window
from tuner.observe.overhead_findings import with_findings
from tuner.observe.overheads import LogSettings, VersionInit, weigh_overheads
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.api.reading import Caller, FilesRequest
    from tuner.aws.services import Services
    from tuner.model.observation import Observation
    from tuner.model.request import Target
    from tuner.observe.overheads import Overheads
    from tuner.pricing.log_prices import LogDestination

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_S: Final = 3600
_DESTINATIONS: Final[dict[str, LogDestination]] = {
    "STANDARD": "STANDARD",
    "INFREQUENT_ACCESS": "INFREQUENT_ACCESS",
    "DELIVERY": "DELIVERY",
}


@dataclass(frozen=True, slots=True)
class OverheadsRequest:
    """What logs don't say of how they are kept; None is read, or assumed and said.

    `account_log_gb` is what the account's other vended logs fill of a month's tiers.
    """

    log_class: LogDestination | None = None
    retention_days: int | None = None
    account_log_gb: float = 0.0

    def settings(self) -> LogSettings:
        """As far as they are given. Raises UsageError."""
        if self.account_log_gb < 0 or (self.retention_days or 1) < 1:
            raise UsageError("`account_log_gb` and `retention_days` are above 0")
        return LogSettings(
            destination=self.log_class or "STANDARD",
            retention_days=self.retention_days,
            is_known=self.log_class is not None,
            already_gb=Decimal(repr(float(self.account_log_gb))),
        )


def overheads_of_files(
    request: OverheadsRequest,
    files: FilesRequest,
    observed: Observation,
    progress: Callable[[int, int], None] | None = None,
) -> Overheads:
    """Weigh the lines of files that `observe` has read. Raises UsageError and InputError."""
    if Path("/dev/stdin") in files.logs:
        raise UsageError("what lines weigh takes a second reading: give files (`logs`), not stdin")
    window = observed.window if files.span.is_given else Window()
    sizes = read_log_sizes(files.logs, observed.function, window, progress)
    if not sizes.event_count:
        raise InputError("these files have fields of reports and no lines: take whole messages")
    return _weighed(observed, sizes, request.settings(), {})


def overheads_live(
    request: OverheadsRequest, function: str, observed: Observation, where: Target, caller: Caller
) -> Overheads:
    """Weigh what CloudWatch metered, by levels of a sample of the lines.

    What may not be read becomes a finding. Raises UsageError and AwsError.
    """
    reference, settings = parse_reference(function), request.settings()
    start, end = observed.window.start, observed.window.end
    assert start is not None and end is not None  # noqa: PT018 - a live source has a window
    with open_services(replace(where, region=observed.region), "observe", caller) as services:
        if services.session.is_loopback:
            reference = replace(reference, account_id=None)
        details = function_list.read_function(services, reference)
        group = log_groups.find_log_groups(services, [details.log_group]).get(details.log_group)
        if group is None:
            raise UsageError(f"{details.name} has no log group {details.log_group}")
        destination = _DESTINATIONS.get(group.log_class)
        metered = metric_data.ingested_bytes(
            services, group.name, start=start, end=end, period_s=_HOUR_S
        )
        settings = replace(
            settings,
            destination=request.log_class or destination or "STANDARD",
            retention_days=request.retention_days or group.retention_days,
            is_known=destination is not None,
            metered_bytes=metered,
        )
        sizes = LogSizes()
        if group.log_class == "STANDARD":  # others have no FilterLogEvents
            for line in log_groups.sampled_lines(services, group.name, start=start, end=end):
                at_us = (line.at - _EPOCH) // timedelta(microseconds=1)
                sizes.add(read_message(line.message), at_us, line.log_stream)
        layers, findings = _layers(services, reference.target)
    found = _weighed(observed, sizes, settings, layers)
    return replace(found, findings=(*found.findings, *findings))


def _layers(
    services: Services, function: str
) -> tuple[dict[str, tuple[tuple[str, int], ...]], tuple[Finding, ...]]:
    try:
        return function_list.version_layers(services, function), ()
    except AccessDeniedError as error:
        return {}, (Finding("not_read", "warning", f"layers are left out ({error})"),)


def _weighed(
    observed: Observation,
    sizes: LogSizes,
    settings: LogSettings,
    layers: dict[str, tuple[tuple[str, int], ...]],
) -> Overheads:
    book = current_price_book()
    prices = (
        book.lambda_prices(observed.region, observed.architecture),
        book.log_prices(observed.region),
    )
    return with_findings(
        weigh_overheads(observed, sizes, settings, _versions(observed, layers), prices)
    )


def _versions(
    observed: Observation, layers: dict[str, tuple[tuple[str, int], ...]]
) -> tuple[VersionInit, ...]:
    """INIT by version over its sizes, for versions that began an environment."""
    sums: defaultdict[str | None, list[tuple[int, float, int]]] = defaultdict(list)
    for each in observed.by_memory:
        usage = each.usage
        if usage.mean_init_ms is not None and usage.cold_start_count:
            sums[each.version].append(
                (usage.cold_start_count, usage.mean_init_ms, usage.max_memory_used_mb or 0)
            )
    return tuple(
        VersionInit(
            version,
            sum(count for count, _, _ in found),
            sum(count * mean for count, mean, _ in found) / sum(count for count, _, _ in found),
            max(used for _, _, used in found) or None,
            layers.get(version or "") if layers else None,
        )
        for version, found in sums.items()
    )
