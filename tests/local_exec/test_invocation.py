"""What a function sees, answers and logs is Lambda's."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import ARN, HANDLERS, open_bench, seen_folder
from tuner.local import InvokeRequest
from tuner.local.execution.host import can_hide_tmp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_exec.conftest import Bench


def test_first_invocation_is_cold_and_bills_its_init(bench: Bench) -> None:
    """The first invocation reports an init and bills it with the duration; the second does not."""
    cold = bench.call("echo", {"n": 1})
    warm = bench.call("echo", {"n": 2})
    assert cold.value["event"] == {"n": 1}
    assert cold.report.init_duration_ms is not None
    together = cold.report.duration_ms + cold.report.init_duration_ms
    assert cold.report.billed_duration_ms == pytest.approx(together, abs=1.01)
    assert warm.value == {"event": {"n": 2}, "pid": cold.value["pid"], "calls": 2}
    assert warm.report.init_duration_ms is None
    assert warm.report.memory_size_mb == 1769
    assert 1 <= (warm.report.max_memory_used_mb or 0) < 200


def test_context_is_lambdas(any_bench: Bench) -> None:
    """Every field of the context says what Lambda's says."""
    custom = json.dumps({"custom": {"a": "b"}})
    call = any_bench.call("describe", {}, 512, client_context=custom)
    seen = call.value
    assert 15_000 < seen.pop("left_ms") <= 20_000
    assert seen.pop("request_id") == call.report.request_id
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", seen.pop("log_stream"))
    assert re.fullmatch(r"Root=1-\w{8}-\w{24};Parent=\w{16};Sampled=0", seen.pop("trace"))
    assert seen.pop("cores") == min(2, len(os.sched_getaffinity(0)))
    assert seen == {
        "log_group": "/aws/lambda/fn",
        "arn": ARN,
        "memory_mb": "512",
        "name": "fn",
        "version": "7",
        "custom": {"a": "b"},
        "cwd": seen_folder(HANDLERS),
    }


def test_client_context_given_in_base64_is_not_decoded_here(any_bench: Bench) -> None:
    """The executor takes the client context as JSON; what is not JSON is the function's error."""
    encoded = base64.b64encode(b'{"custom": {}}').decode()
    assert any_bench.call("describe", {}, client_context=encoded).function_error == "Unhandled"


def test_no_variable_of_the_caller_leaks(any_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function has Lambda's variables and its own; of the operator's it has none."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-operators")
    monkeypatch.setenv("AWS_PROFILE", "the-operators")
    monkeypatch.setenv("PYTHONPATH", "/the-operators")
    monkeypatch.setenv("SOME_TOKEN", "the-operators")
    call = any_bench.call("variables", environment=(("TABLE", "orders"), ("TZ", "Asia/Tokyo")))
    seen = call.value
    assert "the-operators" not in json.dumps(seen)
    assert seen["TABLE"] == "orders"
    assert seen["TZ"] == "Asia/Tokyo"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "fn"
    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "7"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1769"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/fn"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert seen["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert seen["LAMBDA_TASK_ROOT"] == seen_folder(HANDLERS)
    assert seen["_HANDLER"] == "app.variables"
    if can_hide_tmp():  # there the operator's home is hidden, and no variable is needed
        assert not {"HOME", "AWS_SHARED_CREDENTIALS_FILE", "TMPDIR"} & set(seen)
    else:
        assert seen["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_log_has_every_line_in_order(bench: Bench) -> None:
    """Init output, START, the function's own lines, END and REPORT come in Lambda's order."""
    call = bench.call("talk")
    wanted = ["module level", "START RequestId: ", "to stdout", "to stderr"]
    wanted += ["[ERROR]\t", "END RequestId: ", "REPORT RequestId: "]
    lines = call.log.splitlines()
    assert [line[: len(start)] for line, start in zip(lines, wanted, strict=False)] == wanted
    assert call.report.request_id in lines[1]
    assert lines[1].endswith("Version: 7")


def test_log_reaches_the_sink(any_bench: Bench) -> None:
    """The sink gets the same lines after INIT_START, under the environment's log stream."""
    call = any_bench.call("describe", {})
    any_bench.executor.close()
    groups, streams, events = zip(*any_bench.logged, strict=True)
    assert set(groups) == {"/aws/lambda/fn"}
    assert set(streams) == {call.value["log_stream"]}
    began, *messages = [event.message for event in events]
    assert began == (
        f"INIT_START Runtime Version: python:3.{sys.version_info.minor}.v{sys.version_info.micro}\t"
        f"Runtime Version ARN: arn:aws:lambda:eu-west-1::runtime:{'0' * 64}\n"
    )
    assert "".join(messages) == call.log
    assert all(event.timestamp_ms > 1_700_000_000_000 for event in events)


def test_json_log_format(any_bench: Bench) -> None:
    """With JSON logs every line of the platform is a record, and the report can be read."""
    call = any_bench.call("talk", log_format="JSON")
    records = [json.loads(line) for line in call.log.splitlines() if line.startswith("{")]
    kinds = [record["type"] for record in records if "type" in record]
    assert kinds == ["platform.start", "platform.report"]
    [began] = any_bench.init_starts()
    assert json.loads(began)["record"]["runtimeVersionArn"].startswith("arn:aws:lambda:eu-west-1::")
    assert call.report.status == "success"


def kinds_of(log: str) -> list[str]:
    records = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [record["type"].removeprefix("platform.") for record in records if "type" in record]


@pytest.mark.parametrize(
    ("level", "succeeds", "kinds"),
    [
        ("DEBUG", True, "initRuntimeDone initReport start runtimeDone report"),
        ("INFO", True, "start report"),
        ("WARN", True, ""),
        ("WARN", False, "runtimeDone report"),
    ],
)
def test_system_log_level(
    any_bench: Bench, monkeypatch: pytest.MonkeyPatch, level: str, succeeds: bool, kinds: str
) -> None:
    """The system level says which of the platform's records are logged; failures are warnings."""
    handler = "empty" if succeeds else "fail"
    deployment = any_bench.deployment(handler, log_format="JSON", system_log_level=level)
    request = InvokeRequest("7f3a2c10-0000-4000-8000-000000000001", b"{}", ARN)
    result = any_bench.executor.invoke(deployment, request)
    assert kinds_of(result.log.decode()) == kinds.split()


def test_application_log_level(any_bench: Bench) -> None:
    """The runtime's logger obeys the application level, and so do the function's own records."""
    call = any_bench.call("talk_json", log_format="JSON", application_log_level="WARN")
    said = [line for line in call.log.splitlines() if "platform." not in line]
    assert [word in call.log for word in ("own warning", "own info", "not JSON")] == [
        True, False, True
    ]  # fmt: skip
    assert [json.loads(line)["message"] for line in said if '"logger"' in line] == [
        "logged warning"
    ]


def test_raised_exception_has_lambdas_shape(any_bench: Bench) -> None:
    """An exception becomes an error object with its trace, and the environment lives on."""
    failed = any_bench.call("fail")
    assert failed.function_error == "Unhandled"
    assert failed.value["errorType"] == "ValueError"
    assert failed.value["errorMessage"] == "as asked"
    assert failed.value["requestId"] == failed.report.request_id
    assert "in fail" in failed.value["stackTrace"][-1]
    assert "[ERROR] ValueError: as asked\nTraceback (most recent call last):\n" in failed.log
    assert any_bench.call("fail").report.init_duration_ms is None


@pytest.mark.parametrize(
    ("handler", "event", "message"),
    [
        ("leave", {"code": 1}, "Runtime exited with error: exit status 1"),
        ("leave", {"code": 0}, "Runtime exited without providing a reason"),
        (
            "die",
            {"signal": signal.SIGTERM},
            "Runtime exited with error: signal: terminated",
        ),
    ],
)
def test_exit_is_a_runtime_error(
    any_bench: Bench, handler: str, event: dict[str, int], message: str
) -> None:
    """A runtime that ends by itself answers Runtime.ExitError with its status or signal."""
    call = any_bench.call(handler, event)
    said = f"RequestId: {call.report.request_id} Error: {message}"
    assert call.value == {"errorType": "Runtime.ExitError", "errorMessage": said}
    assert call.function_error == "Unhandled"
    assert (call.report.status, call.report.error_type) == ("error", "Runtime.ExitError")
    assert f"{said}\nRuntime.ExitError\n" in call.log
    assert ("last words\n" in call.log) == (handler == "leave")


def test_after_a_crash_the_next_duration_holds_an_init(bench: Bench) -> None:
    """As on Lambda the next invocation has no Init Duration, but the init's time in its own."""
    bench.call("leave", {"code": 1}, 256)
    again = bench.call("leave", {"code": 1}, 256)
    assert again.report.init_duration_ms is None
    assert again.report.duration_ms > 20  # an init takes more than that of CPU alone


def test_timeout(bench: Bench) -> None:
    """A timeout ends the whole tree at once and says so as Lambda does."""
    call = bench.call("sleep", {"s": 30}, timeout_s=1)
    said = f"RequestId: {call.report.request_id} Error: Task timed out after 1.00 seconds"
    assert call.value == {"errorType": "Sandbox.Timedout", "errorMessage": said}
    assert call.report.status == "timeout"
    assert call.report.duration_ms == 1000
    assert f"{call.report.request_id} Task timed out after 1.00 seconds" in call.log
    assert bench.call("sleep", {"s": 0}).function_error is None


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("nowhere.handler", "Runtime.ImportModuleError", "Unable to import module 'nowhere'"),
        ("app.nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'app'"),
    ],
)
def test_init_error(any_bench: Bench, handler: str, error_type: str, message: str) -> None:
    """An init that fails is reported, tried once more within the invocation, and answered."""
    call = any_bench.call(handler)
    assert call.function_error == "Unhandled"
    assert call.value["errorType"] == error_type
    assert call.value["errorMessage"].startswith(message)
    phases = re.findall(r"INIT_REPORT .*Phase: (\w+)\tStatus: error\tError Type: (\S+)", call.log)
    assert phases == [("init", error_type), ("invoke", error_type)]
    assert (call.report.status, call.report.error_type) == ("error", error_type)
    assert call.report.init_duration_ms is None


@pytest.mark.parametrize("handler", ["deep/inner.answer", "deep.inner.answer"])
def test_a_handler_may_lie_in_a_folder(any_bench: Bench, tmp_path: Path, handler: str) -> None:
    """A path or a dotted name leads to a module below the package's root."""
    code = tmp_path / "code"
    (code / "deep").mkdir(parents=True)
    (code / "deep" / "inner.py").write_text("def answer(event, context):\n    return __name__\n")
    assert any_bench.call(handler, code_dir=code).value == "deep.inner"


def test_exit_during_init(any_bench: Bench) -> None:
    """A module that ends the process answers Runtime.ExitError."""
    call = any_bench.call("broken_start.handler")
    assert call.value["errorType"] == "Runtime.ExitError"
    assert call.value["errorMessage"].endswith("exit status 3")
    assert call.log.count("about to go\n") == 2


@pytest.mark.slow
def test_init_above_its_limit_is_done_again_within_the_invocation(
    any_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An init that takes too long is ended and done again on the invocation's own time."""
    # Long enough for the first init to get as far as its file.
    monkeypatch.setattr("tuner.local.execution.environment.INIT_LIMIT_S", 3.0)
    call = any_bench.call("slow_start.handler")
    assert call.value == "ready"
    assert re.search(r"Init Duration: 3\d\d\d\.\d\d ms\tPhase: init\tStatus: timeout", call.log)
    assert call.report.init_duration_ms is None
    assert call.report.duration_ms > 10


def test_response_over_six_megabytes(any_bench: Bench) -> None:
    """A response above the limit is the platform's error; one below it passes whole."""
    assert len(any_bench.call("large", {"size": 6_000_000}).value) == 6_000_000
    call = any_bench.call("large", {"size": 6_300_000})
    assert call.value["errorType"] == "Function.ResponseSizeTooLarge"
    assert call.report.error_type == "Function.ResponseSizeTooLarge"


def test_tmp_is_private_and_kept(any_bench: Bench) -> None:
    """Each environment has its own /tmp, which lasts from one invocation to the next."""
    first = any_bench.call("keep_in_tmp").value
    assert "kept" not in first
    assert "kept" in any_bench.call("keep_in_tmp").value
    assert "kept" not in any_bench.call("keep_in_tmp", memory_mb=1024).value


def test_code_that_lies_under_tmp_is_found_and_read_only(any_bench: Bench, tmp_path: Path) -> None:
    """A package in the temporary folder stays visible, and no run writes into it."""
    code = tmp_path / "package"
    code.mkdir()
    source = "import os\ndef handler(event, context):\n    return os.access('.', os.W_OK)\n"
    (code / "main.py").write_text(source, encoding="utf-8")
    call = any_bench.call("main.handler", code_dir=code)
    assert call.function_error is None
    assert [path.name for path in code.iterdir()] == ["main.py"]


def test_without_a_mount_namespace_tmpdir_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where /tmp cannot be hidden, TMPDIR points to the environment's own folder."""
    monkeypatch.setattr("tuner.local.execution.host.can_hide_tmp", lambda: False)
    bench = open_bench(tmp_path, None)
    try:
        seen = bench.call("variables").value
        assert seen["TMPDIR"].startswith(str(tmp_path))
        assert "tmp_shared" in {finding.code for finding in bench.executor.limits.findings}
    finally:
        bench.executor.close()
