"""Functions of an account whose truth is known, and what each service of AWS says of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"


@dataclass(frozen=True)
class Truth:
    """A function and what it does each day, the same every day."""

    name: str
    memory_mb: int = 1024
    daily_count: int = 1000
    warm_ms: float = 120.0
    cold_count: int = 10
    init_ms: float = 300.0
    timeout_count: int = 0
    timeout_s: int = 30
    used_mb: int = 200
    architecture: str = "x86_64"
    log_class: str = "STANDARD"
    retention_days: int | None = None
    stored_bytes: int = 1_000_000_000
    has_group: bool = True
    denied: bool = False
    json_warn: bool = False
    provisioned: tuple[tuple[str, int, float | None], ...] = ()
    optimizer: tuple[str, tuple[str, ...], int | None, float] | None = None
    memory_before: tuple[int, int] | None = None
    """(size, days ago until which it had it): a deployment changed the memory."""
    versioned: bool = False
    """Whether a published version is invoked, one for each size: 8 now, 7 before."""

    @property
    def group(self) -> str:
        return f"/aws/lambda/{self.name}"

    def memory_on(self, days_ago: int) -> int:
        before = self.memory_before
        return before[0] if before is not None and days_ago >= before[1] else self.memory_mb

    def row(self, day: datetime, days_ago: int) -> dict[str, str]:
        """A day as Insights tells it: numbers as text, some in powers of ten."""
        warm = self.daily_count - self.cold_count - self.timeout_count
        warm_ms = self.warm_ms * self.memory_mb / self.memory_on(days_ago)
        cold_billed = self.cold_count * (round(warm_ms) + round(self.init_ms))
        billed = warm * round(warm_ms) + cold_billed + self.timeout_count * self.timeout_s * 1000
        sums = {
            "invocations": self.daily_count, "billed_ms": billed, "warms": warm,
            "warm_ms": warm * warm_ms, "warm_ms2": warm * (1.09 * warm_ms**2),
            "colds": self.cold_count, "init_ms": self.cold_count * self.init_ms,
            "failures": self.timeout_count, "timeouts": self.timeout_count, "ooms": 0,
            "longest_ms": self.timeout_s * 1000.0 if self.timeout_count else 3 * warm_ms,
            "used_mb": self.used_mb, "memory": self.memory_on(days_ago),
        }  # fmt: skip
        head = {"@log": f"{ACCOUNT}:{self.group}", "day": f"{day:%Y-%m-%d} 00:00:00.000"}
        texts = {key: f"{value:.12E}" for key, value in sums.items()}
        version = "8" if self.memory_on(days_ago) == self.memory_mb else "7"
        return {**head, "version": version if self.versioned else "$LATEST", **texts}


def large_account(count: int) -> list[Truth]:
    """So many functions: a third idle, sizes and loads of all kinds, some provisioned."""
    sizes = (128, 256, 512, 1024, 1536, 1792, 2048, 3008)
    made = []
    for number in range(count):
        size = sizes[number % len(sizes)]
        daily = 0 if number % 3 == 0 else 10 ** (1 + number % 5)
        looked_at = size <= 1792 and daily * 14 >= 50
        made.append(
            Truth(
                f"function-{number:05}",
                memory_mb=size,
                daily_count=daily,
                warm_ms=40.0 + number % 97,
                cold_count=min(daily, 5),
                used_mb=60 + number % 60,
                provisioned=(("live", 5, 0.2),) if number % 50 == 1 else (),
                optimizer=("Optimized", (), None, 0.0) if looked_at else None,
            )
        )
    return made


def arn_of(truth: Truth) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{truth.name}"


def configuration(truth: Truth) -> dict[str, Any]:
    logging = {"LogFormat": "Text", "LogGroup": truth.group}
    if truth.json_warn:
        logging |= {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    return {
        "FunctionName": truth.name, "FunctionArn": arn_of(truth), "Runtime": "python3.13",
        "Role": "arn:aws:iam::123456789012:role/made", "Handler": "app.handler",
        "MemorySize": truth.memory_mb, "Timeout": truth.timeout_s, "CodeSha256": "c29tZQ==",
        "Version": "$LATEST", "Architectures": [truth.architecture], "LoggingConfig": logging,
        "EphemeralStorage": {"Size": 512}, "Environment": {"Variables": {"TOKEN": "a secret"}},
    }  # fmt: skip


def rows_of(truth: Truth, start_s: int, end_s: int) -> Iterator[dict[str, str]]:
    """A row for each whole day of the window, the last first."""
    if not truth.daily_count or truth.json_warn:
        return
    days = round((end_s + 1 - start_s) / 86_400)
    kept = days if truth.retention_days is None else min(days, truth.retention_days)
    last = datetime.fromtimestamp(end_s, UTC)
    for ago in range(kept):
        yield truth.row(last - timedelta(days=ago), ago)


def metric_of(truth: Truth, name: str, resource: str | None) -> float | None:
    if resource is not None:
        qualifier = resource.rpartition(":")[2]
        return next(used for each, _, used in truth.provisioned if each == qualifier)
    if not truth.daily_count:
        return None
    return {
        "Invocations": truth.daily_count / 24,
        "Errors": truth.timeout_count / 24,
        "Throttles": 0.0,
        "Duration": truth.daily_count * truth.warm_ms / 24,
        "ConcurrentExecutions": 3.0,
    }[name]


def optimized(truth: Truth) -> dict[str, Any]:
    assert truth.optimizer is not None
    finding, reasons, memory_mb, saving_usd = truth.optimizer
    options = []
    if memory_mb is not None:
        saving = {"currency": "USD", "value": saving_usd}
        opportunity = {"savingsOpportunityPercentage": 10.0, "estimatedMonthlySavings": saving}
        options = [{"rank": 1, "memorySize": memory_mb, "savingsOpportunity": opportunity}]
    return {
        "functionArn": f"{arn_of(truth)}:$LATEST", "functionVersion": "$LATEST",
        "currentMemorySize": truth.memory_mb, "numberOfInvocations": truth.daily_count * 14,
        "finding": finding, "findingReasonCodes": list(reasons),
        "memorySizeRecommendationOptions": options, "currentPerformanceRisk": "Low",
    }  # fmt: skip
