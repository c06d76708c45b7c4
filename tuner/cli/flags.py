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
    *("after", "allow_different_replies", "allow_outside", "api_url", "arm_speed", "batch_size"),
    *("before", "budget_usd", "build", "code", "cold_start_share", "concurrency"),
    *(
        "against",
        "architectures",
        "compare",
        "container_concurrency",
        "create",
        "days",
        "different_functions",
        "endpoint_url",
        "exhaustive",
    ),
    *("fail_on", "force", "function", "goal", "hooks_each", "isolation", "keep", "keep_payloads"),
    *("bill", "by", "deploys", "logs", "revenue", "tags"),
    *("max_invocations", "min_saving_ratio", "min_saving_usd_per_month", "needs_gpu", "number"),
    *("once_each", "out", "payload_size", "peak_ratio", "percentile", "port", "profile"),
    *(
        "prior",
        "provisioned",
        "raw",
        "region",
        "regions",
        "repository",
        "restart",
        "resume",
        "seed",
        "source",
        "spot_share",
        "take_over",
    ),
    *(
        "allow_side_effects",
        "arrivals",
        "artillery",
        "bucket",
        "engine",
        "functions",
        "phase",
        "scan",
    ),
    *("state_machine", "tag", "wheel"),
    *("batch_window", "event_size", "max_delay", "need", "pathways", "per_invocation"),
    *("calls", "choice", "error_rate", "fleet", "items", "state_time", "substitution", "sweep"),
    *("backlog", "downstream"),
    *("account_log_gb", "log_class", "overheads", "retention_days"),
    *("athena", "results"),
    *("alias", "live", "memory_size", "step_timeout", "steps", "unqualified"),
    *("role", "stage", "template", "top", "traffic", "utilization", "vary"),
)
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
