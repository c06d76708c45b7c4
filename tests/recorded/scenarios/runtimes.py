"""What handlers see, answer and log, in Python, Node.js and a runtime of their own."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.recorded.function_log import tail_of
from tests.recorded.replay import FN
from tests.recorded.scenarios.programs import (
    ECHO,
    ES6,
    FAIL,
    INTROSPECT,
    WRAPPER,
    family,
    package,
    program,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

PYTHON = tuple(f"python3.{minor}" for minor in range(8, 15))
NODE = tuple(f"nodejs{major}.x" for major in range(16, 25, 2))
PROVIDED = ("provided.al2", "provided.al2023")
_RUST_ERROR = "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>"


def _create(play: Player, runtime: str, made: tuple[str, bytes], **more: Any) -> None:
    handler, code = made
    given = {"Runtime": runtime, "Handler": handler, "Code": {"ZipFile": code}, **more}
    play.create("create_function_result", **{"MemorySize": 1024, **given})
    play.wait()


def _invoke(play: Player, step: str, *events: Any, **more: Any) -> Any:
    payload = json.dumps(*(events or ({},))).encode()
    return play(step, "invoke", **{"FunctionName": FN, "Payload": payload, **more})


def echo(play: Player, runtime: str) -> None:
    _create(play, runtime, program(runtime, ECHO))
    for event in ({"a": ["'\"", 1]}, "text", '"', "", True, None, 0, -1.5, [], {}, "\u00e9\u2028"):
        reply = _invoke(play, "", event)
        play.expect(json.loads(reply["Payload"]) == event, f"{event!r} as {reply['Payload']}")


def introspect(play: Player, runtime: str) -> None:
    given = {"Environment": {"Variables": {"TEST_KEY": "TEST_VAL"}}}
    _create(play, runtime, program(runtime, INTROSPECT), **given)
    for step, more in (("", {}), ("_qualified", {"Qualifier": "$LATEST"})):
        reply = _invoke(play, "", **more)
        play.keep(f"invocation_result_payload{step}", "a handler", json.loads(reply["Payload"]))


def fail(play: Player, runtime: str, **words: str) -> None:
    _create(play, runtime, program(runtime, FAIL, **words))
    _invoke(play, "error_result", {"error_msg": "some_error_msg"})


def wrapper(play: Player, runtime: str) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}
    made = program(runtime, INTROSPECT, environment_wrapper=WRAPPER)
    _create(play, runtime, made, Environment={"Variables": variables})
    seen = _invoke(play, "")["Payload"]
    play.expect('"WRAPPER_VAR": "test-value"' in seen.replace('":"', '": "'), seen)


def es6(play: Player, runtime: str) -> None:
    code = package({"lambda_handler_es6.mjs": ES6})
    handler = "lambda_handler_es6.handler"
    play.created("creation-result", Runtime=runtime, Handler=handler, Code={"ZipFile": code})
    _invoke(play, "invocation-result", {"event_type": "test_lambda"})


def in_submodule(play: Player, runtime: str) -> None:
    code = package({"handlers/__init__.py": "", "handlers/inner.py": ECHO["python"]})
    play.created(Runtime=runtime, Handler="handlers.inner.handler", Code={"ZipFile": code})
    play.expect(_invoke(play, "", {"n": 1})["Payload"] == '{"n": 1}', "the submodule's answer")


def which_version(play: Player, runtime: str) -> None:
    source = "import sys\ndef handler(*_):\n    return 'python%d.%d' % sys.version_info[:2]\n"
    play.created(
        Runtime=runtime, Handler="app.handler", Code={"ZipFile": package({"app.py": source})}
    )
    answer = json.loads(_invoke(play, "")["Payload"])
    play.keep("ran", "a handler", answer)
    play.expect(runtime in (answer, "python3.14"), f"{runtime} ran as {answer}")


def own_endpoint(play: Player, runtime: str) -> None:
    source = (
        "import boto3\ndef handler(*_):\n"
        "    return [f['FunctionName'] for f in boto3.client('lambda').list_functions()"
        "['Functions']]\n"
    )
    code = {"ZipFile": package({"app.py": source})}
    play.created(Runtime=runtime, Handler="app.handler", Code=code, MemorySize=1769)
    answer = _invoke(play, "")["Payload"]
    play.expect(answer == f'["{FN}"]', f"a client finds the endpoint, not {answer}")


def prints_lines(play: Player) -> None:
    source = "def handler(*_):\n    print('multi\\nline\\nstring')\n    print('another\\rline')\n"
    play.created(
        Runtime="python3.13", Handler="app.handler", Code={"ZipFile": package({"app.py": source})}
    )
    _invoke(play, "")
    stream, events = play.logged(8)
    named = {"logStreamName": stream, "timestamp": 1, "ingestionTime": 1, "eventId": "1"}
    play.keep("log-events", "a handler", [{**named, "message": each} for each in events])


def counts(play: Player) -> None:
    source = "let counter = 0;\nexports.handler = async () => ({ counter: counter++ });\n"
    play.created(
        Runtime="nodejs20.x", Handler="app.handler", Code={"ZipFile": package({"app.js": source})}
    )
    for step in ("first_invoke_result", "second_invoke_result"):
        _invoke(play, step)


def logs(play: Player, runtime: str) -> None:
    sources = {
        "python": "def handler(event, context):\n    print(event)\n    return event\n",
        "nodejs": "exports.handler = async (event) => { console.log(event); return event; };\n",
    }
    handler, code = program(runtime, sources)
    play.created(Runtime=runtime, Handler=handler, Code={"ZipFile": code})
    reply = _invoke(play, "invoke", LogType="Tail")
    play.keep("logs", "a handler", {"logs": tail_of(reply).splitlines(keepends=True)})


def node_invocation(play: Player, source: str, **given: Any) -> None:
    code = package({"app.js": source})
    play.created(Runtime="nodejs16.x", Handler="app.handler", Code={"ZipFile": code})
    _invoke(play, "invoke-result", **given)


_COMMON = "TestLambdaRuntimesCommon::test"
_INVOKED = "TestLambdaFeatures::test_invocation"
_NOTHING = "exports.handler = async () => {};\n"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    **{
        f"{_COMMON}_{name}_invoke[{runtime}]": partial(play, runtime=runtime)
        for runtime in (*PYTHON, *NODE, *PROVIDED)
        for name, play in (("echo", echo), ("introspection", introspect))
    },
    **{
        f"{_COMMON}_uncaught_exception_invoke[{runtime}]": partial(fail, runtime=runtime)
        for runtime in (*PYTHON, *NODE)
    },
    **{
        f"{_COMMON}_uncaught_exception_invoke[{runtime}]": partial(
            fail, runtime=runtime, error_type=_RUST_ERROR, message="f'Error: \"{error}\"'"
        )
        for runtime in PROVIDED
    },
    **{
        f"{_COMMON}_runtime_wrapper_invoke[{runtime}]": partial(wrapper, runtime=runtime)
        for runtime in (*PYTHON, *NODE)
    },
    **{
        f"TestGoProvidedRuntimes::test_uncaught_exception_invoke[{runtime}]": partial(
            fail, runtime=runtime, error_type="errorString", message="f'Error: {error}'"
        )
        for runtime in PROVIDED
    },
    **{
        f"TestLambdaCallingLocalstack::test_manual_endpoint_injection[{runtime}]": partial(
            own_endpoint, runtime=runtime
        )
        for runtime in PYTHON[2:]  # the tool's boto3 runs on Python 3.10 or later
    },
    **{
        f"TestNodeJSRuntimes::test_invoke_nodejs_es6_lambda[{runtime}]": partial(
            es6, runtime=runtime
        )
        for runtime in NODE
    },
    **{
        f"TestPythonRuntimes::test_{name}[{runtime}]": partial(play, runtime=runtime)
        for runtime in PYTHON
        for name, play in (
            ("handler_in_submodule", in_submodule),
            ("python_runtime_correct_versions", which_version),
        )
    },
    "TestCloudwatchLogs::test_multi_line_prints": prints_lines,
    "TestLambdaBehavior::test_lambda_cache_local[nodejs]": counts,
    **{
        f"{_INVOKED}_with_logs[{runtime}]": partial(logs, runtime=runtime)
        for runtime in ("python3.10", "nodejs16.x")
    },
    **{
        f"{_INVOKED}_type_{name}[nodejs16.x]": partial(
            node_invocation, source=ECHO["nodejs"], InvocationType=kind
        )
        for name, kind in (
            ("request_response", "RequestResponse"),
            ("event", "Event"),
            ("dry_run", "DryRun"),
        )
    },
    **{
        f"{_INVOKED}_type_no_return_payload[nodejs-{kind}]": partial(
            node_invocation, source=_NOTHING, InvocationType=kind
        )
        for kind in ("RequestResponse", "Event")
    },
}
assert {family(runtime) for runtime in (*PYTHON, *NODE, *PROVIDED)} == set(ECHO)
