"""What shows that an invocation of a function does more than answer.

A queue or stream that feeds it, a dead-letter queue, destinations or retries of asynchronous calls:
their owner minds what each event causes. What a role allows is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.aws.place import Request, plain
from tuner.errors import AwsError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuner.aws.control import ControlPlane
    from tuner.aws.reference import FunctionRef


def find_side_effects(control: ControlPlane, function: FunctionRef) -> tuple[str, ...]:
    """Name what an invocation may touch, each in words. What is refused is not known and left out.

    Raises CredentialsError.
    """
    questions: tuple[tuple[str, Callable[[], Iterable[str]]], ...] = (
        ("ListEventSourceMappings", lambda: _event_sources(control, function)),
        ("GetFunction", lambda: _dead_letters(control, function)),
        ("GetFunctionEventInvokeConfig", lambda: _asynchronous(control, function)),
    )
    found: list[str] = []
    for operation, ask in questions:
        try:
            with control.asking(Request(operation, function)):
                found += ask()
        except CredentialsError:
            raise
        except AwsError:
            continue
    return tuple(dict.fromkeys(found))


def _event_sources(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    client: Any = control.client
    pages = client.get_paginator("list_event_source_mappings").paginate(
        FunctionName=function.target
    )
    for page in pages:
        for mapping in page.get("EventSourceMappings", ()):
            yield f"it is fed by {_service(mapping.get('EventSourceArn'))}"


def _dead_letters(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    target = control.read(function).get("DeadLetterConfig", {}).get("TargetArn")
    if target:
        yield f"its failed events are kept ({_service(target)})"


def _asynchronous(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    client: Any = control.client
    config = client.get_function_event_invoke_config(FunctionName=function.target)
    for destination in config.get("DestinationConfig", {}).values():
        if target := destination.get("Destination"):
            yield f"its results go on to {_service(target)}"
    if config.get("MaximumRetryAttempts"):
        yield "its asynchronous events are retried"


def _service(arn: object) -> str:
    """The service of an ARN: the rest holds an account's number."""
    parts = str(arn or "").split(":")
    return plain(parts[2]) if len(parts) > 2 else "a source outside AWS"
