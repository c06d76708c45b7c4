"""The local Lambda on other hosts than this one: containers, users who are not root, Windows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import ROOT
from tuner import local
from tuner.errors import LocalError
from tuner.local.execution.cpu import choose, group_files
from tuner.local.execution.cpu.choose import (
    Hierarchy,
    enter_scope,
    hand_down,
    is_handed_over,
    read_hierarchies,
)

IS_ROOT = os.getuid() == 0
UNIFIED = next((one for one in read_hierarchies() if not one.controllers), None)
ECHO = """
import json, os, sys
from pathlib import Path
from tests.local_exec.conftest import open_bench
bench = open_bench(Path(sys.argv[1]), None)
try:
    call = bench.call("variables", {}, 512)
    limits = bench.executor.limits
    share = bench.call("burn", {"cpu_s": 0.1}, 512).value
    print(json.dumps({"uid": os.getuid(), "control": limits.cpu_control, "share": share,
                      "findings": [one.code for one in limits.findings],
                      "tmp": call.value.get("TMPDIR"), "error": call.function_error}))
finally:
    bench.executor.close()
"""


def in_namespace(prepare: str, work_dir: Path, *, user: int = 0) -> dict[str, Any]:
    """Run one invocation in a mount namespace that a shell script has prepared."""
    drop = f"setpriv --reuid={user} --regid={user} --clear-groups --inh-caps=-all" if user else ""
    script = f'set -e; {prepare}; exec {drop} "$0" -c "$1" "$2"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, sys.executable, ECHO, str(work_dir)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(work_dir), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


needs_namespaces = pytest.mark.skipif(
    not IS_ROOT or sys.platform != "linux" or shutil.which("setpriv") is None,
    reason="takes root on Linux to play another host",
)


@needs_namespaces
def test_read_only_control_groups_mean_the_portable_control(tmp_path: Path) -> None:
    """In a container whose cgroups cannot be written, the share is kept all the same."""
    mounts = "awk '$3 ~ /^cgroup/ {print $2}' /proc/mounts"
    answer = in_namespace(f"for m in $({mounts}); do mount -o remount,ro,bind $m; done", tmp_path)
    assert answer["control"] == "stop-continue"
    assert "cpu_control_stop_continue" in answer["findings"]
    assert 0.3 * 512 / 1769 < answer["share"] < 1.15 * 512 / 1769
    assert not list(tmp_path.iterdir())


@needs_namespaces
@pytest.mark.parametrize("user", [65_534, 54_321], ids=["nobody", "no account"])
def test_a_user_who_is_not_root(tmp_path: Path, user: int) -> None:
    """Without any privilege, and without an account (as in some containers), the portable control
    works, and TMPDIR is the environment's own.
    """
    top, below = Path("/", Path(sys.base_prefix).parts[1]), Path(sys.base_prefix).parts[2]
    prepare = "true"
    if not top.stat().st_mode & 0o001:  # an interpreter in root's own home
        prepare = (
            f"mkdir {tmp_path}/kept; mount --bind {top}/{below} {tmp_path}/kept; "
            f"mount -t tmpfs -o mode=755 none {top}; mkdir {top}/{below}; "
            f"mount --bind {tmp_path}/kept {top}/{below}"
        )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are root's alone
        Path(folder).chmod(0o777)
        answer = in_namespace(prepare, Path(folder), user=user)
        assert not list(Path(folder).iterdir())
    assert (answer["uid"], answer["control"], answer["error"]) == (user, "stop-continue", None)
    assert {"tmp_shared", "tmp_limited_by_file"} <= set(answer["findings"])
    assert answer["tmp"].startswith(folder)
    assert 0.3 * 512 / 1769 < answer["share"] < 1.15 * 512 / 1769


@pytest.fixture
def own_group() -> Any:
    """A real directory of version 2 with a process in it, as a scope is."""
    if UNIFIED is None or not os.access(UNIFIED.mount, os.W_OK):
        pytest.skip("no version 2 here that may be written")
    available = (group_files.read_or_none(f"{UNIFIED.mount}/cgroup.controllers") or "").split()
    if not available:
        pytest.skip("version 2 has no controller here")
    group = UNIFIED.mount / f"tuner-local-{uuid.uuid4().hex}.scope"
    top = f"{UNIFIED.mount}/cgroup.subtree_control"
    was_enabled = available[0] in (group_files.read_or_none(top) or "").split()
    group_files.write(top, f"+{available[0]}")
    group.mkdir()
    process = subprocess.Popen(["sleep", "60"])
    try:
        group_files.write(f"{group}/cgroup.procs", str(process.pid))
        yield group, process.pid, available[0]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        leaves = [str(path) for path in group.iterdir() if path.is_dir()]
        assert group_files.remove([*leaves, str(group)])
        if not was_enabled:
            group_files.write(top, f"-{available[0]}")


@pytest.mark.xdist_group("unified_hierarchy")  # both switch a controller of its top
def test_a_scope_is_divided(own_group: tuple[Path, int, str]) -> None:
    """The kernel hands controllers down only if no process is left beside the groups."""
    group, pid, controller = own_group
    assert is_handed_over(group, group.parent)
    with pytest.raises(OSError, match="busy"):
        group_files.write(f"{group}/cgroup.subtree_control", f"+{controller}")
    assert hand_down(group, (controller,))
    assert group_files.members(str(group)) == ()
    assert pid in group_files.members(str(group / choose.LEAF))
    assert (group_files.read_or_none(f"{group}/cgroup.subtree_control") or "").split() == [
        controller
    ]


@pytest.mark.xdist_group("unified_hierarchy")  # both switch a controller of its top
def test_what_is_missing_is_not_handed_down(own_group: tuple[Path, int, str]) -> None:
    """A controller that the scope does not have leaves everything as it is."""
    group, pid, controller = own_group
    assert not hand_down(group, (controller, "no-such-controller"))
    assert group_files.members(str(group)) == (pid,)


def test_only_what_was_handed_over_is_divided(tmp_path: Path) -> None:
    """Neither a user's session nor the top of the host's hierarchy is touched."""
    session = tmp_path / "user.slice" / "session-1.scope"
    session.mkdir(parents=True)
    assert not is_handed_over(session, tmp_path)
    assert not is_handed_over(tmp_path, tmp_path)
    (tmp_path / "cgroup.type").write_text("domain\n", encoding="ascii")
    assert is_handed_over(tmp_path, tmp_path)  # a container's


def test_a_user_s_systemd_is_asked_for_a_scope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call asks for a delegated scope with this process in it; then it is waited for."""
    (tmp_path / "1000").mkdir()
    (tmp_path / "1000" / "bus").touch()
    said = tmp_path / "said"
    stand_in = tmp_path / "busctl"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$XDG_RUNTIME_DIR" "$@" > {said}\n')
    stand_in.chmod(0o755)
    outside = Hierarchy(tmp_path, tmp_path / "user.slice" / "session-1.scope", ())
    inside = Hierarchy(tmp_path, tmp_path / "user.slice" / "tuner-local-1.scope", ())
    monkeypatch.setattr(
        choose, "read_hierarchies", lambda: ((inside if said.exists() else outside),)
    )
    monkeypatch.setattr(choose, "USER_RUNTIME_DIR", tmp_path)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert enter_scope()
    runtime_dir, *arguments = said.read_text().splitlines()
    assert runtime_dir == str(tmp_path / "1000")
    assert arguments[:2] == ["--user", "call"]
    assert "StartTransientUnit" in arguments
    assert str(os.getpid()) in arguments
    assert not enter_scope()  # it is in one already
    (tmp_path / "1000" / "bus").unlink()
    said.unlink()
    assert not enter_scope()
    assert not said.exists()


def test_the_call_is_well_formed(tmp_path: Path) -> None:
    """What systemd would be sent matches its signature: the bus complains of the service alone."""
    if shutil.which("busctl") is None or shutil.which("dbus-daemon") is None:
        pytest.skip("no D-Bus here")
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1",
         f"--address=unix:path={tmp_path}/bus"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as daemon:  # fmt: skip
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        command = ["busctl", "--user", "call", "org.example.None", "/", "org.example.None", "Call"]
        done = subprocess.run(
            [*command, *choose.scope_arguments()],
            env={"DBUS_SESSION_BUS_ADDRESS": address, "PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        daemon.kill()
    assert "org.example.None" in done.stderr
    assert "signature" not in done.stderr


def test_other_systems_get_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it is said before anything is imported that Windows lacks."""
    monkeypatch.setattr(local, "SYSTEM", "win32")
    with pytest.raises(LocalError, match="not on win32: on Windows use WSL 2"):
        local.refuse_other_systems()


@pytest.mark.parametrize(
    "arguments",
    [
        ["local", "serve", "examples/template.yaml"],
        ["local", "check"],
        ["tune", "mixed", "--local", "examples/template.yaml"],
    ],
)
def test_commands_on_windows(arguments: list[str]) -> None:
    """Every way to the local Lambda ends in that line and exit code 1."""
    done = _without_posix(arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("tuner: the local Lambda runs on Linux and macOS")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["report", "examples/sweeps/mixed.jsonl"], 0, ""),
        (["break-even", "examples/sweeps/mixed.jsonl", "--rate", "5"], 0, ""),
        (["recover", "--yes"], 0, ""),
    ],
)
def test_saved_sweeps_are_read_on_windows(arguments: list[str], status: int, said: str) -> None:
    """What changes nothing needs none of the locks and limits that Windows lacks."""
    done = _without_posix(arguments)
    assert (done.returncode, done.stderr) == (status, said)


def _without_posix(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command as on Windows, without the modules that only POSIX systems have."""
    code = (
        "import sys\n"
        "import tuner.local as local\n"
        "local.SYSTEM = 'win32'\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'):\n"
        "    sys.modules[name] = None\n"
        "from tuner.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
