"""Waiting, CPU time and cores from durations over memory."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.breakeven.work import part_work, sizes_to_part
from tuner.errors import InputError


def durations(sizes: tuple[int, ...], wait: float, cpu: float, cores: float = 1) -> np.ndarray:
    vcpus = np.minimum(np.array(sizes) / 1769, cores)
    return (wait + cpu / vcpus)[None, :]


@pytest.mark.parametrize(
    "measured", [(128, 3008), (320, 704), (512, 1769), (128, 192), (1769, 3008), (128, 10240)]
)
@pytest.mark.parametrize(("wait", "cpu", "cores"), [(250, 5, 1), (10, 200, 1), (0, 900, 1.5)])
def test_an_exact_curve_is_parted_exactly(
    measured: tuple[int, ...], wait: float, cpu: float, cores: float
) -> None:
    """Whatever was measured: wait and CPU-seconds come back, and cores where they were seen."""
    sizes = sizes_to_part(measured)
    found = part_work(sizes, durations(sizes, wait, cpu, cores))
    assert found[0][0] == pytest.approx(wait, abs=0.01 * (wait + cpu))
    assert found[1][0] == pytest.approx(cpu, rel=0.01)
    seen = min(cores, max(max(measured) / 1769, 1))
    assert found[2][0] == pytest.approx(seen, rel=0.01)


def test_a_wait_is_never_less_than_nothing() -> None:
    """Not by rounding either: work that only computes waits 0 ms in every draw, or more."""
    sizes = (256, 512, 1024, 1408)
    at_top_ms = np.random.default_rng(1).uniform(10, 1000, (2000, 1))
    wait, _, _ = part_work(sizes, at_top_ms * sizes[-1] / np.array(sizes))
    assert wait.min() == 0
    assert wait.max() < 1e-9


def test_one_size_cannot_be_parted() -> None:
    """One size: a clear line that names it."""
    with pytest.raises(InputError, match="only 512 MB gave warm samples"):
        sizes_to_part((512,))
