"""/tmp is as large as EphemeralStorage says, and none of it is memory."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tests.local_exec.test_environments import eventually
from tuner.local.execution.host import can_hide_tmp, find_disk_maker
from tuner.local.execution.runtime.file_view import make_command, make_image

if TYPE_CHECKING:
    from tests.local_exec.conftest import Bench

MAKER = find_disk_maker()


def can_set_mounts() -> bool:
    """Whether mounts can be made read-only all at once."""
    major, minor = platform.release().split(".")[:2]
    return can_hide_tmp() and (int(major), int(minor)) >= (5, 12)


needs_disks = pytest.mark.skipif(MAKER is None, reason="no disk can be mounted here")


def loop_devices(folder: Path) -> list[str]:
    """Files of loop devices whose disk lies in a folder."""
    found = [
        path.read_text().strip() for path in Path("/sys/block").glob("loop*/loop/backing_file")
    ]
    return [name for name in found if name.startswith(str(folder))]


@needs_disks
@pytest.mark.parametrize("size_mb", [512, 10240])
def test_a_full_tmp_is_full(any_bench: Bench, size_mb: int) -> None:
    """What EphemeralStorage says can be had; a little later there is no space left."""
    event = {"mb": 20_000}
    call = any_bench.call("fill_tmp", event, ephemeral_storage_mb=size_mb)
    assert call.value["error"] == "ENOSPC"
    assert size_mb <= call.value["mb"] <= size_mb * 1.01


@pytest.mark.slow  # writes at a small share of a core
def test_files_are_not_memory(bench: Bench) -> None:
    """A file that is larger than the memory is written and read, and is not in the peak."""
    call = bench.call("write_to_tmp", {"mb": 150}, 128)
    assert call.value == 150
    assert (call.report.max_memory_used_mb or 0) < 60


def test_files_stay_through_a_crash(any_bench: Bench) -> None:
    """An environment whose runtime ended keeps its /tmp, as on Lambda."""
    assert "kept" not in any_bench.call("keep_in_tmp").value
    (pool,) = any_bench.executor._pool._idle
    pool._drop_process()
    again = any_bench.call("keep_in_tmp")
    assert again.report.init_duration_ms is None
    assert "kept" in again.value


@needs_disks
def test_no_disk_is_left(tmp_path: Path) -> None:
    """The loop device of an environment goes with it."""
    bench = open_bench(tmp_path, None)
    try:
        bench.call("echo", {})
        assert len(loop_devices(tmp_path)) == 1
    finally:
        bench.executor.close()
    assert eventually(lambda: not loop_devices(tmp_path))


def test_without_disks_a_file_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no disk can be mounted, no file exceeds the limit, and a finding says what is not."""
    monkeypatch.setattr("tuner.local.execution.host.find_disk_maker", lambda: None)
    bench = open_bench(tmp_path, None)
    try:
        call = bench.call("fill_tmp", {"mb": 600}, 512)
        assert call.value == {"mb": 512, "error": "EFBIG"}
        assert "tmp_limited_by_file" in {one.code for one in bench.executor.limits.findings}
    finally:
        bench.executor.close()


@needs_disks
def test_a_disk_is_its_owners(tmp_path: Path) -> None:
    """Nobody else reads what a function wrote; a disk that cannot be made says why."""
    assert MAKER is not None
    image = str(tmp_path / "one")
    make_image(make_command(MAKER, image, 512), image)
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="no disk can be made"):
        make_image(["/bin/false"], str(tmp_path / "two"))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    used = subprocess.run(["du", "-k", tmp_path / "one"], capture_output=True, check=True)
    assert int(used.stdout.split()[0]) < 4096


WRITE = """
import errno, multiprocessing, os

def see(event, _):
    said = {}
    for folder in event:
        try:
            with open(f"{folder}/tuner-written", "w") as file:
                file.write("x")
            said[folder] = "written"
        except OSError as error:
            said[folder] = error.strerror
    try:
        multiprocessing.Semaphore()
        said["semaphore"] = "made"
    except OSError as error:
        said["semaphore"] = errno.errorcode[error.errno]
    return said, sorted(os.listdir("/dev"))
"""


def glibc_version() -> tuple[int, ...]:
    """(2, 36); () for another C library."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    return tuple(map(int, version.split("."))) if name == "glibc" else ()


@pytest.mark.skipif(not can_set_mounts(), reason="takes a mount namespace and Linux 5.12")
def test_nothing_but_tmp_can_be_written(any_bench: Bench, tmp_path: Path) -> None:
    """As on Lambda, every other folder is read-only, and there is no shared memory by name."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(WRITE)
    deployment = any_bench.deployment("see", code_dir=tmp_path / "code")
    refused = ["/", "/var/tmp", "/var/task", "/dev"]
    said, devices = any_bench.call(deployment, ["/tmp", *refused, "/dev/shm"]).value
    assert said == {
        "/tmp": "written",
        **dict.fromkeys(refused, "Read-only file system"),
        "/dev/shm": "No such file or directory",
        "semaphore": said["semaphore"],
    }
    # The C library's word. Since 2.34 it looks at /dev/shm only, as on Amazon Linux 2023; before,
    # it took any tmpfs that it found, and ENOSYS (as on Amazon Linux 2) meant that there was none.
    expected = ("ENOENT",) if glibc_version() >= (2, 34) else ("ENOSYS", "EACCES", "EROFS")
    assert said["semaphore"] in expected
    assert {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout"} <= {*devices}
    assert not {"shm", "loop-control", "mem", "pts"} & {*devices}
