"""What is behind a function and what feeds it, read from the account. Changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.function_ref import arn_part
from tuner.aws.reached_resources import (
    Inventory,
    named_by_environment,
    named_by_role,
)
from tuner.aws.resource_reader import ResourceReader
from tuner.errors import AwsError, CredentialsError
from tuner.load.resources import Declared, Queue, Stream, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tuner.aws.reached_resources import Named
    from tuner.aws.services import Services
    from tuner.load.resources import EventSource, Resource

LOOK_BACK: Final = timedelta(days=7)
_MOST_RESOURCES: Final = 30


def recent_window(now: datetime) -> tuple[datetime, datetime]:
    """The last week in whole hours, as CloudWatch's data points are."""
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return end - LOOK_BACK, end


def find_surroundings(
    services: Services,
    function: str,
    configuration: dict[str, Any],
    *,
    now: datetime,
    target: str | None = None,
    declared: Declared | None = None,
    used: Sequence[Named] = (),
) -> Surroundings:
    """Read what a function's settings name, and what is polled for it.

    `function` is its name, and `target` the ARN if it must be named by that. `configuration` is
    GetFunction's; `declared` is a template's, and `used` what was seen to be called. What is
    refused is noted, and the rest is read. Raises CredentialsError.
    """
    unseen: list[str] = []
    declared = declared or Declared()
    reader = ResourceReader(services, *recent_window(now), declared)
    account = None
    if not services.session.is_loopback:  # there is just one here, whatever an ARN says
        account = arn_part(configuration.get("FunctionArn"), 4)
    inventory = Inventory(services, services.region, unseen, account or None)
    target = target or function
    sources, others = _sources(reader, (function, target), unseen)
    fed_by = {(source.service, source.resource) for source, _ in sources}
    named = dict.fromkeys([*used, *_named(services, target, configuration, inventory)])
    if len(named) > _MOST_RESOURCES:
        unseen.append(f"{len(named) - _MOST_RESOURCES} more resources than {_MOST_RESOURCES}")
    behind = [
        found
        for each in list(named)[:_MOST_RESOURCES]
        if each != ("lambda", function)
        and (each not in fed_by or each in used)
        and (found := _read(reader, each, unseen)) is not None
    ]
    own = reader.function(function)
    others = [*declared.others, *dict.fromkeys(others)]
    return Surroundings(tuple(behind), sources, own, tuple(others), tuple(dict.fromkeys(unseen)))


def _named(
    services: Services, function: str, configuration: dict[str, Any], inventory: Inventory
) -> Iterator[Named]:
    variables = (configuration.get("Environment") or {}).get("Variables") or {}
    yield from named_by_environment(variables, inventory)
    targets = [(configuration.get("DeadLetterConfig") or {}).get("TargetArn")]
    try:
        answer = services.ask("lambda", "GetFunctionEventInvokeConfig", FunctionName=function)
        destinations = (answer.get("DestinationConfig") or {}).values()
        targets += [each.get("Destination") for each in destinations]
    except CredentialsError:
        raise
    except AwsError:
        pass  # it has none, or that may not be read
    for target in filter(None, targets):
        if found := inventory.named(target):
            yield found
    role = configuration.get("Role")
    if role and not services.session.is_loopback:  # a local function has no role
        yield from named_by_role(role, inventory)


def _read(reader: ResourceReader, named: Named, unseen: list[str]) -> Resource | None:
    try:
        return reader.read(named)
    except CredentialsError:
        raise
    except AwsError:
        unseen.append(f"{named[1]} ({named[0]}: refused, or not there)")
        return None


def _sources(
    reader: ResourceReader, function: tuple[str, str], unseen: list[str]
) -> tuple[tuple[tuple[EventSource, Queue | Stream | None], ...], list[str]]:
    """Queues and streams with their settings, and in words what else is polled."""
    try:
        sources = reader.sources_of(*function)
    except CredentialsError:
        raise
    except AwsError:
        unseen.append("its event sources (refused)")
        return (), []
    found: list[tuple[EventSource, Queue | Stream | None]] = []
    others: list[str] = []
    for each in sources:
        if isinstance(each, str):
            others.append(each)
        elif each.service == "dynamodb":  # its shards follow the table's partitions
            others.append(f"the stream of {each.resource} (DynamoDB)")
        else:
            read = _read(reader, (each.service, each.resource), unseen)
            found.append((each, read if isinstance(read, Queue | Stream) else None))
    return tuple(found), others
