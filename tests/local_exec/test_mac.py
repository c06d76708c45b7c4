"""The code path of macOS, run on Linux: its system calls are a small library that asks /proc."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tuner.local.execution.runtime import process as supervisor_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_exec.conftest import Bench

SOURCE = Path(__file__).parent / "mac" / "libproc.c"
AS_A_MAC = """
import ctypes, ctypes.util, sys
ctypes.CDLL({library!r}, mode=ctypes.RTLD_GLOBAL)
ctypes.util.find_library = lambda name: {library!r}
sys.platform = "darwin"
"""
COMPILER = shutil.which("cc")

pytestmark = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="takes a C compiler on Linux"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    assert COMPILER is not None
    made = tmp_path_factory.mktemp("mac") / "libproc.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", str(made), str(SOURCE)], check=True)
    return str(made)


@pytest.fixture
def mac(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An executor that takes its host for a Mac, supervisors included."""
    code = AS_A_MAC.format(library=library) + supervisor_link.SUPERVISOR_CODE
    monkeypatch.setattr(supervisor_link, "SUPERVISOR_CODE", code)
    monkeypatch.setattr("sys.platform", "darwin")
    bench = open_bench(tmp_path, "stop-continue")
    yield bench
    bench.executor.close()


def test_the_share_is_kept(mac: Bench) -> None:
    """Stopping and continuing on what libproc tells gives the share."""
    got = mac.call("burn", {"cpu_s": 0.15}, 512).value
    assert 0.3 * 512 / 1769 < got < 1.15 * 512 / 1769


@pytest.mark.slow
def test_memory_is_the_footprint(mac: Bench) -> None:
    """What is used is reported, and too much of it ends the environment."""
    before = mac.call("eat", {"mb": 1}).report.max_memory_used_mb or 0
    after = mac.call("eat", {"mb": 100}).report.max_memory_used_mb or 0
    assert 90 <= after - before <= 115
    assert mac.call("eat", {"mb": 250, "then_s": 5}, 177).report.error_type == "Runtime.OutOfMemory"


def test_no_kernel_feature_of_linux_is_used(mac: Bench) -> None:
    """No mount namespace, no disk and no binding to cores: TMPDIR, and findings that say so."""
    call = mac.call("variables")
    assert call.value["TMPDIR"].startswith(str(mac.work_dir))
    codes = {finding.code for finding in mac.executor.limits.findings}
    assert {"cpu_control_stop_continue", "tmp_shared", "tmp_limited_by_file"} <= codes


def test_nothing_is_left(mac: Bench) -> None:
    """Closing ends the tree and removes its folders, as on Linux."""
    assert mac.call("sleep", {"s": 0}).function_error is None
    mac.executor.close()
    assert not list(mac.work_dir.iterdir())
