from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sweeps import cpu_bound_ms, made_sweep, recommended
from tuner.decision.tradeoff import _round_targets

if TYPE_CHECKING:
    from tuner.model.recommendation import Tradeoff


def tradeoff_of(*args: object, **kwargs: object) -> Tradeoff:
    sweep = made_sweep(*args, **kwargs)
    found = recommended(sweep).tradeoff
    assert found is not None
    return found


def test_waiting_has_a_front_of_one_size() -> None:
    """Where memory does not help, the cheapest size is also as fast as any."""
    found = tradeoff_of(lambda _: 500.0, noise_ratio=0.001)
    assert found.front_mb[0] == 128
    assert len(found.front_mb) <= 2


def test_one_thread_has_its_knee_at_one_core() -> None:
    """Up to one core speed is nearly free, beyond it memory buys nothing: the knee is there. What
    the curve gives beyond, well under 1%, may add one step to the front's last size, no more.
    """

    def mixed_ms(memory_mb: int) -> float:
        return 100 + 300 * 1769 / min(memory_mb, 1769)

    found = tradeoff_of(mixed_ms, noise_ratio=0.002)
    assert found.front_mb[0] == 128
    assert 1408 <= found.front_mb[-1] <= 2112
    assert found.knee_mb is not None
    assert 192 <= found.knee_mb <= 1769


def test_each_latency_target_has_the_cheapest_size_that_keeps_it() -> None:
    """Targets are round, and their sizes are fast enough; slower targets never need more memory."""
    found = tradeoff_of(cpu_bound_ms, noise_ratio=0.002)
    targets = found.latency_targets
    assert [t.max_duration_ms for t in targets] == [500.0, 1000.0, 2000.0, 5000.0]
    for target in targets:
        assert cpu_bound_ms(target.memory_mb) <= target.max_duration_ms * 1.01
    sizes = [t.memory_mb for t in targets]
    assert sizes == sorted(sizes, reverse=True)


def test_round_targets_span_the_range() -> None:
    """The first target is one that the fastest keeps, the last one that the slowest keeps."""
    assert list(_round_targets(3.0, 42.0)) == [5.0, 10.0, 20.0, 50.0]
    assert list(_round_targets(1.0, 1.0)) == [1.0]
    assert list(_round_targets(0.3, 0.9)) == [0.5, 1.0]
