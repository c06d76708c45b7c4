"""How closely the local Lambda matches Lambda on a machine, as `tuner local check` measured it."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.model.lambda_limits import vcpu_share

BUSY_RATIO = 0.95
"""If a bare loop gets less of a core than this, the machine is busy."""

BUSY_LOAD_RATIO = 0.4
"""With this share of all cores' time, other processes disturb what is measured."""

CHANGED_SPEED_RATIO = 1.25
"""If a fixed loop takes this much longer at one time than at another, the machine's own speed is
among what is measured."""


@dataclass(frozen=True, slots=True)
class ShareCheck:
    """CPU time over wall time at one size, for a handler that computes without a pause."""

    memory_mb: int
    worker_count: int
    """Processes that computed at once: one, or as many as the share can feed."""
    measured_cores: float
    """Median of the repetitions."""
    jitter_ratio: float
    """Longest minus shortest repetition, over their median."""
    bare_ratio: float
    """What as many unlimited loops got of a core each in between (median): 1 if free."""

    @property
    def expected_cores(self) -> float:
        """Lambda's share: memory/1,769 vCPU, as far as the workers can use it."""
        return min(vcpu_share(self.memory_mb), float(self.worker_count))

    @property
    def off_ratio(self) -> float:
        """The measured share's deviation from it: -0.02 is 2% too little."""
        return self.measured_cores / self.expected_cores - 1


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One control of CPU, measured on one machine."""

    cpu_control: str
    tolerance_ratio: float
    """How far from Lambda's share this control may be."""
    core_count: int
    shares: tuple[ShareCheck, ...]
    """Ordered by memory."""
    waiting_off_ratio: float
    """How much longer a handler that only waits takes at the smallest size than at the largest."""
    steal_ratio: float | None
    """CPU time that the machine's own host gave to others meanwhile; None if unknown."""
    foreign_load_ratio: float | None
    """CPU time that other processes took meanwhile, over that of all cores; None if unknown."""

    @property
    def trusted_up_to_mb(self) -> int | None:
        """The largest size up to which every share is accurate; None: not even the smallest."""
        trusted = None
        for share in self.shares:
            if abs(share.off_ratio) > self.tolerance_ratio:
                break
            trusted = share.memory_mb
        return trusted

    @property
    def first_untrue(self) -> ShareCheck | None:
        """The smallest size with an inaccurate share."""
        wrong = (one for one in self.shares if abs(one.off_ratio) > self.tolerance_ratio)
        return next(wrong, None)

    @property
    def is_busy(self) -> bool:
        """Whether others took so much that the figures may be theirs, not the control's."""
        return any(share.bare_ratio < BUSY_RATIO for share in self.shares)
