"""How true the local Lambda is on a machine, as `tuner local check` measured it."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.model.lambda_limits import vcpu_share

BUSY_RATIO = 0.95
"""A bare loop that gets less of a core than this shows that the machine is busy."""

BUSY_LOAD_RATIO = 0.4
"""Other processes that have so much of all cores' time are in the way of what is measured."""


@dataclass(frozen=True, slots=True)
class ShareCheck:
    """CPU time over wall time at one size, of a handler that computes without a pause."""

    memory_mb: int
    worker_count: int
    """Processes that computed at once: one, or as many as the share can feed."""
    measured_cores: float
    """Median of the repetitions."""
    jitter_ratio: float
    """Longest less shortest repetition, over their median."""
    bare_ratio: float
    """What as many loops without any limit got of a core each in between (median): 1 if free."""

    @property
    def expected_cores(self) -> float:
        """What Lambda gives: memory/1,769 vCPU, as far as the workers can use it."""
        return min(vcpu_share(self.memory_mb), float(self.worker_count))

    @property
    def off_ratio(self) -> float:
        """How far the measured share is from it: -0.02 is 2% too little."""
        return self.measured_cores / self.expected_cores - 1


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One control of CPU, measured on one machine."""

    cpu_control: str
    tolerance_ratio: float
    """How far from Lambda's share this control may be."""
    core_count: int
    shares: tuple[ShareCheck, ...]
    """In order of memory."""
    waiting_off_ratio: float
    """How much longer a handler that only waits takes at the smallest size than at the largest."""
    steal_ratio: float | None
    """CPU time that the machine's own host gave to others meanwhile; None where it isn't known."""
    foreign_load_ratio: float | None
    """CPU time that other processes took meanwhile, over that of all cores; None as above."""

    @property
    def trusted_up_to_mb(self) -> int | None:
        """The largest size up to which every measured share is true; None: not even the least."""
        trusted = None
        for share in self.shares:
            if abs(share.off_ratio) > self.tolerance_ratio:
                break
            trusted = share.memory_mb
        return trusted

    @property
    def first_untrue(self) -> ShareCheck | None:
        """The smallest size whose share is not true."""
        wrong = (one for one in self.shares if abs(one.off_ratio) > self.tolerance_ratio)
        return next(wrong, None)

    @property
    def is_busy(self) -> bool:
        """Whether others took so much that the figures may be theirs, not the control's."""
        return any(share.bare_ratio < BUSY_RATIO for share in self.shares)
