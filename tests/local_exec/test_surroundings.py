"""Variables, limits, files and log entries are those that handlers were recorded with on AWS."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_exec.conftest import open_bench
from tests.local_exec.test_user import needs_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local_exec.conftest import Bench

OS_ONLY = {
    "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LANG",
    "LD_LIBRARY_PATH", "PATH", "TZ", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
}  # fmt: skip
OURS = {"AWS_EC2_METADATA_DISABLED"}
MANAGED = {*OS_ONLY, "AWS_EXECUTION_ENV", "PWD", "SHLVL", "_X_AMZN_TRACE_ID"}
PYTHON = """
import getpass, json, logging, os, resource, stat

def variables(event, _):
    return dict(os.environ)

def look(event, _):
    shown = {name: os.stat(name) for name in ("/var/task", "/tmp")}
    limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in event}
    files = {name: [stat.filemode(each.st_mode), each.st_uid] for name, each in shown.items()}
    return [getpass.getuser(), os.getcwd(), os.path.expanduser("~"), files, limits]

def talk(event, _):
    print("one\\ntwo")
    print("half\\rline")
    logging.warning("of two\\nlines")
    raise ValueError("as asked")
"""
NODE = "exports.variables = async () => process.env;\n"
SHELL = """#!/bin/sh
python3 -c 'import json
with open("/proc/%d/environ" % '$$') as file:
    pairs = (each.split("=", 1) for each in file.read().split(chr(0)) if each)
    print("SEEN", json.dumps(dict(pairs)))'
exit 1
"""
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One executor for all: every test has environments of its own."""
    opened = open_bench(tmp_path_factory.mktemp("bench"), None)
    yield opened
    opened.executor.close()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with the same program for every runtime."""
    folder = tmp_path_factory.mktemp("code")
    folder.chmod(0o755)
    for name, content in (("app.py", PYTHON), ("app.js", NODE), ("bootstrap", SHELL)):
        (folder / name).write_text(content)
        (folder / name).chmod(0o755)
    return folder


@needs_user
@pytest.mark.parametrize(
    ("runtime", "more"),
    [
        ("python3.11", {"PYTHONPATH": "/var/runtime"}),
        ("python3.12", {"PYTHONPATH": "/var/runtime", "LC_CTYPE": "C.UTF-8"}),
        pytest.param("nodejs20.x", {"NODE_PATH": None}, marks=needs_node),
    ],
)
def test_a_managed_runtimes_variables(
    shared_bench: Bench, code: Path, runtime: str, more: dict[str, str | None]
) -> None:
    """No name is missing, none but the endpoint's own is added, and search paths are AWS's."""
    call = shared_bench.call(
        "app.variables", runtime=runtime, code_dir=code, deployment_id=f"variables-{runtime}"
    )
    seen: dict[str, Any] = call.value
    assert set(seen) == {*MANAGED, *OURS, *more}
    wanted = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
        "/var/task:/var/task/lib:/opt/lib",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "SHLVL": "0",
        **{name: value for name, value in more.items() if value},
    }
    assert {name: seen[name] for name in wanted} == wanted


@needs_user
@pytest.mark.skipif(shutil.which("python3") is None, reason="no python3 on PATH")
@pytest.mark.parametrize(
    ("runtime", "lang"), [("provided.al2", ""), ("provided.al2023", "/var/lang/bin:")]
)
def test_an_os_only_runtimes_variables(
    shared_bench: Bench, code: Path, runtime: str, lang: str
) -> None:
    """A function's own runtime starts with fewer, and neither shell nor client has set more."""
    call = shared_bench.call(
        "app.variables", runtime=runtime, code_dir=code, deployment_id=f"variables-{runtime}"
    )
    seen = json.loads(next(line[5:] for line in call.log.splitlines() if line[:5] == "SEEN "))
    assert set(seen) == {*OS_ONLY, *OURS}
    assert seen["PATH"] == f"{lang}/usr/local/bin:/usr/bin/:/bin:/opt/bin"


@needs_user
def test_user_files_and_limits(shared_bench: Bench, code: Path) -> None:
    """Root owns the code and /tmp, which everybody may write; the user has no home to read."""
    call = shared_bench.call("app.look", ["NOFILE", "MEMLOCK", "CPU", "AS"], code_dir=code)
    user, folder, home, files, limits = call.value
    assert (user, folder, home) == ("sbx_user1051", "/var/task", "/home/sbx_user1051")
    assert files["/tmp"] == ["drwxrwxrwt", 0]
    assert files["/var/task"][1] == 0
    assert limits == {
        "NOFILE": [1024, 1024], "MEMLOCK": [65536, 65536], "CPU": [-1, -1], "AS": [-1, -1]
    }  # fmt: skip


def test_log_entries(shared_bench: Bench, code: Path) -> None:
    """A print is an entry a line, a logger's record one entry, and a carriage return stays."""
    call = shared_bench.call("app.talk", code_dir=code)
    shared_bench.executor._forwarder.close()
    messages = [event.message for _, _, event in shared_bench.logged]
    mine = messages[messages.index("one\n") :][:5]
    assert mine[:3] == ["one\n", "two\n", "half\rline\n"]
    assert mine[3].endswith(f"\t{call.report.request_id}\tof two\nlines\n")
    task = call.value["stackTrace"][0].split('"')[1]
    lines = mine[4].split("\n")
    assert lines[:2] == ["[ERROR] ValueError: as asked", "Traceback (most recent call last):"]
    assert lines[2:] == [
        f'\u00a0\u00a0File "{task}", line 17, in talk',
        '\u00a0\u00a0\u00a0\u00a0raise ValueError("as asked")',
    ]
