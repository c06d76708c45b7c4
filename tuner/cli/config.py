"""Defaults of options: `TUNER_*` variables, then tuner.toml or [tool.tuner] of pyproject.toml."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

KEYS: Final = frozenset(
    {
        "budget_usd", "cold_start_share", "concurrency", "cost_slack", "detailed_exitcode",
        "endpoint_url", "fail_if_saving_over", "require_comment",
        "exhaustive", "format", "goal", "isolation", "json", "leave_concurrency", "local",
        "max_cost_per_million",
        "max_duration", "max_invocations", "max_memory", "memory_sizes", "min_memory",
        "once_each", "out",
        "payload", "percentile", "port", "profile", "region", "seed", "tolerance",
        "account_gb_seconds", "container_concurrency", "gateway_usd_per_million",
        "load_balancer_usd_per_month", "migration_cost_usd", "min_saving_ratio",
        "min_saving_usd_per_month", "nat", "ops_cost_usd", "peak_ratio", "per_month", "rate",
        "savings_plan", "spot_share", "traffic", "trigger", "utilization",
        "api_gateway",
        "arm_speed", "bill", "days", "log_kb_per_request", "needs_gpu", "provisioned",
    }
)  # fmt: skip
"""Options that a file may set. Not `yes`: a folder that you enter does not agree for you. Nor
`before` and `after`, which neither a file nor a variable sets: it runs no commands either.
Nor where a comment goes: a pull request's own files do not say who is sent the token."""
ENVIRONMENT_ONLY: Final = frozenset(
    {"yes", "allow_side_effects", "dry_run", "force", "function", "keep_payloads"}
)
_LISTS_WITH_COMMAS: Final = frozenset({"memory_sizes"})


def defaults_for(parameters: Collection[str]) -> dict[str, Any]:
    """Defaults for a command's parameters, the environment's before the file's.

    Raises InputError for an unreadable file or an unknown key.
    """
    merged = {**read_file(Path.cwd()), **read_environment(dict(os.environ))}
    return {name: given for name, given in merged.items() if name in parameters}


def read_environment(environment: dict[str, str]) -> dict[str, Any]:
    """`TUNER_MAX_DURATION=500ms` for `--max-duration 500ms`; an empty one is not set."""
    found: dict[str, Any] = {}
    for name in KEYS | ENVIRONMENT_ONLY:
        if given := environment.get(f"TUNER_{name.upper()}"):
            found[name] = [given] if name == "payload" else given
    return found


def read_file(folder: Path) -> dict[str, Any]:
    """The table of tuner.toml, or else [tool.tuner] of pyproject.toml; empty without either."""
    path = folder / "tuner.toml"
    if path.is_file():
        return _checked(path.name, _parse(path))
    path = folder / "pyproject.toml"
    if path.is_file():
        tool = _parse(path).get("tool", {})
        return _checked("pyproject.toml, [tool.tuner]", tool.get("tuner", {}))
    return {}


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}") from error


def _checked(where: str, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise InputError(f'{where}: a table is wanted, such as goal = "cost"')
    return dict(_entry(where, key, given) for key, given in table.items())


def _entry(where: str, key: str, given: Any) -> tuple[str, Any]:
    name = key.replace("-", "_")
    if name in ENVIRONMENT_ONLY:
        raise InputError(
            f"{where}: {key!r} cannot be set in a file; give --{name} when you mean it"
        )
    if name not in KEYS:
        known = ", ".join(sorted(key.replace("_", "-") for key in KEYS))
        raise InputError(f"{where}: unknown key {key!r}; known are {known}")
    if name == "payload":
        return name, [str(one) for one in (given if isinstance(given, list) else [given])]
    if name in _LISTS_WITH_COMMAS and isinstance(given, list):
        return name, ",".join(map(str, given))
    if isinstance(given, (str, int, float, bool)):
        return name, given if isinstance(given, bool) else str(given)
    raise InputError(f"{where}: {key} takes one value, as --{key.replace('_', '-')} does")
