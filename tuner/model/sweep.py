"""All calls of one run, and what is needed to repeat the analysis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import SweepFileError
from tuner.model.optional_import import optional_import
from tuner.model.presented import Presented

if TYPE_CHECKING:
    import pandas as pd

    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.invocation import Invocation
    from tuner.model.plan import SweepPlan
    from tuner.model.prior_evidence import PriorEvidence

SweepEnd = Literal["complete", "interrupted", "budget", "failed"]
_REPORTED: Final = (
    "duration_ms", "billed_duration_ms", "init_duration_ms", "restore_duration_ms",
    "max_memory_used_mb",
)  # fmt: skip
_OWN: Final = (
    "index", "memory_mb", "payload", "version", "environment", "started_s", "client_duration_ms",
    "cost_usd", "cold_start", "throttle_count",
)  # fmt: skip
_COLUMNS: Final = (*_OWN, "outcome", "warm_sample", *_REPORTED)


@dataclass(frozen=True, slots=True)
class Sweep(Presented):
    """A sweep as measured; a notebook shows its answer.

    >>> sweep = tuner.load_sweep("examples/sweeps/mixed.jsonl")
    >>> sweep.function.name, sweep.function.memory_mb, len(sweep.invocations)
    ('mixed', 3008, 18)

    `environment` is "local" for an endpoint on loopback. `findings` are those of the run itself
    (host, throttles, refused sizes); those of the analysis come later. `end` is None for a file
    that stops in the middle.
    """

    plan: SweepPlan
    function: FunctionConfig
    environment: Literal["aws", "local"]
    started_at: str
    """UTC, ISO 8601."""
    tool_version: str
    invocations: tuple[Invocation, ...] = ()
    findings: tuple[Finding, ...] = ()
    end: SweepEnd | None = None
    wall_s: float = 0.0
    throttle_count: int = 0
    memory_cap_mb: int | None = None
    """The most that the account turned out to allow; None: no size was refused."""
    file: str | None = None
    goal: Goal | None = None
    """What it was tuned for; None if its file doesn't say."""
    prior: PriorEvidence | None = None
    """The evidence from an earlier sweep, if there was one."""

    @property
    def began_at(self) -> datetime:
        """When it began. Raises SweepFileError where its file doesn't say."""
        try:
            began_at = datetime.fromisoformat(self.started_at)
        except ValueError:
            raise SweepFileError(
                f"the sweep of {self.function.name} has no time ({self.started_at!r}): tune again"
            ) from None
        return began_at if began_at.tzinfo else began_at.replace(tzinfo=UTC)

    @property
    def alone(self) -> Sweep:
        """The sweep without the evidence from an earlier one: only what was measured now."""
        return replace(self, prior=None)

    def __repr__(self) -> str:
        """One line: there may be thousands of invocations."""
        size_count = len({each.memory_mb for each in self.invocations})
        return (
            f"<Sweep of {self.function.name} ({self.environment}, {self.function.memory_mb} MB): "
            f"{len(self.invocations)} invocations at {size_count} sizes, "
            f"{self.end or 'cut off'}, {self.started_at}>"
        )

    @property
    def cost_usd(self) -> float:
        """The cost of all invocations, including failed and cold ones."""
        return sum(invocation.cost_usd for invocation in self.invocations)

    def to_frame(self) -> pd.DataFrame:
        """One row per invocation, in the file's order, for exploring in a notebook.

        Columns end in their unit; what the platform didn't report is NaN. Raises InputError without
        pandas.
        """
        with optional_import("a frame needs pandas", "pandas", extra="notebook"):
            import pandas as pd  # noqa: PLC0415 - heavy, and an extra
        return pd.DataFrame([_row(each) for each in self.invocations], columns=list(_COLUMNS))


def _row(invocation: Invocation) -> dict[str, object]:
    return {
        **{name: getattr(invocation, name) for name in _OWN},
        "outcome": invocation.outcome.value,
        "warm_sample": invocation.is_warm_sample,
        **{name: getattr(invocation.report, name, None) for name in _REPORTED},
    }
