"""Where the endpoint is root's, handlers are not: another user, without any of root's powers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT
from tests.local_exec.conftest import open_bench
from tuner.local.execution import host
from tuner.local.execution.host import can_hide_tmp, find_user_id

if TYPE_CHECKING:
    from tests.local_exec.conftest import Bench

needs_user = pytest.mark.skipif(
    not (can_hide_tmp() and find_user_id()), reason="takes root on Linux, with its capabilities"
)
SEE = """
import os, pwd, signal, subprocess

def attempt(what, *arguments):
    try:
        return [what(*arguments) is not None, ""]
    except OSError as error:
        return [False, type(error).__name__]

def see(event, _):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    with open("/tmp/mine", "w") as file:
        file.write("x")
    with open("/dev/stdout", "w") as stream:
        stream.write("said by name\\n")
    return {
        "ids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
        "name": pwd.getpwuid(os.getuid()).pw_name,
        "powers": sorted({int(status[name], 16) for name in status if name.startswith("Cap")}),
        "no_new": status["NoNewPrivs"],
        "tmp": [os.stat("/tmp").st_uid, oct(os.stat("/tmp").st_mode & 0o1777), os.listdir("/tmp")],
        "child": subprocess.run(["id", "-u"], capture_output=True, text=True).stdout.strip(),
        "shadow": attempt(open, "/etc/shadow")[1],
        "secret": attempt(open, event["secret"])[1],
        "signal": attempt(os.kill, os.getppid(), 0)[1],
        "environ": attempt(open, f"/proc/{os.getppid()}/environ")[1],
    }
"""


@needs_user
def test_handlers_are_not_root(bench: Bench, tmp_path: Path) -> None:
    """No id, group or capability of root's: what is root's is refused."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(SEE)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        secret = Path(folder, "secret")
        secret.write_text("root's own")
        secret.chmod(0o600)
        call = bench.call(bench.deployment("see", code_dir=code), {"secret": str(secret)})
    seen, (user_id, *_) = call.value, call.value["ids"]
    assert 65_519 < user_id < 65_534
    assert set(seen["ids"]) == {user_id}
    assert seen["child"] == str(user_id)
    assert (seen["name"], seen["powers"], seen["no_new"]) == ("sbx_user1051", [0], "1")
    # An interpreter that is installed below /tmp itself is seen there, and nothing else.
    below_tmp = Path(sys.prefix).parts[2:3] if Path(sys.prefix).is_relative_to("/tmp") else ()
    *owner, names = seen["tmp"]
    assert (owner, {*names}) == ([0, "0o1777"], {"mine", *below_tmp})
    refused = [seen[name] for name in ("shadow", "secret", "signal", "environ")]
    assert refused == ["PermissionError"] * 4
    assert "said by name\n" in call.log


@needs_user
def test_a_user_is_nobodys_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that a process has is passed over; without a needed capability there is none."""
    first = find_user_id()
    running = subprocess.Popen(["sleep", "60"], user=first)
    try:
        assert find_user_id() not in (0, first)
    finally:
        running.kill()
        running.wait()
    assert not host._is_mapped(first, "0 1000 1\n")
    monkeypatch.setattr(host, "NEEDED_CAPABILITIES", (63,))
    assert find_user_id() == 0


@needs_user
def test_a_trace_names_var_task(any_bench: Bench, tmp_path: Path) -> None:
    """Code lies at /var/task, as a handler's own traceback says, and nothing of the host's view."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text("def fail(event, _):\n    raise ValueError('as asked')\n")
    call = any_bench.call("fail", code_dir=code)
    assert call.value["stackTrace"] == [
        "  File \"/var/task/app.py\", line 2, in fail\n    raise ValueError('as asked')\n"
    ]
    assert str(tmp_path) not in call.log


RUN = """
import json, sys
from pathlib import Path
from tests.local_exec.conftest import open_bench
bench = open_bench(Path(sys.argv[1]), None)
try:
    call = bench.call("echo", {"n": 1}, 512)
    print(json.dumps([call.value["event"], sys.prefix]))
finally:
    bench.executor.close()
"""


@needs_user
def test_an_interpreter_in_a_closed_folder() -> None:
    """A virtual environment that root alone may enter runs another user's handlers all the same."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # 0700
        closed = Path(folder, "inner", "venv")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", closed], check=True)
        (site,) = closed.glob("lib/python3*/site-packages")
        (site / "all.pth").write_text(
            "\n".join(path for path in sys.path if "site-packages" in path)
        )
        closed.chmod(0o700)
        done = subprocess.run(
            [closed / "bin" / "python", "-c", RUN, str(Path(folder, "work"))],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [{"n": 1}, str(closed)]


@needs_user
@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell on PATH")
def test_what_the_user_may_not_execute_is_named(tmp_path: Path) -> None:
    """A program that only root may execute gives a line with its path and what to do."""
    from tuner.errors import LocalError

    code = tmp_path / "code"
    code.mkdir()
    (code / "bootstrap").write_text("#!/bin/sh\n")
    (code / "bootstrap").chmod(0o700)
    bench = open_bench(tmp_path / "work", None)
    try:
        with pytest.raises(LocalError, match=r"o\+rX\): /var/task/bootstrap"):
            bench.call("any.handler", code_dir=code, runtime="provided.al2023")
    finally:
        bench.executor.close()


@needs_user
def test_a_root_without_capabilities_is_told_of(tmp_path: Path) -> None:
    """Where root may not measure other users' processes, handlers stay root's, with a finding."""
    answer = "[os.getuid(), open('/proc/self/status').read()]"
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(f"import os\ndef see(event, _):\n    return {answer}\n")
    script = (
        "import json, sys; from pathlib import Path; "
        "from tests.local_exec.conftest import open_bench; "
        "bench = open_bench(Path(sys.argv[1]), None); "
        "value = bench.call('see', code_dir=Path(sys.argv[2])).value; "
        "print(json.dumps([*value, [one.code for one in bench.executor.limits.findings]])); "
        "bench.executor.close()"
    )
    done = subprocess.run(
        [
            "setpriv",
            "--bounding-set=-sys_ptrace",
            sys.executable,
            "-c",
            script,
            str(tmp_path / "work"),
            str(code),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    user_id, status, codes = json.loads(done.stdout)
    assert user_id == 0
    assert "CapEff:\t0000000000000004\n" in status
    assert "handlers_run_as_root" in codes
