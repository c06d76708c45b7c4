"""What happens during a rollout, as values for a hook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.rollout.needed import Needed
    from tuner.rollout.steps import Step


@dataclass(frozen=True, slots=True)
class StepBegan:
    """The alias routes a step's share to the new version."""

    step: Step
    needed: Needed


@dataclass(frozen=True, slots=True)
class Looked:
    """Both versions were compared; counts are of this step."""

    step: Step
    new_count: int
    old_count: int
    needed_count: int
    passed_s: float


@dataclass(frozen=True, slots=True)
class MetricsMissing:
    """CloudWatch has nothing by version: this step goes by reports alone."""


@dataclass(frozen=True, slots=True)
class StepSettled:
    """Enough is known to go on."""

    step: Step
    new_count: int
    old_count: int


@dataclass(frozen=True, slots=True)
class TurnedBack:
    """The alias is about to be set back."""

    reason: str


RolloutEvent = StepBegan | Looked | MetricsMissing | StepSettled | TurnedBack

RolloutHook = Callable[[RolloutEvent], None]
"""Takes every event, in order."""
