"""Reads everything about the functions of a region, each answer kept in the scan's journal.

Only the list of functions must be readable. Whatever else can't be read becomes a finding.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tuner.aws import account_reports, function_list, log_groups, metric_data
from tuner.errors import AccessDeniedError, AwsError
from tuner.model.account import AccountFunction, FunctionMetrics, LogGroup, OptimizerFinding
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.record import RecordError, from_record, to_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tuner.api.scan_journal import ScanJournal
    from tuner.aws.services import Services
    from tuner.model.scan import DaySums

T = TypeVar("T")
_BATCH: Final = 100


class RegionReader:
    """Reads one region of one account."""

    def __init__(
        self, services: Services, journal: ScanJournal, *, tell: Callable[[str], None]
    ) -> None:
        self.services = services
        self.journal = journal
        self.place = " ".join(filter(None, (services.session.profile, services.region)))
        self.tell = tell
        self.findings: list[Finding] = []
        self.metric_count = 0

    def functions(self) -> tuple[AccountFunction, ...]:
        """Every function of the region. Raises AwsError."""
        found = self._records(
            "functions", AccountFunction, lambda: function_list.list_functions(self.services)
        )
        self.tell(f"{self.place}: {counted(f'{len(found):,}', 'function')}")
        return found

    def metrics(self, functions: Sequence[AccountFunction]) -> dict[str, FunctionMetrics]:
        """CloudWatch's sums by function; empty if they can't be read."""
        window = self.journal.window
        found: dict[str, FunctionMetrics] = {}

        def ask(names: Sequence[str]) -> dict[str, Any]:
            answer = metric_data.function_metrics(
                self.services, names, start=window.start, end=window.end
            )
            return {name: to_record(each) for name, each in answer.items()}

        try:
            for number, part in enumerate(parts(functions, metric_data.FUNCTIONS_A_QUESTION)):
                names = [each.name for each in part]
                kept = self._once(f"metrics/{number}", partial(ask, names))
                found |= {name: from_record(FunctionMetrics, each) for name, each in kept.items()}
                self.metric_count += len(names) * metric_data.METRIC_COUNT
        except AwsError as error:
            self.cannot("metrics, so that idle functions are queried as well", error)
        is_local = self.services.session.is_loopback
        if is_local and not any(each.invocation_count for each in found.values()):
            return {}  # a server without Lambda's metrics: nothing is known by them
        return found

    def log_groups(self, functions: Sequence[AccountFunction]) -> dict[str, LogGroup] | None:
        """The log groups of functions, by name; None if they can't be read."""
        names = [each.log_group for each in functions]
        try:
            found = self._records(
                "groups",
                LogGroup,
                lambda: log_groups.find_log_groups(self.services, names).values(),
            )
        except AwsError as error:
            self.cannot("log groups, so that no log was queried", error)
            return None
        return {each.name: each for each in found}

    def code_digests(
        self, found: Mapping[str, Sequence[DaySums]]
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """The code digest of each version, for functions whose versions have several sizes."""
        digests: dict[str, tuple[tuple[str, str], ...]] = {}
        for name, days in found.items():
            published = {each.version for each in days if (each.version or "").isdecimal()}
            if len({each.memory_mb for each in days}) < 2 or len(published) < 2:
                continue
            try:
                kept = self._once(
                    f"versions/{name}", partial(function_list.version_digests, self.services, name)
                )
            except AwsError as error:
                self.cannot("versions, so that their code is not compared", error)
                break
            digests[name] = tuple(kept.items())
        return digests

    def provisioned(
        self, functions: Sequence[AccountFunction], metrics: Mapping[str, FunctionMetrics]
    ) -> dict[str, tuple[tuple[str, int, float | None], ...]]:
        """(version or alias, provisioned environments, mean share in use) by function.

        Functions are asked one by one: those for which CloudWatch has the metric, and those that
        weren't invoked, for which it never has.
        """
        window = self.journal.window
        try:
            used = set(
                self._once(
                    "provisioned", lambda: sorted(metric_data.provisioned_functions(self.services))
                )
            )
            asked = [
                each.name
                for each in functions
                if each.name in used
                or (each.name in metrics and not metrics[each.name].invocation_count)
            ]
            counts = dict(self._provisioned_counts(asked))
            pairs = [(name, qualifier) for name, some in counts.items() for qualifier, _ in some]
            utilization = self._once(
                "utilization",
                lambda: [
                    [*pair, used_ratio]
                    for pair, used_ratio in metric_data.provisioned_utilization(
                        self.services, pairs, start=window.start, end=window.end
                    ).items()
                ],
            )
        except AwsError as error:
            self.cannot("provisioned concurrency", error)
            return {}
        means = {(name, qualifier): ratio for name, qualifier, ratio in utilization}
        return {
            name: tuple((each, count, means.get((name, each))) for each, count in some)
            for name, some in counts.items()
        }

    def _provisioned_counts(
        self, names: Sequence[str]
    ) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
        for number, part in enumerate(parts(names, _BATCH)):
            kept = self._once(f"provisioned/{number}", partial(self._counts_of, part))
            for name, some in kept.items():
                yield name, tuple((qualifier, count) for qualifier, count in some)

    def _counts_of(self, names: Sequence[str]) -> dict[str, Any]:
        found = {name: function_list.provisioned_counts(self.services, name) for name in names}
        return {name: counts for name, counts in found.items() if counts}

    def optimizer(self) -> dict[str, OptimizerFinding] | None:
        """Compute Optimizer's findings by function; None if it's off or can't be read."""
        kept = None
        try:
            kept = self._once("optimizer", self._ask_optimizer)
        except AwsError as error:
            if not self.services.session.is_loopback or isinstance(error, AccessDeniedError):
                self.cannot("Compute Optimizer", error)
                return None
        if kept is None:
            self.findings.append(
                Finding(
                    "optimizer_off",
                    "info",
                    f"Compute Optimizer is off in {self.place}: there is nothing to compare with",
                )
            )
            return None
        return {name: from_record(OptimizerFinding, each) for name, each in kept.items()}

    def _ask_optimizer(self) -> dict[str, Any] | None:
        found = account_reports.optimizer_findings(self.services)
        return None if found is None else {name: to_record(each) for name, each in found.items()}

    # The journal

    def kept(self, step: str) -> Any:
        """A step's answer in the journal; None without one."""
        return self.journal.get(f"{self.place}/{step}")

    def keep(self, step: str, answer: Any) -> None:
        """Keep a step's answer in the journal."""
        self.journal.keep(f"{self.place}/{step}", answer)

    def _once(self, step: str, ask: Callable[[], Any]) -> Any:
        return self.journal.once(f"{self.place}/{step}", ask)

    def _records(self, step: str, kind: type[T], ask: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        kept = self._once(step, lambda: [to_record(each) for each in ask()])
        try:
            return tuple(from_record(kind, each) for each in kept)
        except RecordError as error:
            raise AwsError(f"the scan's journal can't be read ({error}): `restart=True`") from None

    def cannot(self, what: str, error: AwsError) -> None:
        """Note that something couldn't be read, with AWS's reason."""
        kind = "may not" if isinstance(error, AccessDeniedError) else "could not"
        self.findings.append(
            Finding("not_read", "warning", f"{self.place}: {kind} read {what} ({error})")
        )


def parts(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """Items in groups of so many; the last may have fewer."""
    rest = iter(items)
    while part := tuple(islice(rest, size)):
        yield part
