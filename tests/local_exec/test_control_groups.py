"""Control groups are found where they are mounted and written as the kernel wants them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.local_exec.conftest import AVAILABLE
from tuner.errors import LocalError
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.choose import (
    Hierarchy,
    choose_control,
    find_v1,
    find_v2,
    parse_hierarchies,
    read_hierarchies,
)
from tuner.local.execution.cpu.control_groups import (
    CgroupV1,
    CgroupV2,
    ResidentBound,
    V1Parents,
    quota_us,
)
from tuner.local.execution.cpu.process_tree import stat_fields
from tuner.local.execution.host import find_user_id, own_quota_cores

MB = 1024 * 1024
V1_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:5 - cgroup cgroup rw,memory
"""
V1_OWN = "5:cpu,cpuacct:/user.slice\n4:memory:/docker/abc/inner\n1:name=systemd:/x\n0::/\n"


def test_hierarchies_of_version_1_are_found() -> None:
    """Joined controllers, a container's root and the own directory are read from /proc."""
    cpu, memory = parse_hierarchies(V1_MOUNTS, V1_OWN)
    assert cpu.controllers == ("cpu", "cpuacct")
    assert cpu.own == Path("/sys/fs/cgroup/cpu,cpuacct/user.slice")
    assert memory.own == Path("/sys/fs/cgroup/memory/inner")
    assert memory.ancestors == (memory.own, memory.mount)


def test_hierarchy_of_version_2_is_found() -> None:
    """The unified hierarchy has no controllers of its own in the mount's options."""
    mounts = "29 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    (unified,) = parse_hierarchies(mounts, "0::/user.slice/app.scope\n")
    assert unified.controllers == ()
    assert unified.own == Path("/sys/fs/cgroup/user.slice/app.scope")
    assert len(unified.ancestors) == 3


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A mount's or a process's name may be any bytes, such as UTF-8 that the kernel has cut."""
    unified = b"29 22 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    tmp_path.joinpath("mountinfo").write_bytes(
        b"40 22 0:9 / /mnt/\xfc rw - ext4 /dev/x rw\n" + unified
    )
    tmp_path.joinpath("cgroup").write_text("0::/a\n")
    assert [one.own for one in read_hierarchies(tmp_path)] == [Path("/sys/fs/cgroup/a")]

    name = Path("/proc/self/comm")
    if not name.exists():
        pytest.skip("needs /proc")
    before = name.read_bytes()
    try:
        name.write_bytes("fourteen_bytesü".encode())
        assert name.read_bytes().strip() == b"fourteen_bytes\xc3"
        assert stat_fields(os.getpid())[1] == str(os.getppid())
        ResidentBound().look((os.getpid(),))
        find_user_id()
    finally:
        name.write_bytes(before)


def test_own_directory_outside_the_mount() -> None:
    """A path that the mount does not show falls back to the mount itself."""
    mounts = "29 22 0:26 /other /mnt rw - cgroup2 cgroup2 rw\n"
    (unified,) = parse_hierarchies(mounts, "0::/elsewhere\n")
    assert unified.own == unified.mount == Path("/mnt")


def test_no_proc_means_no_hierarchies(tmp_path: Path) -> None:
    """Where there is no /proc there are no control groups."""
    assert read_hierarchies(tmp_path) == ()


def fake_v2(parent: Path, name: str) -> Path:
    """The files that the kernel would make, with contents as it shows them."""
    group = parent / name
    group.mkdir()
    stat = f"anon {30 * MB}\nfile {90 * MB}\nshmem {5 * MB}\n"
    for file, text in {
        "cpu.max": "max 100000\n",
        "memory.max": "max\n",
        "memory.swap.max": "max\n",
        "memory.oom.group": "0\n",
        "memory.current": f"{140 * MB}\n",
        "memory.stat": stat,
        "memory.events": "low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\n",
        "cgroup.freeze": "0\n",
    }.items():
        (group / file).write_text(text, encoding="ascii")
    return group


def contents(group: Path, *names: str) -> list[str]:
    """First words: a file that is written again keeps its longer tail, as no kernel file does."""
    return [(group / name).read_text(encoding="ascii") for name in names]


def test_version_2_writes_its_limits(tmp_path: Path) -> None:
    """Memory, swap, group kill and CPU go into the files of version 2, in its units."""
    path = fake_v2(tmp_path, "one")
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "cpu.max"):
        (path / name).write_text("", encoding="ascii")
    group = CgroupV2(tmp_path, "one")
    group.create(512)
    group.set_cores(0.5)
    assert group.directories == (str(path),)
    seen = contents(path, "memory.max", "memory.swap.max", "memory.oom.group", "cpu.max")
    assert seen == [str(512 * MB), "0", "1", "10000 20000"]


def test_version_2_freezes_and_samples(tmp_path: Path) -> None:
    """Peak is anonymous and shared memory; a kill is seen in memory.events."""
    path = fake_v2(tmp_path, "one")
    group = CgroupV2(tmp_path, "one")
    assert not group.sample()
    assert group.peak_bytes == 35 * MB
    (path / "memory.stat").write_text(f"anon {10 * MB}\nshmem 0\n", encoding="ascii")
    (path / "memory.events").write_text("oom 1\noom_kill 1\n", encoding="ascii")
    assert group.sample()
    assert group.peak_bytes == 35 * MB
    group.pause()
    assert contents(path, "cgroup.freeze")[0][0] == "1"
    group.resume()
    assert contents(path, "cgroup.freeze")[0][0] == "0"


def test_version_2_needs_its_controllers_handed_down(tmp_path: Path) -> None:
    """Without cpu and memory in subtree_control, or without writable files, it is not chosen."""
    own = tmp_path / "slice"
    own.mkdir()
    hierarchy = Hierarchy(tmp_path, own, ())
    assert find_v2((hierarchy,)) is None
    (own / "cgroup.subtree_control").write_text("memory pids\n", encoding="ascii")
    assert find_v2((hierarchy,)) is None
    (own / "cgroup.subtree_control").write_text("cpu memory\n", encoding="ascii")
    assert find_v2((hierarchy,)) is None
    assert list(own.iterdir()) == [own / "cgroup.subtree_control"]


def test_version_1_needs_cpu_and_memory(tmp_path: Path) -> None:
    """One controller alone does not do."""
    assert find_v1((Hierarchy(tmp_path, tmp_path, ("cpu",)),)) is None


def test_version_1_shares_joined_directories(tmp_path: Path) -> None:
    """Controllers that are mounted together have one directory, named once."""
    group = CgroupV1(V1Parents(tmp_path, tmp_path, None), "one")
    assert group.directories == (str(tmp_path / "one"),)
    group.pause()
    group.resume()


@pytest.mark.parametrize(("cores", "quota"), [(128 / 1769, 1447), (1.0, 20_000), (0.001, 1_000)])
def test_quota(cores: float, quota: int) -> None:
    """A window's quota is the share of 20 ms, not below what the kernel takes."""
    assert quota_us(cores) == quota


def test_own_quota_of_a_container(tmp_path: Path) -> None:
    """The smallest quota on the way up limits what this host can show."""
    inner = tmp_path / "inner"
    inner.mkdir()
    assert own_quota_cores((Hierarchy(tmp_path, inner, ()),)) is None
    (inner / "cpu.max").write_text("max 100000\n", encoding="ascii")
    (tmp_path / "cpu.max").write_text("150000 100000\n", encoding="ascii")
    assert own_quota_cores((Hierarchy(tmp_path, inner, ()),)) == 1.5
    (inner / "cpu.cfs_quota_us").write_text("50000\n", encoding="ascii")
    (inner / "cpu.cfs_period_us").write_text("100000\n", encoding="ascii")
    (inner / "cpu.max").unlink()
    assert own_quota_cores((Hierarchy(tmp_path, inner, ("cpu",)),)) == 0.5


def test_a_control_that_does_not_work_is_refused() -> None:
    """Asking for a control that this host lacks names it."""
    missing = [name for name in ("cgroup-v1", "cgroup-v2", "none") if name not in AVAILABLE]
    for name in missing:
        with pytest.raises(LocalError, match=name):
            choose_control(name)


@pytest.mark.skipif("cgroup-v2" in AVAILABLE, reason="it is exercised by the other tests")
def test_version_2_is_not_shown_here() -> None:
    """Where the cpu controller of version 2 is absent, only its files are tested, as above."""
    assert find_v2(read_hierarchies()) is None


def test_removal_of_what_is_gone(tmp_path: Path) -> None:
    """Removing groups that are gone succeeds, and a missing group has no members."""
    assert group_files.remove([str(tmp_path / "gone")])
    assert group_files.members(str(tmp_path / "gone")) == ()
    group_files.thaw(str(tmp_path / "gone"))


def test_memory_stat_table() -> None:
    """Rows of a name and a number are read; others are passed over."""
    text = "rss 12\nunder_oom 0\nx y\n\nlong row 1\n"
    assert group_files.table(text) == {"rss": 12, "under_oom": 0}
