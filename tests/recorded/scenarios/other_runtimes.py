"""Runtimes that can't run here: Java, .NET, and Ruby. Each is refused with those that can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

JAVA = ("java8.al2", "java11", "java17", "java21", "java25")
OTHERS = (*JAVA, "ruby3.2", "ruby3.3", "ruby3.4", "dotnet6", "dotnet8", "dotnet10")


def refused(play: Player, runtime: str, step: str) -> None:
    play.create(step, Runtime=runtime, Handler="echo.Handler")


_COMMON, _JAVA = "TestLambdaRuntimesCommon::test", "TestJavaRuntimes::test"
_OWN_HANDLER = "cloud.localstack.sample.LambdaHandlerWithInterfaceAndCustom"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    **{
        f"{_COMMON}_{name}_invoke[{runtime}]": partial(refused, runtime=runtime, step=step)
        for runtime in OTHERS
        for name, step in (
            ("echo", ""),
            ("introspection", "create_function_result"),
            ("uncaught_exception", "create_function_result"),
            ("runtime_wrapper", "create_function_result"),
        )
    },
    **{
        f"TestLambdaCallingLocalstack::test_manual_endpoint_injection[{runtime}]": partial(
            refused, runtime=runtime, step=""
        )
        for runtime in OTHERS
    },
    **{
        f"{_JAVA}_{name}[{runtime}]": partial(refused, runtime=runtime, step=step)
        for runtime in JAVA
        for name, step in (
            ("stream_handler", "invoke_result"),
            ("serializable_input_object", "create-result"),
        )
    },
    **{
        f"{_JAVA}_java_custom_handler_method_specification[{_OWN_HANDLER}{which}]": partial(
            refused, runtime="java21", step="create-result"
        )
        for which in ("::handleRequestCustom-CUSTOM", "-INTERFACE", "::handleRequest-INTERFACE")
    },
    f"{_JAVA}_java_runtime_with_lib": partial(
        refused, runtime="java21", step="create-result-jar-with-lib"
    ),
    f"{_JAVA}_java_lambda_subscribe_sns_topic": partial(
        refused, runtime="java21", step="get-function"
    ),
}
