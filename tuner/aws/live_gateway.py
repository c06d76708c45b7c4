"""The gateway of `tuner live-check`: replies as they came, not as the tool reads them.

What changes anything accepts the names of copies and throwaways only (`lambda-tuner-…`).
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Unpack

from botocore.exceptions import ClientError

from tuner.aws.connection_errors import Request
from tuner.aws.gateway import LambdaGateway, open_connection
from tuner.aws.log_groups import report_pattern, to_ms
from tuner.aws.price_list_api import PriceList
from tuner.aws.service_errors import REFUSALS
from tuner.aws.temporary_copy import copied_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.model.request import Where

_LOOKED_AT: Final = 20
_LOOK_BACK: Final = timedelta(days=1)
_OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


def connect_live(*, function: str | None = None, **where: Unpack[Where]) -> LiveGateway:
    """Open it; the same is raised as by `connect`."""
    session, known = open_connection(function, **where)
    return LiveGateway(session, known=known)


class LiveGateway(LambdaGateway):
    """Every method raises AwsError and its subclasses, unless it says what it returns instead."""

    # Reading

    def account_limits(self) -> dict[str, Any]:
        """GetAccountSettings."""
        return _bare(self._control.ask(Request("GetAccountSettings")))

    def raw_function(self, function: str, qualifier: str | None = None) -> dict[str, Any]:
        """GetFunction's Configuration; environment values are left out."""
        raw = self._control.read(self.resolve(function), qualifier)
        return {name: given for name, given in raw.items() if name != "Environment"}

    def check_copyable(self, function: str) -> None:
        """Raise AwsError for a setting that a temporary copy wouldn't have."""
        copied_settings(self._control.read(self.resolve(function)))

    def metric_names(self, function: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(metric, names of its dimensions) for a function, each once."""
        name, found = self.resolve(function).name, set()
        request = Request("ListMetrics")
        with self._control.beside("cloudwatch", request, **_OPTIONS) as client:
            pages = client.get_paginator("list_metrics").paginate(
                Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": name}]
            )
            for page in itertools.islice(pages, _LOOKED_AT):
                for metric in page.get("Metrics", ()):
                    dimensions = sorted(each["Name"] for each in metric.get("Dimensions", ()))
                    found.add((metric["MetricName"], tuple(dimensions)))
        return tuple(sorted(found))

    def report_events(self, function: str) -> tuple[tuple[str, str], ...]:
        """(log stream, line) of a few reports in a function's log group, text or JSON."""
        group, logs_json = self.log_group(function)
        pattern = report_pattern(logs_json=logs_json)
        found: list[tuple[str, str]] = []
        with self._control.beside("logs", Request("FilterLogEvents"), **_OPTIONS) as client:
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=group, filterPattern=pattern, startTime=to_ms(self._now() - _LOOK_BACK)
            )
            for page in itertools.islice(pages, _LOOKED_AT):
                found += [(e["logStreamName"], e["message"]) for e in page.get("events", ())]
                if len(found) >= _LOOKED_AT:
                    break
        return tuple(found[:_LOOKED_AT])

    def lambda_price_items(self) -> Iterator[str]:
        """Items of the Price List API for Lambda in this region, as JSON text."""
        with PriceList(session=self._session) as prices:
            yield from prices.products(self.region, "AWSLambda", ())

    # Changing the throwaway function

    def raw_update(self, function: str, **settings: Any) -> dict[str, Any]:
        """UpdateFunctionConfiguration; it isn't waited for."""
        made = self._copy(function)
        memory_mb = settings.get("MemorySize")
        request = Request("UpdateFunctionConfiguration", made, memory_mb=memory_mb)
        return _bare(self._control.change(request, FunctionName=made.target, **settings))

    def refused_update(self, function: str, **settings: Any) -> str:
        """The code of the refusal of an update; "accepted" if there is none."""
        made = self._copy(function)
        client: Any = self._control.client
        try:
            client.update_function_configuration(FunctionName=made.target, **settings)
        except ClientError as error:
            return str(error.response.get("Error", {}).get("Code", ""))
        except REFUSALS as error:
            return type(error).__name__
        return "accepted"

    def raw_publish(self, function: str, description: str = "") -> dict[str, Any]:
        """PublishVersion; it isn't waited for."""
        made = self._copy(function)
        request = Request("PublishVersion", made)
        return _bare(
            self._control.change(request, FunctionName=made.target, Description=description)
        )

    def create_weighted_alias(
        self, function: str, name: str, version: str, weights: Mapping[str, float]
    ) -> dict[str, Any]:
        """CreateAlias for a version, with the shares that go to others."""
        made = self._copy(function)
        answer = self._control.ask(
            Request("CreateAlias", made),
            FunctionName=made.target,
            Name=name,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": dict(weights)},
        )
        return _bare(answer)


def _bare(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what the SDK adds."""
    return {name: given for name, given in answer.items() if name != "ResponseMetadata"}
