"""Where the money goes, by what AWS has: logs, tags and CloudTrail's changes, read only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tuner.api.live_reports import LivePlan, LiveReader, check_readable, open_services
from tuner.aws import account_reports, function_list, log_groups, metric_data
from tuner.aws.function_ref import parse_reference
from tuner.errors import AwsError, InputError
from tuner.model.finding import Finding
from tuner.model.interval import counted, listed
from tuner.observe.deployments import trail_deployments

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from tuner.api.reading import Caller, LiveRequest, LiveSource
    from tuner.aws.services import Services
    from tuner.model.account import AccountFunction, LogGroup
    from tuner.model.spend import Deployment
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore


class LiveFacts(NamedTuple):
    """What was read of an account for its spend."""

    store: ReportStore
    reading: Reading
    tags: dict[str, str] | None
    """The tag's value by function; None where no tag was asked for."""
    deployments: tuple[Deployment, ...]
    findings: tuple[Finding, ...]


def read_account(
    request: LiveRequest, caller: Caller, *, tag: str | None, with_changes: bool
) -> LiveFacts:
    """Read the reports of every function that ran (or of one), and what explains them.

    `tag` is the key whose values are wanted; `with_changes` asks CloudTrail. What may not be read
    becomes a finding, but for the list of functions and their logs. Raises AwsError and its
    subclasses, UsageError, InputError and NotAgreedError.
    """
    with open_services(request.where, "spend", caller) as services:
        reader = _AccountReader(services, *request.window(caller.now))
        plan = reader.plan(request.function, request.source)
        live = LiveReader(services, plan, request.source, caller)
        store, reading = live.read(asked=plan.logs[0][0].name)
        try:
            tags = None if tag is None else reader.tags(tag)
            deployments = reader.changes() if with_changes else ()
        except BaseException:
            store.close()
            raise
    findings = (*live.findings, *reader.findings)
    return LiveFacts(store, reading, tags, deployments, findings)


class _AccountReader:
    """What of a region's functions has a log that can be read, and what is known besides."""

    def __init__(
        self, services: Services, start: datetime.datetime, end: datetime.datetime
    ) -> None:
        self._services = services
        self._start = start
        self._end = end
        self.findings: list[Finding] = []

    def plan(self, function: str | None, source: LiveSource) -> LivePlan:
        """The logs to read. Raises InputError where there's none."""
        if function is None:
            functions = [*function_list.list_functions(self._services)]
        else:
            functions = [function_list.read_function(self._services, parse_reference(function))]
        counts = self._counts(functions)
        ran = [each for each in functions if counts is None or counts.get(each.name)]
        if not ran:
            raise InputError(
                f"no function of {self._services.region} was invoked since "
                f"{self._start:%Y-%m-%d %H:%M} UTC: give more `days`, or another `region`"
            )
        groups = log_groups.find_log_groups(self._services, [each.log_group for each in ran])
        logs = [*self._readable(ran, groups, source)]
        total = None if counts is None else sum(counts.get(each.name, 0) for each, _ in logs)
        return LivePlan(tuple(logs), self._start, self._end, total)

    def _counts(self, functions: Sequence[AccountFunction]) -> dict[str, int] | None:
        """Invocations by function; None where metrics may not be read, or a server has none."""
        start, end = (each.replace(minute=0, second=0) for each in (self._start, self._end))
        try:
            found = metric_data.function_metrics(
                self._services,
                [each.name for each in functions],
                start=start,
                end=end + timedelta(hours=1),
            )
        except AwsError as error:
            self._cannot("invocation metrics, so that idle functions are queried as well", error)
            return None
        counts = {name: each.invocation_count for name, each in found.items()}
        is_local = self._services.session.is_loopback
        return None if is_local and not any(counts.values()) else counts

    def _readable(
        self, functions: Sequence[AccountFunction], groups: dict[str, LogGroup], source: LiveSource
    ) -> Iterator[tuple[AccountFunction, LogGroup]]:
        left_out: dict[str, InputError] = {}
        seen = set()
        for each in functions:
            try:
                group = check_readable(each, groups.get(each.log_group), None, source)
            except InputError as error:
                left_out[each.name] = error
                continue
            if group.name not in seen:  # one that several functions log to is read once
                seen.add(group.name)
                yield each, group
        if left_out:
            first = next(iter(left_out.values()))
            if not seen:
                raise first
            message = (
                f"{counted(len(left_out), 'function')} without a log that can be read, whose "
                f"costs are missing: {listed([*left_out])}. The first: {first}"
            )
            self.findings.append(Finding("logs_not_read", "warning", message))

    def tags(self, key: str) -> dict[str, str]:
        """A tag's value by function. Raises AwsError, and InputError where no function has it."""
        tags = account_reports.function_tags(self._services)
        found = {name: own[key] for name, own in tags.items() if key in own}
        if not found:
            raise InputError(
                f"no function of {self._services.region} has the tag {key}: check `by`"
            )
        return found

    def changes(self) -> tuple[Deployment, ...]:
        """CloudTrail's changes in the window; none where that may not be asked."""
        try:
            return trail_deployments(
                account_reports.function_changes(self._services, start=self._start, end=self._end)
            )
        except AwsError as error:
            if not self._services.session.is_loopback:
                self._cannot("CloudTrail, so that only the logs tell of deployments", error)
            return ()

    def _cannot(self, what: str, error: AwsError) -> None:
        self.findings.append(Finding("not_read", "warning", f"could not read {what} ({error})"))
