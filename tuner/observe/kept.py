"""The latest observation of each function, kept for who tunes it next; and any that is a file.

What is kept is the object that `observe` prints as JSON: nothing in it is more than figures.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import InputError
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence, ProductionSize
from tuner.observe.side_files import in_utc
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    import os

FRESH: Final = timedelta(days=30)
"""Older traffic is not taken for today's unless it is asked for by name."""
_FEWEST_INVOCATIONS: Final = 50
"""A size with fewer tells nothing of the curve."""


def keep(state_dir: Path, answer: dict[str, Any]) -> None:
    """Keep an observation, in place of the function's earlier one. A full disk loses no answer."""
    file = _file(state_dir, answer["function"]["name"])
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(file, json.dumps(answer).encode(), new_mode=0o600)
    except OSError:
        return


def forget(state_dir: Path, function: str) -> None:
    """Delete what was kept of a function."""
    _file(state_dir, function).unlink(missing_ok=True)


def fresh_observation(state_dir: Path, function: str, now: datetime) -> dict[str, Any] | None:
    """The function's latest observation, if its window ended lately; None without one."""
    file = _file(state_dir, function)
    if not file.is_file():
        return None
    try:
        found = read_observation(file)
        end = datetime.fromisoformat(str(found["window"].get("to")))
    except (InputError, ValueError):
        return None
    return found if now - in_utc(end) <= FRESH else None


def is_observation(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds an observation, and not a sweep."""
    try:
        with Path(path).open("rb") as file:
            begin = file.read(4096)
    except OSError:
        return False
    return b'"kind"' in begin and b'"observation"' in begin


def read_observation(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `observe` printed as JSON. Raises InputError."""
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _no_observation(path) from None
    if not isinstance(found, dict) or found.get("kind") != "observation":
        raise _no_observation(path)
    wanted = {"function": dict, "window": dict, "by_memory": list}
    if not all(isinstance(found.get(key), kind) for key, kind in wanted.items()):
        raise _no_observation(path)
    return found


def rate_of(observation: dict[str, Any]) -> float | None:
    """Invocations a second; None where the observation doesn't say."""
    return _positive(observation.get("rate_per_s"))


def observed_prior(
    observation: dict[str, Any], *, function: str, region: str, payloads: tuple[str, ...]
) -> PriorEvidence:
    """What an observation tells a sweep of `payloads`: rate, cold starts, memory used and, from two
    sizes on, the curve's shape. Never its level, since production's events are others.

    Raises InputError for an observation of another function.
    """
    name, place = (observation["function"].get(key) for key in ("name", "region"))
    if (name, place) != (function, region):
        raise InputError(
            f"`prior` is an observation of {name} in {place}, and not of {function} in {region}"
        )
    until = str(observation["window"].get("to") or "")
    rows = [each for each in observation["by_memory"] if _is_known(each)]
    # The level of one size tells a sweep nothing that its own samples of other events don't.
    several = len({each["memory_mb"] for each in rows}) > 1
    share = observation.get("cold_start_share")
    production = _production(observation)
    return PriorEvidence(
        source_id=f"the observation until {until[:10]}" if until else "an observation",
        started_at=until,
        code_sha256="",
        source="observation",
        other_events=payloads,
        killed_mb=max((each.memory_mb for each in production if each.oom_count), default=None),
        environments=tuple(
            PriorEnvironment(
                payload=payload,
                memory_mb=each["memory_mb"],
                environment=f"{each['memory_mb']}/{each.get('version') or number}",
                cold=False,
                durations_ms=(float(each["duration_ms"]["mean"]),),
            )
            for payload in payloads
            for number, each in enumerate(rows)
            if several
        ),
        rate_per_s=rate_of(observation),
        cold_start_share=float(share) if isinstance(share, int | float) and share <= 1 else None,
        production=production,
    )


def _production(observation: dict[str, Any]) -> tuple[ProductionSize, ...]:
    """What each size took. Where a row doesn't say how much memory was used, the whole does."""
    whole = observation.get("max_memory_used_mb")
    most = _count(whole.get("max")) if isinstance(whole, dict) else None
    rows: dict[int, list[dict[str, Any]]] = {}
    for each in observation["by_memory"]:
        if isinstance(each, dict) and (size := _count(each.get("memory_mb"))):
            rows.setdefault(size, []).append(each)
    return tuple(_production_size(size, rows[size], most) for size in sorted(rows))


def _production_size(
    memory_mb: int, rows: list[dict[str, Any]], most_used_mb: int | None
) -> ProductionSize:
    known = [each for each in rows if _is_known(each)]
    latest = max(known, key=lambda each: str(each.get("to") or ""), default={})
    durations = latest.get("duration_ms", {})
    used = [_count(each.get("max_memory_used_mb")) or most_used_mb for each in rows]
    return ProductionSize(
        memory_mb=memory_mb,
        invocation_count=sum(_count(each.get("invocation_count")) or 0 for each in rows),
        mean_ms=_positive(durations.get("mean")),
        p50_ms=_positive(durations.get("p50")),
        p95_ms=_positive(durations.get("p95")),
        max_memory_used_mb=max((each for each in used if each), default=None),
        oom_count=sum(_count(each.get("oom_count")) or 0 for each in rows),
    )


def _is_known(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("memory_mb"), int):
        return False
    durations = row.get("duration_ms")
    mean = durations.get("mean") if isinstance(durations, dict) else None
    count = row.get("invocation_count")
    enough = isinstance(count, int) and count >= _FEWEST_INVOCATIONS
    return enough and row["memory_mb"] > 0 and _positive(mean) is not None


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53
    return int(str(value)) if is_count else None


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
        return None
    return float(value)


def _file(state_dir: Path, function: str) -> Path:
    return state_dir / "observed" / f"{Path(function).name}.json"


def _no_observation(path: str | os.PathLike[str]) -> InputError:
    return InputError(f"{path} is no observation: give what `tuner observe` printed as JSON")
