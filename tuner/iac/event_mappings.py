"""What a template has polled for its functions, and the concurrency that it reserves for them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TemplateError
from tuner.iac.resources import plain_value
from tuner.iac.supported_properties import FUNCTIONS
from tuner.iac.template import TemplateEventMapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.iac.document import TemplateNode
    from tuner.iac.intrinsics import Scope
    from tuner.iac.resources import Resource

_SOURCES: Final = {"SQS": "Queue", "Kinesis": "Stream"}
"""Events of SAM that are polled, with the property that has the ARN."""
_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_DEFAULT_BATCHES: Final = {"sqs": 10, "kinesis": 100}


def read_event_mappings(
    resources: Mapping[str, Resource], scope: Scope
) -> Iterator[TemplateEventMapping]:
    """Every mapping to a queue or stream that can be read; references must be known.

    Nothing of it runs locally, so one that can't be read is left out.
    """
    for logical_id, resource in resources.items():
        with suppress(TemplateError):
            properties = resource.properties()
            if resource.type == _MAPPING:
                yield from _mapping(properties, "EventSourceArn", _function(properties))
            elif resource.type in FUNCTIONS and "Events" in properties:
                for event in properties["Events"].values("Events").values():
                    with suppress(TemplateError):
                        yield from _of_event(event, scope.resources[logical_id])


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


def _of_event(event: TemplateNode, function: str) -> Iterator[TemplateEventMapping]:
    told = event.values("an event")
    source = _SOURCES.get(told["Type"].text("Type")) if "Type" in told else None
    if source is not None and "Properties" in told:
        yield from _mapping(told["Properties"].values("an event's properties"), source, function)


def _function(properties: Mapping[str, TemplateNode]) -> str:
    given = properties["FunctionName"].text("FunctionName") if "FunctionName" in properties else ""
    return given.rpartition(":function:")[2].partition(":")[0] or given


def _mapping(
    properties: Mapping[str, TemplateNode], source: str, function: str
) -> Iterator[TemplateEventMapping]:
    if source not in properties:
        return
    arn = properties[source].text(source)
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _DEFAULT_BATCHES:
        return
    scaling: Any = {}
    if "ScalingConfig" in properties:
        scaling = plain_value(properties["ScalingConfig"], "ScalingConfig")
    most = str(scaling.get("MaximumConcurrency")) if isinstance(scaling, dict) else ""
    yield TemplateEventMapping(
        source_arn=arn,
        function=function,
        batch_size=_whole(properties, "BatchSize", _DEFAULT_BATCHES[parts[2]]),
        window_s=_whole(properties, "MaximumBatchingWindowInSeconds", 0),
        max_concurrency=int(most) if most.isdecimal() else None,
        parallelization_factor=_whole(properties, "ParallelizationFactor", 1),
    )


def _whole(properties: Mapping[str, TemplateNode], name: str, default: int) -> int:
    text = properties[name].text(name) if name in properties else ""
    return int(text) if text.isdecimal() else default
