"""A function that brings its own runtime is started as Lambda starts it."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import seen_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_exec.conftest import Bench, Call

CURL = shutil.which("curl")
SCRIPT = """\
#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while :; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "$api/invocation/next")
  id=$(grep -i '^Lambda-Runtime-Aws-Request-Id' "$head" | tr -d '\\r' | cut -d' ' -f2)
  echo "handles $_HANDLER in $LAMBDA_TASK_ROOT"
  case "$event" in
    *fail*) curl -sS -o /dev/null -H 'Lambda-Runtime-Function-Error-Type: Shell.Failed' \\
      -d '{"errorType":"Shell.Failed","errorMessage":"as asked"}' "$api/invocation/$id/error" ;;
    *leave*) exit 4 ;;
    *) curl -sS -o /dev/null -d "{\\"event\\": $event}" "$api/invocation/$id/response" ;;
  esac
done
"""


def call(bench: Bench, code: Path, event: object = None, runtime: str = "provided.al2023") -> Call:
    return bench.call("any.handler", event, code_dir=code, runtime=runtime)


def bootstrap(folder: Path, content: str | bytes, mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "bootstrap"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return folder


@pytest.mark.skipif(CURL is None, reason="no curl on PATH")
@pytest.mark.parametrize("runtime", ["provided.al2023", "provided.al2"])
def test_a_script_serves_the_runtime_api(any_bench: Bench, tmp_path: Path, runtime: str) -> None:
    """Any executable that speaks HTTP will do: events, errors, exits and log lines are its own."""
    code = bootstrap(tmp_path / "code", SCRIPT)
    cold = call(any_bench, code, {"n": 1}, runtime)
    assert cold.value == {"event": {"n": 1}}
    assert cold.report.init_duration_ms is not None
    assert f"handles any.handler in {seen_folder(code)}\n" in cold.log
    failed = call(any_bench, code, "fail", runtime)
    assert failed.value == {"errorType": "Shell.Failed", "errorMessage": "as asked"}
    assert failed.function_error == "Unhandled"
    left = call(any_bench, code, "leave", runtime)
    assert left.value["errorType"] == "Runtime.ExitError"
    assert left.value["errorMessage"].endswith("Runtime exited with error: exit status 4")
    [began] = any_bench.init_starts()
    assert f"INIT_START Runtime Version: {runtime.replace('.', ':')}.v1\tRuntime V" in began


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ("#!/bin/sh\n", 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        (b"\x7fELFnone", 0o755, "fork/exec /var/task/bootstrap: exec format error"),
        ("#!/no/such/shell\n", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"),
    ],
)
def test_a_package_that_cannot_be_started(
    any_bench: Bench, tmp_path: Path, content: str | bytes | None, mode: int, message: str
) -> None:
    """What is missing, not executable or another machine's is Runtime.InvalidEntrypoint."""
    code = tmp_path / "code"
    code.mkdir()
    if content is not None:
        bootstrap(code, content, mode)
    answer = call(any_bench, code)
    assert answer.value == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {answer.report.request_id} Error: {message}",
    }
    assert answer.report.error_type == "Runtime.InvalidEntrypoint"
    assert answer.log.count("INIT_REPORT") == 2
    assert f"START RequestId: {answer.report.request_id}" in answer.log


C_SOURCE = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int exchange(const char *request, char *reply, int size) {
    char host[64];
    snprintf(host, sizeof host, "%s", getenv("AWS_LAMBDA_RUNTIME_API"));
    char *colon = strchr(host, ':');
    *colon = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
    inet_pton(AF_INET, host, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) return -1;
    write(fd, request, strlen(request));
    int got = read(fd, reply, size - 1);
    reply[got > 0 ? got : 0] = 0;
    close(fd);
    return got;
}

int main(void) {
    static char reply[65536], request[512];
    for (;;) {
        if (exchange("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n",
                     reply, sizeof reply) <= 0) return 1;
        char *id = strstr(reply, "Aws-Request-Id: ") + 16;
        *strchr(id, '\r') = 0;
        snprintf(request, sizeof request,
                 "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
                 "Content-Length: 14\r\n\r\n{\"pid\": %5d}", id, (int)getpid());
        exchange(request, reply, sizeof reply);
    }
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on PATH")
def test_a_compiled_bootstrap_runs_and_is_bare(any_bench: Bench, tmp_path: Path) -> None:
    """A program in C, one connection for each call, answers from one process in little memory."""
    code = tmp_path / "code"
    code.mkdir()
    (tmp_path / "main.c").write_text(C_SOURCE)
    subprocess.run(
        ["cc", "-O1", "-o", str(code / "bootstrap"), str(tmp_path / "main.c")], check=True
    )
    assert (code / "bootstrap").stat().st_mode & stat.S_IXUSR
    first, second = call(any_bench, code), call(any_bench, code, json.dumps({}))
    assert first.value == second.value
    assert first.report.init_duration_ms is not None
    assert (second.report.max_memory_used_mb or 0) <= 5
