"""What surrounds a function: what is polled for it, where its results go, what Lambda dropped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.aws.account_reports import error_code
from tuner.aws.function_ref import FunctionRef, arn_part
from tuner.aws.iam_policy import partition_of
from tuner.aws.metric_data import metric_points
from tuner.aws.triggers import event_source_mappings
from tuner.errors import AwsError, CredentialsError
from tuner.watch.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tuner.aws.services import Services
    from tuner.model.account import AccountFunction
    from tuner.watch.wiring import Points

T = TypeVar("T")
_MINUTE_DAYS: Final = 14
"""CloudWatch keeps minutes for 15 days."""


def read_wiring(services: Services, function: AccountFunction, *, end: datetime) -> Wiring:
    """A function's surroundings, and two weeks of what CloudWatch says of them.

    What is refused or not known there is left out and told. Raises CredentialsError.
    """
    reference = FunctionRef(function.name, region=services.region)
    end = end.replace(second=0, microsecond=0)
    start = end - timedelta(days=_MINUTE_DAYS)
    unread: list[str] = []

    def ask(what: str, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except CredentialsError:
            raise
        except AwsError as error:
            if error_code(error) == "ResourceNotFoundException":  # nothing of that kind is set
                return None
            unread.append(f"{what} ({error})")
            return None

    def points(what: str, namespace: str, metric: str, statistic: str, **of: str) -> Points:
        found = ask(
            what,
            lambda: metric_points(services, namespace, metric, statistic, of, start=start, end=end),
        )
        return found or ()

    name = function.name
    sources = ask("its event sources", lambda: _sources(services, name)) or ()
    targets = ask("where its results go", lambda: _destinations(services, name)) or ()
    targets += ask("its dead-letter queue", lambda: _dead_letters(services, reference)) or ()
    queues = [arn.rpartition(":")[2] for arn in sources if arn_part(arn, 2) == "sqs"]
    return Wiring(
        function=name,
        function_arn=f"arn:{partition_of(services.region)}:lambda:{services.region}:"
        f"{function.account}:function:{name}",
        sources=sources,
        targets=targets,
        recursive_loop=ask("its RecursiveLoop setting", lambda: _recursive_loop(services, name)),
        dropped=points(
            "what was dropped as recursive",
            *("AWS/Lambda", "RecursiveInvocationsDropped", "Sum"),
            FunctionName=name,
        ),
        queue_ages_s=tuple(
            (
                queue,
                points(
                    f"the age of {queue}",
                    *("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
                    QueueName=queue,
                ),
            )
            for queue in queues
        ),
        unread=tuple(unread),
    )


def _sources(services: Services, function: str) -> tuple[str, ...]:
    """Those that are on."""
    return tuple(
        str(raw["EventSourceArn"])
        for raw in event_source_mappings(services, function)
        if raw.get("EventSourceArn")
    )


def _destinations(services: Services, function: str) -> tuple[tuple[str, str], ...]:
    """Of asynchronous invocations, of every version and alias."""
    return tuple(
        (_unqualified(str(target["Destination"])), how)
        for raw in services.listed(
            "lambda", "ListFunctionEventInvokeConfigs", FunctionName=function
        )
        for how, target in (raw.get("DestinationConfig") or {}).items()
        if target and target.get("Destination")
    )


def _dead_letters(services: Services, function: FunctionRef) -> tuple[tuple[str, str], ...]:
    raw = services.ask("lambda", "GetFunction", function, FunctionName=function.name)
    target = (raw.get("Configuration", {}).get("DeadLetterConfig") or {}).get("TargetArn")
    return ((str(target), "DeadLetter"),) if target else ()


def _recursive_loop(services: Services, function: str) -> str | None:
    answer = services.ask("lambda", "GetFunctionRecursionConfig", FunctionName=function)
    found = answer.get("RecursiveLoop")
    return None if found is None else str(found)


def _unqualified(arn: str) -> str:
    """A function's ARN without its version or alias; any other as it is."""
    return ":".join(arn.split(":")[:7]) if arn_part(arn, 2) == "lambda" else arn
