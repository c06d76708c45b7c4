"""What is known of a function's cold starts. Times in ms, money in USD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.interval import Interval

OptionName = Literal["none", "snapstart", "provisioned"]
ColdEnd = Literal["complete", "interrupted", "budget", "failed"]


@dataclass(frozen=True, slots=True)
class InitParts:
    """Where an INIT's time goes, in ms on average; None: nothing tells."""

    runtime_ms: float | None = None
    """Starting the runtime, before it loads the function's code."""
    imports_ms: float | None = None
    """Loading what the function's own module imports."""
    user_init_ms: float | None = None
    """The rest of that module: what it does outside of its handler."""
    extensions_ms: float | None = None
    """What is still waited for once the runtime is ready: extensions."""
    runtime_and_code_ms: float | None = None
    """The first three together, where a log has only that."""


@dataclass(frozen=True, slots=True)
class SizeInit:
    """INIT (with SnapStart the restore) at a size; without samples it's the curve's."""

    memory_mb: int
    sample_count: int
    init_ms: Interval
    parts: InitParts | None = None


@dataclass(frozen=True, slots=True)
class SlowImport:
    """A package or module, with what it imports first (`ms`) and without (`self_ms`)."""

    module: str
    ms: float
    self_ms: float


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a latency, in ms."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class ColdOption:
    """What could be done about cold starts, at the function's size."""

    name: OptionName
    cost_usd_per_month: float | None
    """The function's whole bill; None without a rate."""
    standing_usd_per_month: float
    """Of it, what is due without any request."""
    share: float | None
    """Cold starts that are left; None without a rate."""
    latency_ms: Percentiles | None
    """Of all requests; None without a rate, or where an INIT isn't known."""
    cold_latency_ms: Percentiles | None
    """Of those that meet a cold start (or a restore)."""
    environment_count: int | None = None
    """How many are provisioned."""
    hours_per_month: float | None = None
    """How long they are."""


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """The answer of `tuner cold`."""

    function: FunctionConfig
    is_restore: bool
    """Whether SnapStart is on, so that `sizes` has restores."""
    sizes: tuple[SizeInit, ...]
    share: Interval | None
    rate_per_s: float | None
    source: str | None
    """Where the rate is from."""
    peak_concurrency: int | None
    """Running at once when a request comes, exceeded by 1% of them."""
    warm_ms: float | None
    """Mean duration of a warm request at the function's size."""
    options: tuple[ColdOption, ...]
    slow_imports: tuple[SlowImport, ...]
    package_bytes: tuple[int, int] | None
    """Zipped and unpacked; None where it wasn't read."""
    invocation_count: int
    cost_usd: float
    prices_as_of: str
    end: ColdEnd
    findings: tuple[Finding, ...] = ()
    ready_count: int = 0
    """Environments that are provisioned already: the share, and what it is now, are with them."""

    @property
    def current(self) -> SizeInit | None:
        """INIT at the function's own size."""
        return next((s for s in self.sizes if s.memory_mb == self.function.memory_mb), None)
