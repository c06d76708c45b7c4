"""The check of this machine measures what it says."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run
from tuner.local.cpu_check import check_control
from tuner.local.machine_load import (
    MachineClock,
    bare_share,
    ratios_between,
    read_machine_clock,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.local import CpuControl


@pytest.mark.slow
def test_a_control_is_measured(control: CpuControl, tmp_path: Path) -> None:
    """Shares are measured under the control that was asked for, and nothing is left behind."""
    steps: list[str] = []
    check = check_control(
        control,
        work_dir=tmp_path,
        sizes_mb=(1024, 1769),
        repetitions=1,
        cpu_s=0.1,
        on_step=steps.append,
    )
    assert check.cpu_control == control
    assert check.tolerance_ratio == (0.10 if control == "stop-continue" else 0.05)
    assert [share.memory_mb for share in check.shares][:2] == [1024, 1769]
    for share in check.shares:
        assert 0.05 < share.measured_cores / share.expected_cores < 1.15
        assert 0 < share.bare_ratio < 1.1
    assert steps[0] == f"{control}: 1024 MB"
    assert abs(check.waiting_off_ratio) < 1
    assert not list(tmp_path.iterdir())


def test_steal_and_the_load_of_others() -> None:
    """Both are over all cores' time; what this process took is not others'."""
    begin = MachineClock(total_s=100, busy_s=50, steal_s=1, own_s=10)
    end = MachineClock(total_s=120, busy_s=60, steal_s=3, own_s=14)
    assert ratios_between(begin, end) == (0.1, 0.3)
    assert ratios_between(begin, begin) == (None, None)
    assert ratios_between(None, end) == (None, None)


def test_the_machines_clock_is_read(tmp_path: Path) -> None:
    """The first line of /proc/stat, in hundredths of a second; no file is no clock."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 30 400 50 6 7 80 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n", "ascii")
    clock = read_machine_clock(stat)
    assert clock is not None
    assert (clock.total_s, clock.busy_s, clock.steal_s) == pytest.approx((6.93, 1.63, 0.8))
    assert 0 < clock.own_s <= sum(os.times()[:4]) + 0.1
    assert read_machine_clock(tmp_path / "none") is None


def test_a_bare_loop_never_gets_more_than_a_core() -> None:
    """CPU time over wall time."""
    assert 0 < bare_share(0.01) < 1.1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_checks_both_controls(tmp_path: Path) -> None:
    """`tuner local check --control both --json` measures six sizes and the cores under each."""
    ran = run(
        "local", "check", "--control", "both", "--json",
        timeout_s=280, TUNER_STATE_DIR=str(tmp_path),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    checks = json.loads(ran.stdout)["checks"]
    assert checks[-1]["cpu_control"] == "stop-continue"
    for check in checks:
        assert [size["memory_mb"] for size in check["sizes"]][:6] == [
            128, 256, 512, 1024, 1536, 1769
        ]  # fmt: skip
