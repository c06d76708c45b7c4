"""What a scan of an account says: each function's use, cost and advice, and what is beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tuner.model.account import (
        AccountFunction,
        FunctionMetrics,
        OptimizerFinding,
        ReadingCost,
    )
    from tuner.model.advice import Advice
    from tuner.model.finding import Finding
    from tuner.model.observation import Window

CostBasis = Literal["reports", "metrics"]
"""What a cost is summed from: billed durations of REPORT lines, or CloudWatch's durations, which
have neither INIT nor rounding in them."""
Agreement = Literal["agree", "disagree", "open", "blind"]
"""blind: Compute Optimizer doesn't look at such a function; open: one of the two says nothing."""


@dataclass(frozen=True, slots=True)
class DaySums:
    """What a function's reports of one UTC day add up to, at one size in one version.

    A warm invocation succeeded without a cold start: its duration is a sample. Everything else is
    counted over all.
    """

    function: str
    day: str
    """ISO: 2026-11-29; empty where no line has a time."""
    version: str | None
    memory_mb: int
    invocation_count: int
    billed_ms_sum: int
    warm_count: int
    warm_ms_sum: float
    warm_ms2_sum: float
    """Of squares, for the spread."""
    cold_count: int
    init_ms_sum: float
    error_count: int
    timeout_count: int
    oom_count: int
    longest_ms: float
    max_memory_used_mb: int | None


@dataclass(frozen=True, slots=True)
class IdleProvisioned:
    """Provisioned environments of a version or alias, and what those that idle cost."""

    qualifier: str
    allocated_count: int
    mean_utilization_ratio: float
    idle_usd_per_month: float


@dataclass(frozen=True, slots=True)
class OptimizerView:
    """Compute Optimizer's finding beside the advice: whether they agree, and why not."""

    finding: OptimizerFinding | None
    agreement: Agreement
    why: str


@dataclass(frozen=True, slots=True)
class ScannedFunction:
    """A function as the scan found it. None stands for what couldn't be read or isn't priced."""

    function: AccountFunction
    invocation_count: int | None
    cost_usd_per_month: float | None
    cost_basis: CostBasis | None
    mean_ms: float | None
    longest_ms: float | None
    cold_start_share: float | None
    max_memory_used_mb: int | None
    error_count: int | None
    timeout_count: int | None
    oom_count: int | None
    throttle_count: int | None
    advice: Advice | None
    optimizer: OptimizerView | None
    """None where Compute Optimizer is off, or wasn't asked."""
    provisioned: tuple[IdleProvisioned, ...]
    findings: tuple[Finding, ...]

    @property
    def saving_usd_per_month(self) -> float:
        """What is expected to be saved; nothing where nothing is advised."""
        saving = None if self.advice is None else self.advice.saving_usd_per_month
        return 0.0 if saving is None else max(saving.estimate, 0.0)

    @property
    def value_per_dollar(self) -> float | None:
        """Expected saving a month for each dollar of a sweep; None where none is advised."""
        advice = self.advice
        if advice is None or advice.verdict != "sweep" or advice.sweep is None:
            return None
        return advice.sweep.value_per_dollar


@dataclass(frozen=True, slots=True)
class Scan:
    """The answer of `scan`: functions, those first that would save the most."""

    functions: tuple[ScannedFunction, ...]
    window: Window
    sources: tuple[str, ...]
    cost: ReadingCost | None
    """None where only archives were read."""
    prices_as_of: str
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]

    @property
    def total_cost_usd_per_month(self) -> float | None:
        """Of those whose cost is known; None where none is."""
        costs = [each.cost_usd_per_month for each in self.functions]
        known = [each for each in costs if each is not None]
        return sum(known) if known else None

    @property
    def saving_usd_per_month(self) -> float:
        """What is expected to be saved in all."""
        return sum(each.saving_usd_per_month for each in self.functions)

    @property
    def not_invoked_count(self) -> int:
        """Functions without an invocation in the window."""
        return sum(each.invocation_count == 0 for each in self.functions)

    @property
    def idle_provisioned_usd_per_month(self) -> float:
        """What provisioned environments cost while they aren't used."""
        return sum(some.idle_usd_per_month for each in self.functions for some in each.provisioned)


@dataclass(frozen=True, slots=True)
class FunctionEvidence:
    """All that was read of a function, before anything is said of it."""

    function: AccountFunction
    metrics: FunctionMetrics | None
    days: tuple[DaySums, ...] | None
    """None where its logs weren't read."""
    optimizer: OptimizerFinding | None = None
    provisioned: tuple[tuple[str, int, float | None], ...] = ()
    """(version or alias, environments kept ready, mean share in use or None)."""
    unread: str | None = None
    """Why its logs weren't read."""
    kept_days: float | None = None
    """How many days its log goes back, where that's less than was asked for."""
    digests: tuple[tuple[str, str], ...] = ()
    """(version, digest of its code), where versions were compared."""
    processor_ms: tuple[tuple[int, float], ...] = ()
    """(size, mean CPU time), where Lambda Insights measured it."""
