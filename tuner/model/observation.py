"""What production's own logs say of functions: a report, where it is from, and what they add up to.

Durations are those of invocations that succeeded: a failed one is never a duration sample. Counts
and costs are of every invocation that Lambda billed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.number_fields import check_number

if TYPE_CHECKING:
    from tuner.model.advice import Advice
    from tuner.model.finding import Finding

ObservedOutcome = Literal["success", "error", "timeout", "oom"]
_EXACT = Context(prec=60)
"""1/1,024,000 ends after 13 decimals: nothing is rounded."""


REGION: Final = (
    r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-isob?)?"
    r"-(?:central|(?:north|south)?(?:east|west)|north|south)-[0-9]"
)
"""A region's name, as folders of archives have it: in the syntax of any engine, without groups."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where reports are from. What a source does not name is None: no function, no region, …"""

    source: str
    """A file's path, or the name of a live source with its log group."""
    function: str | None = None
    version: str | None = None
    """A published version's number, or $LATEST."""
    log_stream: str | None = None
    account: str | None = None
    region: str | None = None
    architecture: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends included, in UTC; None where no line has a time."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long it is; None where it has no ends, or both are the same."""
        if self.start is None or self.end is None or self.end <= self.start:
            return None
        return (self.end - self.start).total_seconds()


def days_before(end: datetime, days: float, name: str = "days") -> datetime:
    """So many days earlier, or the first time there is. Raises UsageError, with the parameter's
    name, for what isn't a number of days.
    """
    check_number(name, days, "float")
    try:
        return end - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(tzinfo=end.tzinfo)


@dataclass(frozen=True, slots=True)
class Durations:
    """Handler durations of invocations that succeeded, cold ones included (INIT is apart)."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a set of reports adds up to. Sums of whole numbers are exact.

    None stands for what no report says: durations where nothing succeeded, times where no line has
    one, memory that no source has.
    """

    invocation_count: int
    billed_mb_ms: int
    """Configured memory × billed milliseconds."""
    durations: Durations | None
    cold_start_count: int
    mean_init_ms: float | None
    p95_init_ms: float | None
    p50_memory_used_mb: float | None
    p99_memory_used_mb: float | None
    max_memory_used_mb: int | None
    error_count: int
    timeout_count: int
    oom_count: int
    first: datetime | None
    last: datetime | None

    @property
    def billed_gb_seconds(self) -> Decimal:
        """Exact: 1 GB is 1,024 MB."""
        return _EXACT.divide(Decimal(self.billed_mb_ms), Decimal(1_024_000))

    @property
    def cold_start_share(self) -> float:
        """Cold starts (INIT or restore) among all invocations."""
        return self.cold_start_count / self.invocation_count if self.invocation_count else 0.0


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What a function used at one memory size in one version (None: not known)."""

    memory_mb: int
    version: str | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class FunctionUse:
    """A function of an account, as `scan` lists it."""

    account: str | None
    region: str | None
    function: str | None
    """None: of sources that name none."""
    memory_mb: int
    """The size of the latest report."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class MemoryObservation:
    """One line of an observation's table by memory size and version."""

    memory_mb: int
    version: str | None
    usage: Usage
    cost_usd: Decimal

    @property
    def cost_usd_per_million(self) -> Decimal:
        """Of a million invocations like these."""
        return self.cost_usd / self.usage.invocation_count * 1_000_000


@dataclass(frozen=True, slots=True)
class Observation:
    """The answer of `observe`: what a function did in a window, and what it cost."""

    function: str
    region: str
    architecture: str
    memory_mb: int
    """The size of its latest report."""
    window: Window
    sources: tuple[str, ...]
    usage: Usage
    by_memory: tuple[MemoryObservation, ...]
    cost_usd: Decimal
    """Requests and billed GB-seconds at list price, less the discount."""
    cost_usd_per_month: Decimal | None
    """By the window to 730 hours; None under one day."""
    max_concurrency: int | None
    unreadable_line_count: int
    left_out_count: int
    """Reports of other functions in the same sources."""
    prices_as_of: str
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    advice: Advice | None = None
    ephemeral_storage_cost_usd: Decimal | None = None
    log_ingestion_cost_usd: Decimal | None = None
    throttle_count: int | None = None

    @property
    def cost_usd_per_million(self) -> Decimal:
        """Of a million invocations like these."""
        return self.cost_usd / self.usage.invocation_count * 1_000_000

    @property
    def rate_per_s(self) -> float | None:
        """Invocations a second over the window; None without one."""
        seconds = self.window.seconds
        return None if seconds is None else self.usage.invocation_count / seconds
