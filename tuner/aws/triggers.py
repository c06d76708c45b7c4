"""What brings events to a function, what reaches it without naming a version or an alias, and what
an invocation touches.

Policies say who may call (S3, SNS, API Gateway, EventBridge rules), mappings say what is polled for
it, and the metric shows callers that use their own role (Step Functions, schedules, other code).
Side effects are a queue or stream that feeds it, a dead-letter queue, destinations and retries of
asynchronous calls. What a role allows isn't checked.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.connection_errors import Request, plain
from tuner.aws.function_ref import arn_part
from tuner.aws.metrics import read_points
from tuner.aws.service_errors import MalformedReplyError
from tuner.errors import AccessDeniedError, AwsError, CredentialsError, FunctionNotFoundError
from tuner.lease.clone import LiveTraffic
from tuner.model.account import EventSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from tuner.aws.control_plane import ControlPlane
    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.services import Services

LOOK_BACK: Final = timedelta(hours=24)
_PERIOD_S: Final = 3600
# Some services' principals name a region: logs.eu-west-1.amazonaws.com.
_SERVICE_SUFFIX: Final = re.compile(r"(\.[a-z]{2,4}(-[a-z]+)+-\d)?\.amazonaws\.com(\.cn)?$")


def find_live_traffic(control: ControlPlane, function: FunctionRef, now: datetime) -> LiveTraffic:
    """Ask for everything that reaches the unqualified function. Raises CredentialsError.

    If a local endpoint doesn't know an operation, it has nothing of that kind; anywhere else a
    refusal means that it's unknown.
    """
    questions: tuple[tuple[str, str, Callable[[], Iterable[str]]], ...] = (
        ("its aliases", "ListAliases", lambda: _aliases(control, function)),
        ("its event sources", "ListEventSourceMappings", lambda: _mappings(control, function)),
        ("its function URL", "GetFunctionUrlConfig", lambda: _url(control, function)),
        ("its resource policy", "GetPolicy", lambda: _policy(control, function)),
        ("its invocations", "GetMetricStatistics", lambda: _invocations(control, function, now)),
    )
    sources: list[str] = []
    unknown: list[str] = []
    for what, operation, ask in questions:
        try:
            with control.session.translating(Request(operation, function)):
                sources += ask()
        except CredentialsError:
            raise
        except FunctionNotFoundError:
            continue
        except MalformedReplyError:
            unknown.append(f"{what}: the answer can't be read")
        except AwsError as error:
            if not control.session.is_loopback or isinstance(error, AccessDeniedError):
                unknown.append(f"{what}: {operation} was refused")
    return LiveTraffic(tuple(dict.fromkeys(sources)), tuple(unknown))


def _aliases(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    for alias in control.listed("ListAliases", function, "Aliases"):
        if alias.get("FunctionVersion") == "$LATEST":
            yield f"the alias {plain(alias['Name'])}"


def _mappings(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    for mapping in _event_source_mappings(control, function):
        if _is_unqualified(mapping.get("FunctionArn", "")):
            yield f"an event source ({_service(mapping.get('EventSourceArn'), 'self-managed')})"


def _event_source_mappings(control: ControlPlane, function: FunctionRef) -> Iterator[Any]:
    """Those that send something: a disabled one may be enabled later."""
    listed = control.listed("ListEventSourceMappings", function, "EventSourceMappings")
    return (mapping for mapping in listed if mapping.get("State") != "Disabled")


def _url(control: ControlPlane, function: FunctionRef) -> tuple[str, ...]:
    control.ask(Request("GetFunctionUrlConfig", function), FunctionName=function.target)
    return ("a function URL",)


def _policy(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    answer = control.ask(Request("GetPolicy", function), FunctionName=function.target)
    for statement in allowing_statements(answer.get("Policy")):
        name = service_of_principal(statement)
        yield f"{plain(name)} (resource policy)" if name else "its resource policy"


def allowing_statements(document: str | None) -> tuple[Mapping[str, Any], ...]:
    """The statements of a resource policy that deny nothing."""
    statements = json.loads(document or "{}").get("Statement") or []
    listed = statements if isinstance(statements, list) else [statements]
    return tuple(each for each in listed if each.get("Effect") != "Deny")


def service_of_principal(statement: Mapping[str, Any]) -> str | None:
    """The service that a statement is about, such as `sns` or `events`; None for others."""
    principal = statement.get("Principal")
    service = principal.get("Service") if isinstance(principal, dict) else None
    return _SERVICE_SUFFIX.sub("", str(service)) if service else None


def _invocations(control: ControlPlane, function: FunctionRef, now: datetime) -> tuple[str, ...]:
    """Unqualified invocations have the bare name as their Resource."""
    options = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 2}}
    with closing(control.session.client("cloudwatch", **options)) as client:
        count = sum(
            point.get("Sum", 0)
            for resource in (function.name, f"{function.name}:$LATEST")
            for point in read_points(
                client,
                function.name,
                "Invocations",
                ["Sum"],
                start=now - LOOK_BACK,
                end=now,
                period_s=_PERIOD_S,
                resource=resource,
            )
        )
    return (f"{count:.0f} invocations in the last 24 h",) if count else ()


def _is_unqualified(arn: str) -> bool:
    parts = arn.split(":")
    return len(parts) < 8 or parts[7] == "$LATEST"


def find_side_effects(control: ControlPlane, function: FunctionRef) -> tuple[str, ...]:
    """Name what an invocation may touch, in words. What is refused isn't known and is left out.

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
            with control.session.translating(Request(operation, function)):
                found += ask()
        except CredentialsError:
            raise
        except AwsError:
            continue
    return tuple(dict.fromkeys(found))


def _event_sources(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    for mapping in _event_source_mappings(control, function):
        yield f"it is fed by {_service(mapping.get('EventSourceArn'))}"


def _dead_letters(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    target = control.read(function).get("DeadLetterConfig", {}).get("TargetArn")
    if target:
        yield f"its failed events are kept ({_service(target)})"


def _asynchronous(control: ControlPlane, function: FunctionRef) -> Iterator[str]:
    request = Request("GetFunctionEventInvokeConfig", function)
    config = control.ask(request, FunctionName=function.target)
    for destination in config.get("DestinationConfig", {}).values():
        if target := destination.get("Destination"):
            yield f"its results go on to {_service(target)}"
    if config.get("MaximumRetryAttempts"):
        yield "its asynchronous events are retried"


def _service(arn: object, other: str = "a source outside AWS") -> str:
    """The service in an ARN: the rest contains an account number."""
    return plain(arn_part(arn, 2)) or other


def read_event_sources(services: Services, function: FunctionRef) -> tuple[EventSource, ...]:
    """Each once, polled ones first; none if only direct calls reach it. Raises AwsError."""
    found = [*_polled(services, function), *_callers(services, function)]
    return tuple(dict.fromkeys(found))


def event_source_mappings(services: Services, function: str) -> Iterator[dict[str, Any]]:
    """A function's event source mappings. Raises AwsError.

    A disabled one may be enabled later, and sends nothing now: it's left out.
    """
    for raw in services.listed("lambda", "ListEventSourceMappings", FunctionName=function):
        if raw.get("State") != "Disabled":
            yield raw


def _polled(services: Services, function: FunctionRef) -> Iterator[EventSource]:
    for raw in event_source_mappings(services, function.target):
        arn = str(raw.get("EventSourceArn") or "")
        yield EventSource(
            service=arn_part(arn, 2) or "a source outside AWS",
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
    with services.session.translating(Request("GetPolicy", function, purpose=services.purpose)):
        statements = allowing_statements(answer.get("Policy"))
    for statement in statements:
        if name := service_of_principal(statement):
            yield EventSource(service=name)
