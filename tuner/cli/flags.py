"""Turns parameters in messages into flags.

Below the command line a message names an option as Python callers know it, in backticks: "allow
more invocations (`max_invocations`)", "give `isolation=clone`". Here it becomes
"(--max-invocations)", "give --isolation clone". What an earlier version wrote stays as it is.
"""

from __future__ import annotations

import operator
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

_OTHERWISE_NAMED: Final = {
    "time_weight": "--time-weight",
    "cpu_control": "--control",
    "discount_percent": "--discount",
    "end": "--to",
    "leave_concurrency_ratio": "--leave-concurrency",
    "event_trigger": "--trigger",
    "local_template": "--local",
    "max_cost_usd_per_million": "--max-cost-per-million",
    "max_duration_ms": "--max-duration",
    "max_memory_mb": "--max-memory",
    "memory_sizes_mb": "--memory-sizes",
    "min_memory_mb": "--min-memory",
    "older_than_days": "--older-than",
    "payloads": "--payload",
    "purpose": "--for",
    "rate_per_s": "--rate",
    "start": "--from",
    "template_environment": "--env",
    "template_parameters": "--parameter",
    "tolerance_ratio": "--tolerance",
}
_NAMED_ALIKE: Final = (
    "account_log_gb", "after", "against", "alias", "allow_different_replies", "allow_outside",
    "allow_side_effects", "api_url", "architectures", "arm_speed", "arrivals", "artillery",
    "athena", "backlog", "batch_size", "batch_window", "before", "bill", "bucket", "budget_usd",
    "build", "by", "calls", "choice", "code", "cold_start_share", "compare", "concurrency",
    "container_concurrency", "create", "days", "deploys", "different_functions", "downstream",
    "endpoint_url", "engine", "error_rate", "event_size", "executions", "exhaustive", "fail_on",
    "fleet", "force", "function", "functions", "goal", "hooks_each", "isolation", "items", "keep",
    "keep_payloads", "live", "log_class", "logs", "max_delay", "max_invocations", "memory_size",
    "min_saving_ratio", "min_saving_usd_per_month", "need", "needs_gpu", "number", "once_each",
    "out", "overheads", "pathways", "payload_size", "peak_ratio", "per_invocation", "percentile",
    "phase", "port", "prior", "profile", "provisioned", "raw", "region", "regions", "repository",
    "restart", "results", "resume", "retention_days", "revenue", "role", "scan", "seed", "source",
    "spot_share", "stage", "state_machine", "state_time", "step_timeout", "steps", "substitution",
    "sweep", "tag", "tags", "take_over", "template", "top", "traffic", "unqualified", "utilization",
    "vary", "wheel",
)  # fmt: skip
FLAGS: Final = {
    **{name: f"--{name.replace('_', '-')}" for name in _NAMED_ALIKE},
    **_OTHERWISE_NAMED,
}
"""The flag for each parameter that a message may name."""
_PARAMETER: Final = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")


def with_flags(text: str) -> str:
    """Replace the parameters in a message with flags; other words in backticks stay."""
    return _PARAMETER.sub(_as_flag, text) if "`" in text else text


def shown(value: T) -> T:
    """Return a value with flags in all its texts, however deeply nested in dataclasses and tuples
    (named ones too). A value without any is returned itself.
    """
    return cast("T", _shown(value))


def _as_flag(named: re.Match[str]) -> str:
    flag, value = FLAGS.get(named[1]), named[2]
    if flag is None:
        return named[0]
    if value == "False":
        return f"--no-{flag[2:]}"
    return flag if value in (None, "True") else f"{flag} {value}"


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return with_flags(value)
    if isinstance(value, tuple):
        parts = tuple(map(_shown, value))
        if all(map(operator.is_, parts, value)):
            return value
        return type(value)(*parts) if hasattr(value, "_fields") else parts
    if is_dataclass(value) and not isinstance(value, type):
        named = [(each.name, getattr(value, each.name)) for each in fields(value) if each.init]
        changed = {name: new for name, old in named if (new := _shown(old)) is not old}
        return replace(value, **changed) if changed else value
    return value
