"""Stopping and continuing on measured time keeps a share, window by window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.local.execution.cpu.process_tree import WINDOW_S, StopContinue, WindowCredit


class FakeTree:
    """A busy tree: while it runs, it uses `thread_count` seconds a second."""

    def __init__(self, thread_count: int) -> None:
        self.thread_count = thread_count
        self.running = True
        self.used_s = 0.0
        self.memory = 0

    def cpu_s(self) -> float:
        return self.used_s

    def memory_bytes(self) -> int:
        return self.memory

    def scan(self) -> tuple[int, ...]:
        return ()

    def stop(self) -> None:
        self.running = False

    def resume(self) -> None:
        self.running = True

    def pass_time(self, seconds: float) -> None:
        if self.running:
            self.used_s += seconds * self.thread_count


def simulate(cores: float, threads: int, late_s: float, total_s: float = 4.0) -> float:
    tree = FakeTree(threads)
    control = StopContinue(tree, 1 << 40, 2)
    now = 0.0
    control.run(cores, now)
    while now < total_s:
        wait_s, exceeded = control.step(now)
        assert wait_s is not None
        assert not exceeded
        step = max(wait_s, 1e-6) + late_s
        tree.pass_time(step)
        now += step
    return tree.used_s / now


@given(
    cores=st.floats(128 / 1769, 1.9),
    late_s=st.floats(0.0, 0.000_3),
    threads=st.integers(1, 2),
)
def test_a_busy_tree_gets_its_share(cores: float, late_s: float, threads: int) -> None:
    """However late the control wakes, the share is kept, up to what the threads can use."""
    wanted = min(cores, threads)
    got = simulate(cores, threads, late_s)
    assert got <= wanted * 1.02 + 0.002
    assert got >= min(wanted, threads * (1 - 3 * late_s / WINDOW_S)) * 0.95


def test_unused_time_is_lost_and_debt_is_owed() -> None:
    """As with the kernel's quota, a window's rest is not saved, and what it overspent is owed."""
    credit = WindowCredit(0.5, 0.0, 0.0)
    assert credit.left_s(0.0) == pytest.approx(0.010)
    assert credit.enter_window(0.100, 0.0)
    assert credit.left_s(0.0) == pytest.approx(0.010)
    assert not credit.enter_window(0.110, 0.013)
    assert credit.left_s(0.013) == pytest.approx(-0.003)
    assert credit.enter_window(0.121, 0.013)
    assert credit.left_s(0.013) == pytest.approx(0.007)


def test_memory_is_looked_at_every_window() -> None:
    """An excess is told in the window in which it is seen, and the peak is kept."""
    tree = FakeTree(1)
    control = StopContinue(tree, 100, 1)
    control.run(1.0, 0.0)
    tree.memory = 101
    assert control.step(0.001)[1] is False
    assert control.step(0.021)[1] is True
    assert control.peak_bytes == 101
    control.rest()
    assert control.step(0.050) == (None, False)
    assert not tree.running
