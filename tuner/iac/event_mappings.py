"""What a template has polled for its functions, and the concurrency that it reserves for them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TemplateError
from tuner.iac.document import plain_number
from tuner.iac.resources import plain_value
from tuner.iac.supported_properties import FUNCTIONS
from tuner.iac.template import OtherEventMapping, TemplateEventMapping
from tuner.model.account import POLLED_SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.iac.document import TemplateNode
    from tuner.iac.intrinsics import Scope
    from tuner.iac.resources import Resource

_SOURCES: Final = {"SQS": "Queue", "Kinesis": "Stream"}
"""Events of SAM that are polled, with the property that has the ARN."""
_OTHERS: Final = {
    "DynamoDB": "DynamoDB", "DocumentDB": "DocumentDB", "MQ": "Amazon MQ", "MSK": "Amazon MSK",
    "SelfManagedKafka": "Kafka",
}  # fmt: skip
"""Events of SAM that are polled as well, and what they come from."""
_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_DEFAULT_BATCHES: Final = {"sqs": 10, "kinesis": 100}


def read_event_mappings(
    resources: Mapping[str, Resource], scope: Scope
) -> Iterator[TemplateEventMapping | OtherEventMapping]:
    """Every mapping that is on; references must be known.

    Nothing of it runs locally, so one of a function that can't be told is left out.
    """
    for logical_id, resource in resources.items():
        with suppress(TemplateError):
            properties = resource.properties()
            if resource.type == _MAPPING:
                given = properties.get("FunctionName")
                named = "" if given is None else given.text("FunctionName")
                function = named.rpartition(":function:")[2].partition(":")[0] or named
                yield from _read(properties, "EventSourceArn", function, logical_id)
            elif resource.type in FUNCTIONS and "Events" in properties:
                for name, event in properties["Events"].values("Events").items():
                    with suppress(TemplateError):
                        yield from _of_event(event, scope.resources[logical_id], f"event {name}")


def read_reserved(
    resources: Mapping[str, Resource],
    shared: TemplateNode | None,
    scope: Scope,
) -> Iterator[tuple[str, int]]:
    """(function, its reserved concurrency) where a template, or its Globals `shared`, sets it."""
    of_all: Mapping[str, TemplateNode] = {}
    if shared is not None:
        with suppress(TemplateError, KeyError):
            of_all = shared.values("Globals")["Function"].values("the globals for functions")
    for logical_id, resource in resources.items():
        if resource.type in FUNCTIONS:
            with suppress(TemplateError, ValueError):
                of_it = {**resource.globals_of(of_all), **resource.properties()}
                if node := of_it.get("ReservedConcurrentExecutions"):
                    yield scope.resources[logical_id], int(node.text("its concurrency"))


def _of_event(
    event: TemplateNode, function: str, name: str
) -> Iterator[TemplateEventMapping | OtherEventMapping]:
    told = event.values("an event")
    kind = told["Type"].text("Type") if "Type" in told else ""
    if "Properties" not in told or kind not in {**_SOURCES, **_OTHERS}:
        return
    properties = told["Properties"].values("an event's properties")
    if kind in _SOURCES:
        yield from _read(properties, _SOURCES[kind], function, name, kind)
    elif _is_on(properties):
        yield OtherEventMapping(function, f"{_OTHERS[kind]} ({name})")


def _read(
    properties: Mapping[str, TemplateNode],
    source: str,
    function: str,
    name: str,
    kind: str = "a source",
) -> Iterator[TemplateEventMapping | OtherEventMapping]:
    """A mapping that is on; `name` is for one whose `source` isn't a queue or stream, or can't be
    read. `kind` is what it's known to be before.
    """
    if not _is_on(properties):
        return
    try:
        arn = properties[source].text(source) if source in properties else ""
        parts = arn.split(":", 5)
        service = parts[2] if len(parts) == 6 else ""
        if service in _DEFAULT_BATCHES:
            yield _mapping(properties, arn, function)
        else:
            yield OtherEventMapping(function, f"{POLLED_SERVICES.get(service, kind)} ({name})")
    except TemplateError:
        yield OtherEventMapping(function, f"{kind} ({name}: only an account knows it)")


def _is_on(properties: Mapping[str, TemplateNode]) -> bool:
    """Whether it's enabled, as far as the template says."""
    with suppress(TemplateError):
        if "Enabled" in properties:
            return properties["Enabled"].text("Enabled").lower() != "false"
    return True


def _mapping(
    properties: Mapping[str, TemplateNode], arn: str, function: str
) -> TemplateEventMapping:
    scaling: Any = {}
    if "ScalingConfig" in properties:
        scaling = plain_value(properties["ScalingConfig"], "ScalingConfig")
    most = str(scaling.get("MaximumConcurrency")) if isinstance(scaling, dict) else ""
    return TemplateEventMapping(
        source_arn=arn,
        function=function,
        batch_size=_whole(properties, "BatchSize", _DEFAULT_BATCHES[arn.split(":")[2]]),
        window_s=_whole(properties, "MaximumBatchingWindowInSeconds", 0),
        max_concurrency=plain_number(most),
        parallelization_factor=_whole(properties, "ParallelizationFactor", 1),
        pollers=_pollers(properties),
    )


def _pollers(properties: Mapping[str, TemplateNode]) -> tuple[int, int] | None:
    if "ProvisionedPollerConfig" not in properties:
        return None
    config = properties["ProvisionedPollerConfig"].values("ProvisionedPollerConfig")
    return _whole(config, "MinimumPollers", 2), _whole(config, "MaximumPollers", 200)


def _whole(properties: Mapping[str, TemplateNode], name: str, default: int) -> int:
    number = plain_number(properties[name].text(name)) if name in properties else None
    return default if number is None else number
