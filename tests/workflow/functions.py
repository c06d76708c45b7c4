"""Functions of workflows with a known truth, and the files that a command is given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.sweeps import made_function, made_sweep, save_sweep
from tuner.decision.workflow.function_times import PERCENTILES, Draw, FunctionTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tuner.model.sweep import Sweep


def sweep_of(name: str, duration_ms: Callable[[int], float], **made: Any) -> Sweep:
    """A made sweep of a function of that name."""
    sweep = made_sweep(duration_ms, **made)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    return replace(sweep, function=made_function(sweep.function.memory_mb, name=name, arn=arn))


def saved(folder: Path, name: str, duration_ms: Callable[[int], float], **made: Any) -> None:
    """The same in a file."""
    save_sweep(folder / f"{name}.jsonl", sweep_of(name, duration_ms, **made))


def exact(
    name: str,
    duration_ms: Sequence[float],
    cost_usd: Sequence[float],
    *,
    spread: float = 0.0,
    cold_share: float = 0.0,
    init_ms: float = 0.0,
) -> FunctionTimes:
    """Known exactly at sizes of 128, 256 MB and so on; calls are uniform within ± `spread`."""
    shares = np.array(PERCENTILES) / 100
    sizes = tuple(128 * (number + 1) for number in range(len(duration_ms)))
    known = Draw(
        np.array([duration_ms], dtype=float),
        np.array([1 + spread * (2 * shares - 1)]),
        np.full(len(sizes), init_ms),
        np.array(cost_usd, dtype=float),
    )
    return FunctionTimes(
        name, sizes, (True,) * len(sizes), (True,) * len(sizes), sizes[0], (1.0,), (1.0,),
        cold_share, known, (known,),
    )  # fmt: skip


def task(function: str, **more: Any) -> dict[str, Any]:
    """A Task that invokes a function."""
    invoke = {"FunctionName": function, "Payload.$": "$"}
    parts = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": invoke}
    return {**parts, **({} if "Next" in more else {"End": True}), **more}


def definition(start: str, **states: dict[str, Any]) -> str:
    """A state machine as text."""
    return json.dumps({"StartAt": start, "States": states})
