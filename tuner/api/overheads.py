"""What a function pays besides its work: from files of its logs, or from the account."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.api.live_reports import open_services
from tuner.aws import function_list, log_groups, metric_data
from tuner.aws.function_ref import parse_reference
from tuner.aws.usage_query import CPU_GROUP
from tuner.errors import AwsError, CredentialsError, InputError, UsageError
from tuner.logs.log_message import read_message
from tuner.logs.log_sizes import LogSizes, read_log_sizes
from tuner.model.finding import Finding
from tuner.model.number_fields import check_number_fields
from tuner.model.observation import Window
from tuner.observe.layer_weight import VersionInit
from tuner.observe.overhead_findings import with_findings
from tuner.observe.overheads import LogSettings, weigh_overheads
from tuner.pricing.log_prices import DESTINATIONS
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tuner.api.reading import Caller, FilesRequest
    from tuner.aws.services import Services
    from tuner.model.account import LogLine
    from tuner.model.observation import Observation
    from tuner.model.request import Target
    from tuner.observe.overheads import Overheads
    from tuner.pricing.log_prices import LogDestination

_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class OverheadsRequest:
    """What logs don't say of how they are kept; None is read, or assumed and said.

    `account_log_gb` is what the account's other vended logs fill of a month's tiers.
    """

    log_class: LogDestination | None = None
    retention_days: int | None = None
    account_log_gb: float = 0.0

    def __post_init__(self) -> None:
        check_number_fields(self)

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
    settings, count = request.settings(), observed.usage.invocation_count
    if sizes.report_count > count:  # several files have the same lines: each report counts once
        once = sizes.size_bytes * count / sizes.report_count
        settings = replace(settings, metered_bytes=once, is_scaled=True)
    return _weighed(observed, sizes, settings, {})


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
        destination = next((each for each in DESTINATIONS if each == group.log_class), None)
        settings = replace(
            settings,
            destination=request.log_class or destination or "STANDARD",
            retention_days=request.retention_days or group.retention_days,
            is_known=destination is not None,
            group=None if details.name in group.name else group.name,
        )
        reader = _LiveLines(services, start, end)
        if group.log_class == "STANDARD":  # others have no FilterLogEvents
            reader.sample(group.name)
        settings = reader.metered(group.name, settings, observed.usage.invocation_count)
        if details.has_lambda_insights:
            reader.sample_insights(details.name)
        reader.read_layers(reference.target)
    found = _weighed(observed, reader.sizes, settings, reader.layers, reader.insights)
    return replace(found, findings=(*found.findings, *reader.findings))


class _LiveLines:
    """What an account says of a function's lines. What may not be read is left out and said."""

    def __init__(self, services: Services, start: datetime, end: datetime) -> None:
        self._services = services
        self._start, self._end = start, end
        self.sizes = LogSizes()
        self.insights = LogSizes()
        self.layers: dict[str, tuple[tuple[str, int], ...]] = {}
        self.findings: list[Finding] = []

    def sample(self, group: str) -> None:
        """Sample the function's own log."""
        with self._leaving_out("levels of lines"):
            for line in self._lines(group):
                self.sizes.add(read_message(line.message), line.log_stream)

    def sample_insights(self, function: str) -> None:
        """Sample its lines in the log of all Lambda Insights."""
        with self._leaving_out("lines of Lambda Insights"):
            for line in self._lines(CPU_GROUP, function):
                message = read_message(line.message)
                if f'"{function}"' in line.message and message.origin == "lambda_insights":
                    self.insights.add(message, line.log_stream)

    def _lines(self, group: str, word: str | None = None) -> Iterator[LogLine]:
        return log_groups.sampled_lines(
            self._services, group, start=self._start, end=self._end, word=word
        )

    def metered(self, group: str, settings: LogSettings, invocation_count: int) -> LogSettings:
        """The settings with CloudWatch's own sum; without one, with the sample's by report."""
        size = None
        with self._leaving_out("what CloudWatch metered"):
            size = metric_data.ingested_bytes(
                self._services, group, start=self._start, end=self._end, period_s=_HOUR_S
            )
        sizes = self.sizes
        if size is None and sizes.report_count:
            each = sizes.size_bytes / sizes.report_count
            return replace(settings, metered_bytes=each * invocation_count, is_scaled=True)
        if size is None:
            raise InputError(
                f"nobody says how much {group} takes in: no metric of CloudWatch's, and no line"
            )
        return replace(settings, metered_bytes=size)

    def read_layers(self, function: str) -> None:
        """Read each version's layers."""
        with self._leaving_out("layers"):
            self.layers = function_list.version_layers(self._services, function)

    @contextmanager
    def _leaving_out(self, what: str) -> Iterator[None]:
        try:
            yield
        except CredentialsError:
            raise
        except AwsError as error:
            message = f"{what} couldn't be read ({error})"
            self.findings.append(Finding("not_read", "warning", message))


def _weighed(
    observed: Observation,
    sizes: LogSizes,
    settings: LogSettings,
    layers: dict[str, tuple[tuple[str, int], ...]],
    insights: LogSizes | None = None,
) -> Overheads:
    book = current_price_book()
    prices = (
        book.lambda_prices(observed.region, observed.architecture),
        book.log_prices(observed.region),
    )
    return with_findings(
        weigh_overheads(
            observed, sizes, settings, _versions(observed, layers), prices, insights=insights
        )
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
