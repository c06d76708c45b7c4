"""Node.js functions meet what Lambda's Node.js runtime gives them: handlers, errors, logs."""

from __future__ import annotations

import json
import re
import shutil
import signal
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_exec.conftest import ARN, HANDLERS, Call, open_bench, seen_folder
from tests.repeating import first_that
from tuner.errors import LocalError
from tuner.local.execution.runtime import node_js
from tuner.local.execution.runtime.node_js import find_node
from tuner.local.execution.runtime.program import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.local_exec.conftest import Bench

    NodeCall = Callable[..., Call]

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")
CODE = HANDLERS.parent / "node"


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One executor for all: every test has environments of its own."""
    opened = open_bench(tmp_path_factory.mktemp("bench"), None)
    yield opened
    opened.executor.close()


@pytest.fixture
def node(shared_bench: Bench) -> NodeCall:
    """Invoke a Node.js handler: index.NAME, or another by its full name."""
    test_id = uuid.uuid4().hex

    def call(handler: str, event: object = None, memory_mb: int = 1769, **more: Any) -> Call:
        name = handler if "." in handler else f"index.{handler}"
        deployment_id = f"{test_id}-{name}-{memory_mb}"
        settings = {"code_dir": CODE, "runtime": "nodejs20.x", "deployment_id": deployment_id}
        return shared_bench.call(name, event, memory_mb, **(settings | more))

    return call


def test_an_environment_serves_events_and_bills_its_init(node: NodeCall) -> None:
    """The first invocation reports and bills an init; the next one meets the same process."""
    cold, warm = node("echo", {"n": 1}), node("echo", {"n": 2})
    assert cold.value["event"] == {"n": 1}
    assert warm.value == {"event": {"n": 2}, "calls": 2, "pid": cold.value["pid"]}
    assert cold.report.init_duration_ms is not None
    assert warm.report.init_duration_ms is None
    assert node("empty").value is None


def test_init_start_names_the_version(any_bench: Bench) -> None:
    """CloudWatch Logs gets the runtime's version, as the host has it, and an ARN."""
    any_bench.call("index.empty", code_dir=CODE, runtime="nodejs20.x")
    [began] = any_bench.init_starts()
    assert re.match(r"INIT_START Runtime Version: nodejs:\d+\.v\d+\.\d+\tRuntime V", began)


@pytest.mark.parametrize(
    ("handler", "value"),
    [
        ("index.nested.deep.handler", "deep"),
        ("esm/app.handler", "module"),
        ("esm/app.other", "of the default export"),
        ("esm/lib/old.handler", "commonjs beside modules"),
        ("native/app.handler", {"module": True, "event": {"n": 1}}),
        ("./native/app.handler", {"module": True, "event": {"n": 1}}),
        ("callback", {"event": {"n": 1}}),
        ("callbackLater", "later"),
        ("nothing", None),
        ("succeed", "by context"),
    ],
)
def test_every_form_of_handler(node: NodeCall, handler: str, value: object) -> None:
    """ES modules, CommonJS, folders and nested names; promises, callbacks and context methods."""
    call = node(handler, {"n": 1})
    assert (call.value, call.function_error) == (value, None)


def test_a_callback_waits_for_the_event_loop_unless_told_otherwise(node: NodeCall) -> None:
    """As on Lambda, the answer of a callback is sent when nothing is left to do."""
    waited = node("callbackThenWork", {"waits": True})
    assert "worked on" in waited.log
    assert waited.report.duration_ms > 250
    answered = first_that(
        lambda call: call.report.duration_ms < 250,
        lambda _: node("callbackThenWork", {"waits": False}),
    )
    assert "worked on" not in answered.log


def test_an_error_waits_for_nothing(node: NodeCall) -> None:
    """A callback's error is answered at once, whatever the event loop still has; "" is one too."""
    failed = node("callbackErrorThenWork", {"error": "no more"})
    assert failed.value == {"errorType": "string", "errorMessage": "no more", "trace": []}
    assert failed.report.duration_ms < 3000
    assert node("callbackErrorThenWork", {"error": ""}).function_error == "Unhandled"


def test_context_is_lambdas(node: NodeCall) -> None:
    """Every field of the context says what Lambda's says, and /tmp is the environment's own."""
    seen = node("describe", {}, 512, client_context=json.dumps({"custom": {"a": "b"}})).value
    assert 15_000 < seen["leftMs"] <= 20_000
    assert re.fullmatch(r"[0-9a-f-]{36}", seen["awsRequestId"])
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", seen["logStreamName"])
    assert re.fullmatch(r"Root=1-\w{8}-\w{24};Parent=\w{16};Sampled=0", seen["trace"])
    assert seen["clientContext"] == {"custom": {"a": "b"}}
    wanted = {
        "functionName": "fn",
        "functionVersion": "7",
        "memoryLimitInMB": "512",
        "logGroupName": "/aws/lambda/fn",
        "invokedFunctionArn": ARN,
        "callbackWaitsForEmptyEventLoop": True,
        "cwd": seen_folder(CODE),
    }
    assert {name: seen[name] for name in wanted} == wanted


def test_no_variable_of_the_caller_leaks(node: NodeCall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function has Lambda's variables and its own; of the operator's it has none."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-operators")
    monkeypatch.setenv("NODE_OPTIONS", "--title=the-operators")
    seen = node("variables", environment=(("TABLE", "orders"),)).value
    assert "the-operators" not in json.dumps(seen)
    assert (seen["TABLE"], seen["_HANDLER"]) == ("orders", "index.variables")
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
    assert seen["NODE_PATH"] == (
        "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:"
        f"/var/runtime/node_modules:/var/runtime:{seen_folder(CODE)}"
    )


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        ("throws", ("TypeError", "as asked")),
        ("callbackError", ("RangeError", "as asked")),
        ("fail", ("Error", "by context")),
        ("throwsText", ("string", "only text")),
        ("callbackText", ("string", "only text")),
    ],
)
def test_a_handled_error_has_lambdas_shape(
    node: NodeCall, handler: str, error: tuple[str, str]
) -> None:
    """errorType, errorMessage and trace, a log line with the stack, and the process lives on."""
    call = node(handler)
    assert call.function_error == "Unhandled"
    assert (call.value["errorType"], call.value["errorMessage"]) == error
    assert set(call.value) == {"errorType", "errorMessage", "trace"}
    trace = call.value["trace"]
    assert trace == [] if error[0] == "string" else trace[0] == f"{error[0]}: {error[1]}"
    logged = re.search(r"\t([0-9a-f-]{36})\tERROR\tInvoke Error \t(\{.*\})\n", call.log)
    assert logged is not None
    assert logged[1] == call.report.request_id
    shown = json.loads(logged[2])
    kind = "Error" if error[0] == "string" else error[0]
    assert (shown["errorType"], shown["errorMessage"]) == (kind, error[1])
    assert shown["stack"][0] == f"{kind}: {error[1]}"
    assert call.report.status is None
    assert node(handler).report.init_duration_ms is None


def test_what_nobody_catches_ends_the_environment(node: NodeCall) -> None:
    """Uncaught exceptions and rejections that nobody awaits are answered; a new process follows."""
    first = node("throwsLater")
    assert first.value["errorType"] == "Error"
    assert first.value["errorMessage"] == "nobody catches it"
    assert "\tERROR\tUncaught Exception \t{" in first.log
    rejected = node("rejects")
    assert rejected.value["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert rejected.value["errorMessage"] == "Error: nobody awaits it"
    assert set(rejected.value) == {"errorType", "errorMessage", "trace"}
    logged = re.search(r"\tERROR\tUnhandled Promise Rejection \t(\{.*\})\n", rejected.log)
    assert logged is not None
    assert json.loads(logged[1])["reason"]["errorMessage"] == "nobody awaits it"
    assert json.loads(logged[1])["promise"] == {}
    assert {first.function_error, rejected.function_error} == {"Unhandled"}
    again = first_that(
        lambda call: call.report.duration_ms > first.report.duration_ms + 20,  # an init is in it
        lambda _: node("throwsLater"),
    )
    assert again.report.init_duration_ms is None


def test_a_promise_that_is_never_settled_is_an_error(node: NodeCall) -> None:
    """When the event loop is empty an async handler has failed; a plain one has answered null."""
    call = node("unsettled")
    assert (call.value["errorType"], call.function_error) == ("Runtime.NodeJsExit", "Unhandled")
    assert call.report.duration_ms < 5000
    assert (node("pending").value, node("pending").function_error) == (None, None)


def test_an_answer_that_is_no_json_is_an_error(node: NodeCall) -> None:
    """A circular value cannot be sent."""
    call = node("circular")
    assert call.value["errorType"] == "Error"
    assert call.value["errorMessage"] == "Unable to stringify response body"


@pytest.mark.parametrize(
    ("handler", "event", "message"),
    [
        ("exits", {"code": 1}, "Runtime exited with error: exit status 1"),
        ("exits", {"code": 0}, "Runtime exited without providing a reason"),
        ("dies", {"signal": signal.SIGTERM}, "Runtime exited with error: signal: terminated"),
    ],
)
def test_exit_is_a_runtime_error(
    node: NodeCall, handler: str, event: dict[str, int], message: str
) -> None:
    """A process that ends by itself answers Runtime.ExitError with its status or signal."""
    call = node(handler, event)
    said = f"RequestId: {call.report.request_id} Error: {message}"
    assert call.value == {"errorType": "Runtime.ExitError", "errorMessage": said}
    assert (call.report.status, call.report.error_type) == ("error", "Runtime.ExitError")
    assert f"{said}\nRuntime.ExitError\n" in call.log
    assert ("last words\n" in call.log) == (handler == "exits")


def test_a_timeout_ends_the_process(node: NodeCall) -> None:
    """A handler that takes too long is stopped at its limit, and a new process follows."""
    call = node("sleeps", {"ms": 30_000}, timeout_s=1)
    assert call.value["errorType"] == "Sandbox.Timedout"
    assert call.value["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert (call.report.status, call.report.duration_ms) == ("timeout", 1000)
    assert node("sleeps", {"ms": 1}).value == "slept"  # it holds an init, however long that takes


def test_memory_above_the_limit_is_killed(node: NodeCall) -> None:
    """Buffers beyond the memory size kill the process, and REPORT says why."""
    call = node("eats", {"mb": 280}, 256)
    assert call.value["errorType"] == "Runtime.ExitError"
    assert call.value["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert call.report.error_type == "Runtime.OutOfMemory"
    assert (call.report.max_memory_used_mb or 0) > 200


@pytest.mark.slow
def test_a_heap_above_its_limit_aborts(node: NodeCall) -> None:
    """V8 is given nine tenths of the memory for its heap, as on Lambda, and gives up beyond."""
    call = node("eatsHeap", {"mb": 280}, 256)
    assert call.value["errorType"] == "Runtime.ExitError"
    assert re.search(r"signal: (aborted|killed)$", call.value["errorMessage"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("nowhere.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'"),
        ("missing.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'no-such-"),
        ("syntax.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("index.absent", "Runtime.HandlerNotFound", "index.absent is undefined or not exported"),
        ("index.notAFunction", "Runtime.HandlerNotFound", "index.notAFunction is not a function"),
        ("index.", "Runtime.HandlerNotFound", "index. is undefined or not exported"),
        ("../out.handler", "Runtime.MalformedHandlerName", "'../out.handler' is not a valid"),
        ("broken.handler", "RangeError", "at the top"),
    ],
)
def test_init_error(node: NodeCall, handler: str, error_type: str, message: str) -> None:
    """An init that fails is reported, tried once more within the invocation, and answered."""
    call = node(handler)
    assert call.function_error == "Unhandled"
    assert call.value["errorType"] == error_type
    assert call.value["errorMessage"].startswith(message)
    assert call.value["trace"][0].startswith(f"{error_type}: {message}")
    phases = re.findall(r"INIT_REPORT .*Phase: (\w+)\tStatus: error\tError Type: (\S+)", call.log)
    assert phases == [("init", error_type), ("invoke", error_type)]
    assert (call.report.status, call.report.error_type) == ("error", error_type)
    assert f'\tundefined\tERROR\tUncaught Exception \t{{"errorType":"{error_type}"' in call.log


def test_exit_during_init(node: NodeCall) -> None:
    """A module that ends the process answers Runtime.ExitError."""
    call = node("leaves.handler")
    assert call.value["errorType"] == "Runtime.ExitError"
    assert call.value["errorMessage"].endswith("exit status 3")


@pytest.mark.parametrize("handler", ["streaming.handler", "index.streams"])
def test_streaming_is_refused_in_a_line(node: NodeCall, handler: str) -> None:
    """A handler that streams fails at init, and the error says what to do."""
    call = node(handler)
    assert call.value["errorType"] == "Runtime.StreamingNotSupported"
    assert "response streaming can't be emulated by the local Lambda" in call.value["errorMessage"]


def test_a_callback_is_refused_from_node_24_on(node: NodeCall) -> None:
    """The runtime that the function names decides, also where another Node.js runs it."""
    call = node("callback", runtime="nodejs24.x")
    assert call.value["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert node("echo", {"n": 1}, runtime="nodejs24.x").function_error is None


def test_a_missing_sdk_is_explained(node: NodeCall) -> None:
    """Lambda brings the AWS SDK along; where it is not here, the log says how to get it."""
    call = node("sdk.handler")
    assert call.value["errorType"] == "Error"  # as of every missing import of an ES module
    assert "@aws-sdk" in call.value["errorMessage"]
    assert "this host does not" in call.log


def test_log_lines_are_lambdas(node: NodeCall) -> None:
    """console.* writes time, request id and level; a newline within an entry stays in it."""
    call = node("talks")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    request_id = call.report.request_id
    assert re.search(rf"^{stamp}\tundefined\tINFO\tmodule level$", call.log, re.MULTILINE)
    assert re.search(
        rf"^{stamp}\t{request_id}\tINFO\tto the log {{ a: 1 }}$", call.log, re.MULTILINE
    )
    assert re.search(
        rf"^{stamp}\t{request_id}\tERROR\tError: logged\n    at ", call.log, re.MULTILINE
    )
    assert re.search(rf"^{stamp}\t{request_id}\tINFO\ttwo\nlines\nplain$", call.log, re.MULTILINE)


def test_json_log_format(node: NodeCall) -> None:
    """With JSON logs every entry is a record, errors with their type, message and trace."""
    call = node("talks", log_format="JSON")
    records = [json.loads(line) for line in call.log.splitlines() if line.startswith("{")]
    mine = [record for record in records if "level" in record]
    assert [record["level"] for record in mine] == ["INFO", "INFO", "ERROR", "INFO", "DEBUG"]
    assert mine[0]["message"] == "module level"
    assert "requestId" not in mine[0]
    assert mine[1]["message"] == "to the log { a: 1 }"
    logged = mine[2]["message"]
    assert (logged["errorType"], logged["errorMessage"]) == ("Error", "logged")
    assert logged["stackTrace"][1].startswith("    at ")
    assert {record["requestId"] for record in mine[1:]} == {call.report.request_id}


def test_response_over_six_megabytes(node: NodeCall) -> None:
    """A response above the limit is the platform's error; one below it passes whole."""
    assert len(node("large", {"size": 6_000_000}).value) == 6_000_000
    assert node("large", {"size": 6_300_000}).value["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.slow
def test_memory_buys_cpu(bench: Bench) -> None:
    """One busy thread of Node.js gets the share of its size."""
    call = bench.call("index.burns", {"cpu_s": 0.3}, 512, code_dir=CODE, runtime="nodejs20.x")
    assert call.value < 512 / 1769 * 1.15


def test_another_major_is_substituted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the named version is missing the nearest one runs, with a finding."""
    monkeypatch.setattr(node_js, "_commands", lambda: iter(["a", "b", "c"]))
    there = {"a": "18.20.4", "b": "20.1.0", "c": "16.0.0"}
    monkeypatch.setattr(
        node_js, "_probe", lambda command: node_js.NodeJs(f"/x/{command}", there[command])
    )
    assert find_node("nodejs18.x").findings == ()
    found = find_node("nodejs24.x")
    assert found.version == "20.1.0"
    assert [finding.code for finding in found.findings] == ["runtime_substituted"]


@pytest.mark.parametrize(
    ("runtime", "ran", "said"),
    [
        ("nodejs", "18.20.4", "before 18 can't be used here"),
        ("nodejs8.10", "18.20.4", "before 18 can't be used here"),
        ("nodejs16.x", "18.20.4", "before 18 can't be used here"),
        ("nodejs26.x", "22.1.0", "Node.js 26 is not on PATH"),
    ],
)
def test_retired_and_newest_runtimes_run_on_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runtime: str, ran: str, said: str
) -> None:
    """Old templates' runtimes and the newest run on the nearest Node.js, and that is said."""
    monkeypatch.setattr(node_js, "_commands", lambda: iter(["22.1.0", "18.20.4", "16.0.0"]))
    monkeypatch.setattr(node_js, "_probe", lambda version: node_js.NodeJs("/x/node", version))
    found = find_program(runtime, tmp_path)
    assert found.label == f"nodejs:{ran.replace('.', '.v', 1)}"
    [finding] = found.findings
    assert finding.code == "runtime_substituted"
    assert said in finding.message
    assert f"Node.js {ran} ran {runtime} functions instead" in finding.message


def test_without_node_it_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the runtime and what is needed; a node that does not run is none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=r"nodejs22\.x needs Node\.js 18 or later"):
        find_node("nodejs22.x")
    (tmp_path / "node").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    (tmp_path / "node").chmod(0o755)
    with pytest.raises(LocalError, match=r"nodejs22\.x needs Node\.js 18 or later"):
        find_node("nodejs22.x")
