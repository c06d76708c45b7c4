"""What brings events to a function: its event source mappings, and whom its policy lets call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.aws.connection_errors import Request
from tuner.aws.triggers import allowing_statements, service_of_principal
from tuner.errors import FunctionNotFoundError
from tuner.model.account import EventSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.services import Services


def read_event_sources(services: Services, function: FunctionRef) -> tuple[EventSource, ...]:
    """Each once, polled ones first; none if only direct calls reach it. Raises AwsError."""
    found = [*_mappings(services, function), *_callers(services, function)]
    return tuple(dict.fromkeys(found))


def event_source_mappings(services: Services, function: str) -> Iterator[dict[str, Any]]:
    """A function's event source mappings. Raises AwsError.

    A disabled one may be enabled later, and sends nothing now: it's left out.
    """
    for raw in services.listed("lambda", "ListEventSourceMappings", FunctionName=function):
        if raw.get("State") != "Disabled":
            yield raw


def _mappings(services: Services, function: FunctionRef) -> Iterator[EventSource]:
    for raw in event_source_mappings(services, function.target):
        arn = str(raw.get("EventSourceArn") or "")
        parts = arn.split(":")
        yield EventSource(
            service=parts[2] if len(parts) > 2 else "a source outside AWS",
            batch_size=raw.get("BatchSize"),
            batch_window_s=float(raw.get("MaximumBatchingWindowInSeconds") or 0),
            is_fifo=arn.endswith(".fifo"),
            fan_out="/consumer/" in arn,
        )


def _callers(services: Services, function: FunctionRef) -> Iterator[EventSource]:
    try:
        answer = services.ask("lambda", "GetPolicy", function, FunctionName=function.target)
    except FunctionNotFoundError:  # it has no policy
        return
    with services.translating(Request("GetPolicy", function, purpose=services.purpose)):
        statements = allowing_statements(answer.get("Policy"))
    for statement in statements:
        if name := service_of_principal(statement):
            yield EventSource(service=name)
