"""Settings around a command: options' defaults, the folders of sweeps and examples, the date.

Defaults come from `TUNER_*` variables, then the project's file, then the user's own.

The project's file is tuner.toml, or [tool.tuner] in pyproject.toml, in the working folder; the
user's own is lambda-tuner/config.toml in the user's configuration folder (~/.config on Linux).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from tuner.errors import InputError

NO_SLACK: Final = "--time-weight replaced the slack: 0.1 is usual, 0 asks for the plain cheapest"
"""Shown if the old slack setting is still given."""
KEYS: Final = frozenset(
    {
        "account_gb_seconds", "allow_different_replies", "api_gateway", "api_url", "architecture",
        "arm_speed", "autoscaling", "bill", "budget_usd", "cold_start_share", "concurrency",
        "container_concurrency", "days", "detailed_exitcode", "discount_percent", "endpoint_url",
        "exhaustive", "fail_if_saving_over", "fail_on", "format", "gateway_usd_per_million", "goal",
        "isolation", "json", "leave_concurrency", "load_balancer_usd_per_month", "local",
        "log_kb_per_request", "max_cost_per_million", "max_duration", "max_invocations",
        "max_memory", "memory_sizes", "migration_cost_usd", "min_memory", "min_saving_ratio",
        "min_saving_usd_per_month", "nat", "needs_gpu", "once_each", "ops_cost_usd", "out",
        "payload", "peak_ratio", "per_month", "percentile", "port", "prior", "profile",
        "provisioned", "rate", "region", "require_comment", "savings_plan", "seed", "spot_share",
        "time_weight", "tolerance", "traffic", "trigger", "utilization",
    }
)  # fmt: skip
"""Options that a file may set. Not `yes`: entering a folder doesn't mean you agree. Not `before`
and `after`, which run commands; no variable sets them either. Not which comment is updated, or
where."""
USERS_OWN: Final = frozenset({"api_url", "endpoint_url", "profile"})
"""Options that decide who gets your credentials. A project's file can't set them, because it often
comes from somebody else with a checkout. The user's own configuration file can."""
_WRITTEN: Final = "out"
_FILES: Final = frozenset({"bill", "local", _WRITTEN, "payload", "prior", "traffic"})
"""Options that name files: a project's file may name only files in its own folder."""
ENVIRONMENT_ONLY: Final = frozenset(
    {
        "yes", "allow_side_effects", "different_functions", "dry_run", "explain", "force",
        "function", "keep_payloads",
    }
)  # fmt: skip
KEY_OF: Final = {"format_name": "format"}
"""The key of a parameter that isn't called so, because Python has taken the name."""
_SHOWN: Final = 80
_LISTS_WITH_COMMAS: Final = frozenset({"memory_sizes"})


def defaults_for(parameters: Collection[str]) -> dict[str, Any]:
    """Defaults for a command's parameters: the environment's, the project's, the user's own.

    Raises InputError for an unreadable file, an unknown key, or a slack, which would change nothing
    (in a file always, in a variable if the command has a goal).
    """
    if "time_weight" in parameters and os.environ.get("TUNER_COST_SLACK"):
        raise InputError(f"TUNER_COST_SLACK is no longer a setting: {NO_SLACK}")
    merged = {
        **read_users_own(users_own_path()),
        **read_file(Path.cwd()),
        **read_environment(dict(os.environ)),
    }
    keys = {name: KEY_OF.get(name, name) for name in parameters}
    return {name: merged[key] for name, key in keys.items() if key in merged}


def read_environment(environment: dict[str, str]) -> dict[str, Any]:
    """`TUNER_MAX_DURATION=500ms` for `--max-duration 500ms`; an empty one is not set."""
    found: dict[str, Any] = {}
    for name in KEYS | ENVIRONMENT_ONLY:
        if given := environment.get(f"TUNER_{name.upper()}"):
            found[name] = [given] if name == "payload" else given
    return found


def users_own_path() -> Path:
    """The user's own configuration file, whatever the working folder."""
    from platformdirs import user_config_path

    return user_config_path("lambda-tuner", appauthor=False) / "config.toml"


def read_users_own(path: Path) -> dict[str, Any]:
    """The user's own settings; empty if there's no file. Raises InputError."""
    return _checked(str(path), _parse(path, str(path))) if _is_file(path) else {}


def read_file(folder: Path) -> dict[str, Any]:
    """The settings in tuner.toml, or else [tool.tuner] in pyproject.toml; empty without either.

    Raises InputError, also for what only the user's own file may set.
    """
    path = folder / "tuner.toml"
    if path.is_file():
        return _of_project(path.name, _parse(path, path.name), folder)
    path = folder / "pyproject.toml"
    if path.is_file():
        tool = _parse(path, path.name).get("tool", {})
        if not isinstance(tool, dict):
            raise InputError("pyproject.toml: tool must be a table: write [tool.tuner]")
        return _of_project("pyproject.toml, [tool.tuner]", tool.get("tuner", {}), folder)
    return {}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder without access
        return False


def _of_project(where: str, table: Any, folder: Path) -> dict[str, Any]:
    """A project's settings: none that send credentials elsewhere, no files from elsewhere."""
    found = _checked(where, table)
    for name in sorted(USERS_OWN & found.keys()):
        flag = name.replace("_", "-")
        raise InputError(
            f"{where}: {flag!r} can't be set by a project, because it decides who gets your "
            f"credentials; give --{flag}, set TUNER_{name.upper()}, or set it in "
            f"{users_own_path()}"
        )
    for name in sorted(_FILES & found.keys()):
        given = found[name] if isinstance(found[name], list) else [found[name]]
        if any(_is_outside(str(each), folder, is_new=name == _WRITTEN) for each in given):
            raise InputError(
                f"{where}: {name!r} names a file outside the project's folder; give --{name} "
                "if you mean it"
            )
    return found


def _is_outside(given: str, folder: Path, *, is_new: bool) -> bool:
    """Whether it's the path of a file elsewhere, following links; what exists nowhere is no file
    unless it's to be made (`is_new`).
    """
    try:
        path = (folder / given).resolve()
        return (is_new or path.exists()) and not path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # inline JSON isn't a valid file name
        return False


def _parse(path: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{shown} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown} is not valid TOML: {_problem(error)}") from None


def _problem(error: Exception) -> str:
    if isinstance(error, tomllib.TOMLDecodeError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (at byte {error.start})"
    return "it is nested too deeply, or a number in it is out of range"


def _checked(where: str, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise InputError(f'{where}: this must be a table, such as goal = "cost"')
    return dict(_entry(where, key, given) for key, given in table.items())


def _entry(where: str, key: str, given: Any) -> tuple[str, Any]:
    name = key.replace("-", "_")
    if name in ENVIRONMENT_ONLY:
        raise InputError(f"{where}: {key!r} can't be set in a file; give --{name} if you mean it")
    if name == "cost_slack":
        raise InputError(f"{where}: {key!r} is no longer a setting: {NO_SLACK}")
    if name not in KEYS:
        known = sorted(each.replace("_", "-") for each in KEYS)
        near = get_close_matches(key[:_SHOWN].replace("_", "-"), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise InputError(f"{where}: unknown key {key[:_SHOWN]!r}; {hint}")
    if name == "payload":
        return name, [str(one) for one in (given if isinstance(given, list) else [given])]
    if name in _LISTS_WITH_COMMAS and isinstance(given, list):
        return name, ",".join(map(str, given))
    if isinstance(given, (str, int, float, bool)):
        return name, given if isinstance(given, bool) else str(given)
    raise InputError(f"{where}: {key} takes one value, as --{key.replace('_', '-')} does")


def state_dir() -> Path:
    """Where sweeps and journals are kept: TUNER_STATE_DIR, else the user's state folder."""
    from tuner.sweep.store import default_state_dir

    given = os.environ.get("TUNER_STATE_DIR")
    return Path(given) if given else default_state_dir()


def examples_dir() -> Path:
    """The examples: in the installed package, or beside it in a checkout."""
    package_dir = Path(__file__).parents[1]
    installed = package_dir / "examples"
    return installed if installed.is_dir() else package_dir.parent / "examples"


def today() -> date:
    """Today in UTC; SOURCE_DATE_EPOCH (seconds) overrides it, so output can be reproduced.

    See reproducible-builds.org/specs/source-date-epoch. Raises InputError if it isn't a number.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return datetime.now(UTC).date()
    try:
        return datetime.fromtimestamp(int(given), UTC).date()
    except (ValueError, OverflowError, OSError):
        raise InputError("SOURCE_DATE_EPOCH must be a number of seconds since 1970") from None
