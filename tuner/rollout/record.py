"""What is kept of a rollout, for whoever asks later what it saved.

One file each, `rollouts/<function>/<id>.json` in the state folder. Its keys are stable:

    schema_version  1
    kind            "rollout"
    id              "rollout-20261130-081500-3fa9c1": sorts by time
    function, region
    alias           null if $LATEST itself was set (unqualified)
    from_version, to_version    numbers as text; to_version is null before it's published, and with
                                unqualified both are "$LATEST"
    from_memory_mb, to_memory_mb
    state           "running" (or killed, and not recovered yet), "finished", "returned"
    reason          why it returned, or null
    started_at, ended_at        UTC, ISO 8601; ended_at is null while it runs
    steps           for each that began: weight (0 to 1; 1 for the last), started_at, ended_at,
                    needed_count, old_count, new_count (invocations), is_settled. Between the two
                    times both versions had traffic: within the same minutes, at random.
    forecast        duration_ratio and cost_ratio (estimate, low, high: new over old), basis
    sweep_id        the sweep that it's from, or null

A rollout that was decided and whose last step began is "finished" from that step's time on.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.lease.journal import make_private_dir
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.rollout.forecast import Forecast

SCHEMA_VERSION: Final = 1
State = Literal["running", "finished", "returned"]


@dataclass(slots=True)
class StepRecord:
    """One step that began."""

    weight: float
    started_at: str
    ended_at: str | None = None
    needed_count: int | None = None
    old_count: int = 0
    new_count: int = 0
    is_settled: bool = False


@dataclass(slots=True)
class RolloutRecord:
    """A rollout, filled in as it goes; see the module for what the fields mean."""

    id: str
    function: str
    region: str
    alias: str | None
    from_version: str
    to_version: str | None
    from_memory_mb: int
    to_memory_mb: int
    started_at: str
    steps: list[StepRecord]
    forecast: Forecast | None
    sweep_id: str | None = None
    state: State = "running"
    reason: str | None = None
    ended_at: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The file's content, and `tuner apply --live --json`."""
        return {"schema_version": SCHEMA_VERSION, "kind": "rollout", **asdict(self)}

    def keep(self, state_dir: Path) -> None:
        """Write the file. A disk that can't be written doesn't end a rollout."""
        with suppress(OSError):
            path = record_path(state_dir, self.function, self.id)
            make_private_dir(path.parent)
            data = json.dumps(self.to_json(), indent=1, allow_nan=False).encode() + b"\n"
            write_whole(path, data, new_mode=0o600)


def record_path(state_dir: Path, function: str, rollout_id: str) -> Path:
    """Where a rollout is kept."""
    return state_dir / "rollouts" / function / f"{rollout_id}.json"


def close_record(
    state_dir: Path, function: str, rollout_id: str, state: State, *, reason: str, ended_at: str
) -> None:
    """Say in a killed rollout's file how it was recovered, if there is one."""
    path = record_path(state_dir, function, rollout_id)
    with suppress(OSError, ValueError, TypeError, RecursionError):
        kept = json.loads(path.read_bytes())
        kept |= {"state": state, "reason": reason, "ended_at": ended_at}
        write_whole(path, json.dumps(kept, indent=1).encode() + b"\n")
