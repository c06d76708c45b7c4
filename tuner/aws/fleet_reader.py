"""What a fleet's plan asks a region for: in lists, not function by function."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.account_reports import function_tags
from tuner.aws.function_list import account_function, list_functions
from tuner.aws.function_ref import EVENT_REGISTRY, FunctionRef, arn_part
from tuner.aws.metric_data import metric_values
from tuner.aws.triggers import allowing_statements, service_of_principal
from tuner.errors import AwsError, FunctionNotFoundError
from tuner.payloads.event_sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tuner.aws.services import Services
    from tuner.model.account import AccountFunction

_FEW: Final = 20
"""So many functions are read one by one; for more, all are listed, 50 a page."""
_DAY_S: Final = 86_400
_POLLED: Final = {
    each.polled_service: each.name for each in SOURCES.values() if each.polled_service
}
_CALLERS: Final = {
    each.caller_service: each.name for each in SOURCES.values() if each.caller_service
}
"""What `tuner payload` calls the events of a service that has one form of them: API Gateway,
EventBridge and Amazon MQ have several."""


class FleetReader:
    """Reads lists of a region, each once, at a pace that the account can bear."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.region = services.region

    @cached_property
    def tags(self) -> Mapping[str, Mapping[str, str]]:
        """Tags by the function's name. Raises AwsError."""
        return function_tags(self._services)

    def functions(self, names: Collection[str]) -> Iterator[AccountFunction]:
        """Those among the names that exist. Raises AwsError."""
        if len(names) > _FEW:
            yield from (each for each in list_functions(self._services) if each.name in names)
            return
        for name in names:
            try:
                answer = self._services.ask(
                    "lambda", "GetFunction", FunctionRef(name), FunctionName=name
                )
            except FunctionNotFoundError:
                continue
            yield account_function(answer.get("Configuration", {}), self._services.region)

    def mean_ms(
        self, names: Sequence[str], *, start: datetime, end: datetime
    ) -> Mapping[str, float]:
        """Mean durations by CloudWatch, of functions that ran; none where it can't be asked."""
        asked = [
            (name, metric, "Sum", {"FunctionName": name})
            for name in names
            for metric in ("Duration", "Invocations")
        ]
        try:
            found = metric_values(self._services, asked, start=start, end=end, period_s=_DAY_S)
        except AwsError:
            return {}
        counts = {name: sum(found[name, "Invocations"]) for name in names}
        return {
            name: sum(found[name, "Duration"]) / count for name, count in counts.items() if count
        }

    def has_test_events(self, name: str) -> bool:
        """Whether the function has shareable test events; not where they can't be listed."""
        return FunctionRef(name).event_schema in self._schemas

    @cached_property
    def _schemas(self) -> frozenset[str]:
        try:
            listed = self._services.listed("schemas", "ListSchemas", RegistryName=EVENT_REGISTRY)
            return frozenset(each["SchemaName"] for each in listed)
        except AwsError:
            return frozenset()

    def mapped_sources(self, name: str) -> frozenset[str | None]:
        """What is polled for the function, None for what `tuner payload` can't make; nothing where
        that can't be listed.
        """
        return frozenset(self._sources.get(name, ()))

    @cached_property
    def _sources(self) -> Mapping[str, set[str | None]]:
        found: dict[str, set[str | None]] = {}
        try:
            for each in self._services.listed("lambda", "ListEventSourceMappings"):
                if each.get("State") != "Disabled":  # one that is disabled sends nothing now
                    function = arn_part(each.get("FunctionArn"), 6)
                    found.setdefault(function, set()).add(_mapped(each))
        except AwsError:
            return {}
        return found

    def allowed_sources(self, name: str) -> frozenset[str | None]:
        """What its resource policy lets invoke it, None for what `tuner payload` can't make;
        nothing where that can't be read.
        """
        try:
            answer = self._services.ask("lambda", "GetPolicy", FunctionRef(name), FunctionName=name)
            return frozenset(_callers(allowing_statements(answer.get("Policy"))))
        except (AwsError, ValueError, AttributeError, TypeError):
            return frozenset()


def account_ids(services: Services) -> tuple[str, ...]:
    """The organization's active accounts. Raises AwsError."""
    return tuple(
        str(each["Id"])
        for each in services.listed("organizations", "ListAccounts")
        if each.get("Status") == "ACTIVE"
    )


def own_account(services: Services) -> str:
    """Whose credentials these are. Raises AwsError."""
    return str(services.ask("sts", "GetCallerIdentity").get("Account", ""))


def _mapped(mapping: Mapping[str, Any]) -> str | None:
    if mapping.get("SelfManagedEventSource"):
        return "kafka"
    return _POLLED.get(arn_part(mapping.get("EventSourceArn"), 2))


def _callers(statements: Iterable[Mapping[str, Any]]) -> Iterator[str | None]:
    for statement in statements:
        if "lambda:FunctionUrlAuthType" in json.dumps(statement.get("Condition") or {}):
            yield "function-url"
        elif service := service_of_principal(statement):
            yield _CALLERS.get(service)
