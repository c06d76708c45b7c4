"""Reads from Lambda and related services: nothing here changes anything.

The related services: shareable test events (EventBridge Schemas) and the log of one invocation,
which arrives in CloudWatch Logs some seconds later.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from tuner.aws import configuration
from tuner.aws.connection_errors import Request
from tuner.aws.function_ref import EVENT_REGISTRY, FunctionRef, check_region, parse_reference
from tuner.aws.iam_policy import partition_of
from tuner.aws.metrics import dropped_as_recursive, mean_duration_ms, minute_loads, parse_time
from tuner.aws.triggers import find_live_traffic, find_side_effects
from tuner.errors import AwsError, CredentialsError, EndpointError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tuner.aws.control_plane import ControlPlane
    from tuner.aws.session import Session
    from tuner.lease.clone import LiveTraffic
    from tuner.model.function import Alias, FunctionConfig, Routing
    from tuner.model.invocation import MinuteLoad

_LOG_WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between looks; for a local server, a few tenths are enough."""
_LOOPBACK_LOG_WAITS_S: Final = (0.1, 0.3)
_LOOK_BACK_MS: Final = 20 * 60 * 1000
"""An invocation lasts at most 15 minutes, and clocks differ."""
_MOST_PAGES: Final = 20
_REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f-]{8,40}")
_LATEST: Final = "$LATEST"
_READING: Final = ("Get", "List", "Invoke")
_NAMES: Final = ("FunctionName", "Resource", "Qualifier", "MemorySize", "Name")
"""What may be told of a request: no value that could be a secret."""


def _lines(client: Any, group: str, request_id: str, since_ms: int) -> list[str]:
    """The lines with the request's id; a page may be empty and still not be the last."""
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=since_ms, filterPattern=f'"{request_id}"'
    )
    events = (event for page in islice(pages, _MOST_PAGES) for event in page.get("events", ()))
    return [event["message"].rstrip("\n") for event in events]


def _examples(content: str, function: FunctionRef) -> dict[str, bytes]:
    try:
        document: Any = json.loads(content)
        examples = document["components"].get("examples", {})
        values = {str(name): example["value"] for name, example in examples.items()}
        return {
            name: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
            for name, value in values.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AwsError(
            f"the shareable test events of {function.name} (schema {function.event_schema} in the "
            f"registry {EVENT_REGISTRY}) aren't in Lambda's format: save one in the console"
        ) from None


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """The account's concurrency limits in its region; None if the endpoint doesn't say."""

    concurrent_executions: int | None
    unreserved_concurrent_executions: int | None
    architecture: str | None = None
    """The one that a local Lambda runs all code on, whatever functions say; None elsewhere."""


class LambdaReader:
    """The half of the gateway that only reads; see there for what `function` may be.

    `known` is the function that the gateway was opened for.
    """

    def __init__(
        self,
        control: ControlPlane,
        *,
        known: FunctionRef | None,
        now: Callable[[], datetime],
    ) -> None:
        self._session = control.session
        self._control = control
        self._known = known
        self._now = now

    @property
    def region(self) -> str:
        """The region where requests go."""
        return self._session.region

    @property
    def session(self) -> Session:
        """Profile, region, credentials and endpoint, for other services."""
        return self._session

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint if it isn't AWS's own (given, or from AWS's settings)."""
        return self._session.endpoint_url

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        return self._session.is_loopback

    def resolve(self, function: str) -> FunctionRef:
        """Read a name or ARN. Raises InputError if it's neither, or in another region.

        The name of the function that the gateway was opened for stays in its ARN's account.
        """
        reference = parse_reference(function)
        check_region(reference, self.region)
        if self.is_loopback:
            # One account lives there, and some servers know their functions by name only.
            return FunctionRef(reference.name, reference.qualifier, reference.region)
        known = self._known
        if known is not None and reference.account_id is None and reference.name == known.name:
            return replace(known, qualifier=reference.qualifier)
        return reference

    def read_function(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        """Read $LATEST, or the version or alias `qualifier` (or the one that `function` names)."""
        reference = self.resolve(function)
        return self._config(self._control.read(reference, qualifier or reference.qualifier))

    def account_id(self) -> str | None:
        """The account of the credentials; None if a server on this machine doesn't know.

        Raises AwsError.
        """
        request = Request("GetCallerIdentity")
        options = {"connect_timeout": 5, "read_timeout": 30, "retries": {"mode": "standard"}}
        try:
            with self._control.beside("sts", request, **options) as client:
                return str(client.get_caller_identity()["Account"])
        except AwsError as error:
            # What isn't Lambda's has no answer there, or not one that the SDK can read.
            if self.is_loopback and not isinstance(error, (EndpointError, ThrottledError)):
                return None
            raise

    def arn_of(self, function: str) -> str:
        """The ARN that a function of this name has, or would have, here.

        Raises AwsError if the account can't be asked for; on this machine it may have none.
        """
        name, partition = self.resolve(function).name, partition_of(self.region)
        return f"arn:{partition}:lambda:{self.region}:{self.account_id() or ''}:function:{name}"

    def list_versions(self, function: str) -> tuple[FunctionConfig, ...]:
        """Every published version (without $LATEST), over all pages."""
        raws = self._control.listed("ListVersionsByFunction", self.resolve(function), "Versions")
        return tuple(self._config(raw) for raw in raws if raw.get("Version") != _LATEST)

    def list_aliases(self, function: str) -> tuple[Alias, ...]:
        """Every alias with all the versions it routes to, over all pages."""
        reference = self.resolve(function)
        with self._session.translating(Request("ListAliases", reference)):
            raws = self._control.listed("ListAliases", reference, "Aliases")
            return tuple(configuration.alias(raw) for raw in raws)

    def read_alias(self, function: str, alias: str) -> Routing:
        """Read where an alias routes. Raises FunctionNotFoundError if there is none."""
        reference = self.resolve(function)
        request = Request("GetAlias", reference, alias, purpose="apply")
        with self._session.translating(request):
            return configuration.routing(
                self._control.client.get_alias(FunctionName=reference.target, Name=alias)
            )

    def log_group(self, function: str) -> tuple[str, bool]:
        """Where a function logs, and whether it logs JSON."""
        reference = self.resolve(function)
        logging: Any = self._control.read(reference).get("LoggingConfig") or {}
        group = logging.get("LogGroup") or f"/aws/lambda/{reference.name}"
        return group, logging.get("LogFormat") == "JSON"

    def tell_changes(self, told: Callable[[str, dict[str, Any]], None]) -> None:
        """Tell of every request that changes something before it's sent, with the names in it."""

        def tell(params: dict[str, Any], model: Any, **_: Any) -> None:
            if not model.name.startswith(_READING):
                told(model.name, {name: params[name] for name in _NAMES if name in params})

        self._control.client.meta.events.register("before-parameter-build.lambda", tell)

    def check_credentials(self) -> None:
        """Fetch credentials that must be fetched, such as a role's. Raises AwsError."""
        with self._session.translating(Request("AssumeRole")):
            credentials = self._session.boto.get_credentials()
            if credentials is not None:
                credentials.get_frozen_credentials()

    def account_settings(self) -> AccountSettings:
        """Read the concurrency limits; None if that is refused or unknown."""
        try:
            answer = self._control.ask(Request("GetAccountSettings"))
        except AwsError:
            return AccountSettings(None, None)
        limit = answer.get("AccountLimit", {})
        return AccountSettings(
            limit.get("ConcurrentExecutions"),
            limit.get("UnreservedConcurrentExecutions"),
            answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-tuner-architecture"),
        )

    def reserved_concurrency(self, function: str) -> int | None:
        """Read the function's reserved concurrency; None if there is none, or it isn't known."""
        try:
            return self.read_reserved_concurrency(function)
        except CredentialsError:
            raise
        except AwsError:
            return None

    def read_reserved_concurrency(self, function: str) -> int | None:
        """See `FunctionControl`: what isn't known raises AwsError."""
        reference = self.resolve(function)
        request = Request("GetFunctionConcurrency", reference)
        answer = self._control.ask(request, FunctionName=reference.target)
        reserved: int | None = answer.get("ReservedConcurrentExecutions")
        return reserved

    def recent_duration_ms(self, function: str) -> float | None:
        """Return CloudWatch's mean duration since the function last changed, at most 7 days.

        None if nothing ran since, or if CloudWatch is denied or absent.
        """
        reference = self.resolve(function)
        request = Request("GetMetricStatistics", reference)
        options = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 1}}
        try:
            changed_at = parse_time(self._control.read(reference).get("LastModified"))
            with self._control.beside("cloudwatch", request, **options) as client:
                name, now = reference.name, self._now()
                return mean_duration_ms(client, name, changed_at=changed_at, now=now)
        except AwsError:
            return None

    def minute_loads(self, function: str, *, start: datetime, days: int) -> tuple[MinuteLoad, ...]:
        """Read the minutes with an invocation from CloudWatch. Raises AwsError."""
        reference = self.resolve(function)
        options = {"connect_timeout": 5, "read_timeout": 30, "retries": {"mode": "standard"}}
        request = Request("GetMetricStatistics", reference)
        with self._control.beside("cloudwatch", request, **options) as client:
            return minute_loads(client, reference.name, start=start, days=days)

    def live_traffic(self, function: str) -> LiveTraffic:
        """Find what reaches the unqualified function. Raises CredentialsError."""
        return find_live_traffic(self._control, self.resolve(function), self._now())

    def side_effects(self, function: str) -> tuple[str, ...]:
        """Name what an invocation may touch, as far as settings show. Raises CredentialsError."""
        return find_side_effects(self._control, self.resolve(function))

    def raw_configuration(self, function: str) -> dict[str, Any]:
        """GetFunction's Configuration with the environment's values: only to find resources in."""
        return self._control.read(self.resolve(function))

    def batch_sizes(self, function: str) -> tuple[int, ...]:
        """The largest batches that the function's event sources send: each size once, ascending."""
        reference = self.resolve(function)
        raws = self._control.listed("ListEventSourceMappings", reference, "EventSourceMappings")
        return tuple(sorted({raw["BatchSize"] for raw in raws if raw.get("BatchSize")}))

    def shareable_events(self, function: str) -> dict[str, bytes]:
        """The function's shareable test events by name, as JSON; empty if it has none.

        Raises AwsError, also for a document that can't be read.
        """
        reference = self.resolve(function)
        request = Request("DescribeSchema", reference)
        options = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 2}}
        with self._control.beside("schemas", request, **options) as client:
            try:
                answer = client.describe_schema(
                    RegistryName=EVENT_REGISTRY, SchemaName=reference.event_schema
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "NotFoundException":
                    return {}
                raise
        return _examples(str(answer.get("Content", "")), reference)

    def read_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of the function with this ARN."""
        tags: dict[str, str] = self._control.ask(
            Request("ListTags", self.resolve(arn)), Resource=arn
        ).get("Tags", {})
        return tags

    def find_log(self, function: str, request_id: str) -> str | None:
        """Return the lines that name a request, once its report is among them; else None.

        None also if the log can't be read: the sweep goes on without it.
        """
        if not _REQUEST_ID.fullmatch(request_id):
            return None
        reference = self.resolve(function)
        since_ms = int(time.time() * 1000) - _LOOK_BACK_MS
        options = {"connect_timeout": 5, "read_timeout": 10}
        with suppress(AwsError):
            group, _ = self.log_group(function)
            request = Request("FilterLogEvents", reference)
            with closing(self._session.client("logs", **options)) as client:
                for wait_s in _LOOPBACK_LOG_WAITS_S if self.is_loopback else _LOG_WAITS_S:
                    time.sleep(wait_s)
                    with suppress(ThrottledError), self._session.translating(request):
                        lines = _lines(client, group, request_id, since_ms)
                        if any("REPORT " in line or "platform.report" in line for line in lines):
                            return "\n".join(lines)
        return None

    def count_dropped_as_recursive(self, function: str, since: datetime) -> int | None:
        """Return how many invocations Lambda dropped as recursive; see `Invoker`."""
        reference = self.resolve(function)
        options = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 1}}
        request = Request("GetMetricStatistics", reference)
        try:
            with self._control.beside("cloudwatch", request, **options) as client:
                return dropped_as_recursive(client, reference.name, since=since, now=self._now())
        except AwsError:
            return None

    def _config(self, raw: Any) -> FunctionConfig:
        return configuration.function_config(raw, region=self.region)
