"""The gateway: the only calls to Lambda that the tuner makes."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from botocore import xform_name

from tuner.aws import configuration
from tuner.aws.account import (
    AccountSettings,
    dropped_as_recursive,
    mean_duration_ms,
    parse_time,
)
from tuner.aws.control import ControlPlane
from tuner.aws.copying import Copies
from tuner.aws.invocation import Invocations
from tuner.aws.log_search import find_log
from tuner.aws.minute_loads import minute_loads
from tuner.aws.place import Place, Request
from tuner.aws.reach import find_reach
from tuner.aws.reference import FunctionRef, parse_reference
from tuner.aws.refusal import was_retried
from tuner.aws.renewal import Renewal
from tuner.aws.session import Session, open_session
from tuner.aws.shareable_events import read_events
from tuner.aws.side_effects import find_side_effects
from tuner.errors import (
    AwsError,
    ConflictError,
    CredentialsError,
    FunctionNotFoundError,
    InputError,
)
from tuner.lease.control import FunctionControl
from tuner.model.patience import CredentialsPatience
from tuner.sweep.invoker import Invoker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.lease.reach import Reach
    from tuner.model.build import Build
    from tuner.model.function import Alias, FunctionConfig
    from tuner.model.minute_load import MinuteLoad
    from tuner.model.reply import InvokeReply

_LATEST = "$LATEST"


def connect(
    *,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    max_connections: int = 50,
    function: str | None = None,
    patience: CredentialsPatience | None = None,
) -> LambdaGateway:
    """Open the gateway to one region; no request is sent yet.

    The region is `region`, else that of `function` (if it is an ARN), else that of the environment
    or the profile, else us-east-1 for an endpoint on loopback; such an endpoint needs no
    credentials either. `patience` is for credentials that expire.
    `max_connections` bounds the invocations that can be on their way at once.
    Raises InputError (no region, a region that contradicts the ARN, an unknown profile, a bad
    endpoint URL) and CredentialsError.
    """
    reference = parse_reference(function) if function is not None else None
    if reference is not None and reference.region is not None:
        _check_region(reference, region or reference.region)
        region = reference.region
    session = open_session(region=region, profile=profile, endpoint_url=endpoint_url)
    if not session.keys:  # made-up keys of a server on this machine do not expire
        session.on_client.append(Renewal(session, patience or CredentialsPatience()).attach)
    return LambdaGateway(session, max_connections=max_connections, known=reference)


class LambdaGateway(FunctionControl, Invoker):
    """Lambda in one region, narrowed to what a sweep needs. Safe to share between threads.

    `function` is always a name, a partial ARN or an ARN. A qualifier in it chooses what
    `read_function` reads; everything else concerns the function itself. The SDK repeats refused
    control calls a few times; an invocation is sent exactly once. Every method raises AwsError
    and its kin, and InputError for what is no function of this region.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_connections: int = 50,
        known: FunctionRef | None = None,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self._known = known
        self._now = now
        place = Place(session.region, session.profile, session.endpoint_url)
        self._control = ControlPlane(session, place)
        self._copies = Copies(session, self._control)
        self._invocations = Invocations(
            session, place=place, max_connections=max_connections, clock=clock
        )

    @property
    def region(self) -> str:
        """The region that requests go to."""
        return self._session.region

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint if it is not AWS's own (given, or named by AWS's settings)."""
        return self._session.endpoint_url

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        return self._session.is_loopback

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._control.client.close()
        self._invocations.close()

    def resolve(self, function: str) -> FunctionRef:
        """Read a name or ARN. Raises InputError if it is none, or belongs to another region.

        The name of the function that the gateway was opened for stays in the account of its ARN.
        """
        reference = parse_reference(function)
        _check_region(reference, self.region)
        if self.is_loopback:
            # One account lives there, and some servers know their functions by name only.
            return FunctionRef(reference.name, reference.qualifier, reference.region)
        known = self._known
        if known is not None and reference.account_id is None and reference.name == known.name:
            return replace(known, qualifier=reference.qualifier)
        return reference

    # Reading

    def read_function(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        """Read $LATEST, or the version or alias `qualifier` (or the one that `function` names)."""
        reference = self.resolve(function)
        return self._config(self._control.read(reference, qualifier or reference.qualifier))

    def list_versions(self, function: str) -> tuple[FunctionConfig, ...]:
        """Every published version (without $LATEST), over all pages."""
        raws = self._listed("ListVersionsByFunction", function, "Versions")
        return tuple(self._config(raw) for raw in raws if raw.get("Version") != _LATEST)

    def list_aliases(self, function: str) -> tuple[Alias, ...]:
        """Every alias with all the versions it routes to, over all pages."""
        raws = self._listed("ListAliases", function, "Aliases")
        return tuple(configuration.alias(raw) for raw in raws)

    def account_settings(self) -> AccountSettings:
        """Read the concurrency limits; they are None where that is refused or not known."""
        try:
            with self._control.asking(Request("GetAccountSettings")):
                answer = self._control.client.get_account_settings()
        except AwsError:
            return AccountSettings(None, None)
        limit = answer.get("AccountLimit", {})
        return AccountSettings(
            limit.get("ConcurrentExecutions"), limit.get("UnreservedConcurrentExecutions")
        )

    def reserved_concurrency(self, function: str) -> int | None:
        """Read what is reserved for the function; None if nothing is, or it cannot be known."""
        reference = self.resolve(function)
        try:
            with self._control.asking(Request("GetFunctionConcurrency", reference)):
                answer = self._control.client.get_function_concurrency(
                    FunctionName=reference.target
                )
        except CredentialsError:
            raise
        except AwsError:
            return None
        return answer.get("ReservedConcurrentExecutions")

    def recent_duration_ms(self, function: str) -> float | None:
        """Return CloudWatch's mean duration since the function last changed, 7 days at most.

        None if nothing ran since, or if CloudWatch is denied or not there.
        """
        reference = self.resolve(function)
        request = Request("GetMetricStatistics", reference)
        options = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 1}}
        try:
            changed_at = parse_time(self._control.read(reference).get("LastModified"))
            with self._control.asking(request):
                client = self._session.client("cloudwatch", **options)
                with closing(client):
                    return mean_duration_ms(
                        client, reference.name, changed_at=changed_at, now=self._now()
                    )
        except AwsError:
            return None

    def minute_loads(self, function: str, *, start: datetime, days: int) -> tuple[MinuteLoad, ...]:
        """Read the minutes with an invocation from CloudWatch. Raises AwsError."""
        reference = self.resolve(function)
        options = {"connect_timeout": 5, "read_timeout": 30, "retries": {"mode": "standard"}}
        with (
            self._control.asking(Request("GetMetricStatistics", reference)),
            closing(self._session.client("cloudwatch", **options)) as client,
        ):
            return minute_loads(client, reference.name, start=start, days=days)

    def reach(self, function: str) -> Reach:
        """Find what reaches the unqualified function. Raises CredentialsError."""
        return find_reach(self._session, self._control, self.resolve(function), self._now())

    def side_effects(self, function: str) -> tuple[str, ...]:
        """Name what an invocation may touch, as far as settings tell. Raises CredentialsError."""
        return find_side_effects(self._control, self.resolve(function))

    def batch_sizes(self, function: str) -> tuple[int, ...]:
        """The largest batches that the function's event sources send: each size once, ascending."""
        raws = self._listed("ListEventSourceMappings", function, "EventSourceMappings")
        return tuple(sorted({raw["BatchSize"] for raw in raws if raw.get("BatchSize")}))

    def shareable_events(self, function: str) -> dict[str, bytes]:
        """The function's shareable test events by their names; none where it has none."""
        return read_events(self._session, self._control, self.resolve(function))

    # Changing

    def update_memory(
        self, function: str, memory_mb: int, revision_id: str | None
    ) -> FunctionConfig:
        """Set the memory of $LATEST, wait until that is done, and read back.

        Raises ConflictError if `revision_id` is not current, MemoryCapError where the account
        allows less, AwsError if Lambda fails at the update.
        """
        reference = self.resolve(function)
        parameters = _given(
            FunctionName=reference.target, MemorySize=memory_mb, RevisionId=revision_id
        )
        request = Request("UpdateFunctionConfiguration", reference, memory_mb=memory_mb)
        client = self._control.client
        try:
            self._control.change(
                request, reference, lambda: client.update_function_configuration(**parameters)
            )
        except ConflictError as error:
            config = self._config(self._control.settled(reference))
            if was_retried(error.__cause__) and config.memory_mb == memory_mb:
                return config  # the first try had taken effect, and moved the RevisionId
            raise
        return self._config(self._control.settled(reference))

    def publish_version(
        self, function: str, description: str, code_sha256: str, revision_id: str | None
    ) -> FunctionConfig:
        """Publish $LATEST, wait until the version is active, and read it back.

        Where code and configuration equal the last version's, that version is returned: the caller
        must check its number and its memory. Raises ConflictError if the code or `revision_id` is
        not current.
        """
        reference = self.resolve(function)
        parameters = _given(
            FunctionName=reference.target,
            Description=description,
            CodeSha256=code_sha256 or None,
            RevisionId=revision_id,
        )
        request = Request("PublishVersion", reference)
        client = self._control.client
        try:
            answer = self._control.change(
                request, reference, lambda: client.publish_version(**parameters)
            )
            version = self._config(answer).version
        except ConflictError as error:
            found = self._published(function, description) if was_retried(error.__cause__) else None
            if found is None:
                raise
            version = found  # the first try had taken effect
        return self._config(self._control.settled(reference, version))

    def delete_version(self, function: str, version: str) -> None:
        """Delete one published version; a version that is gone already is no error.

        Raises InputError for anything but a version's number, ConflictError if an alias points
        at it.
        """
        # Without a number, DeleteFunction deletes the function itself.
        if not (version.isascii() and version.isdecimal()):
            raise InputError(f"{version!r} is not the number of a published version")
        reference = self.resolve(function)
        request = Request("DeleteFunction", reference, version)
        client = self._control.client
        try:
            self._control.change(
                request,
                reference,
                lambda: client.delete_function(FunctionName=reference.target, Qualifier=version),
            )
        except FunctionNotFoundError:
            return

    def create_copy(
        self,
        function: str,
        copy: str,
        description: str,
        tags: Mapping[str, str],
        build: Build | None = None,
    ) -> FunctionConfig:
        """Make a copy of a function and wait until it is active; see `FunctionControl`."""
        made = self._copies.create(
            self.resolve(function), self.resolve(copy), description, tags=tags, build=build
        )
        return self._config(made)

    def delete_copy(self, copy: str, description: str) -> None:
        """Delete a copy. Raises InputError for any other name, ConflictError if it is none."""
        self._copies.delete(self.resolve(copy), description)

    def list_copies(self, function: str) -> tuple[tuple[str, str], ...]:
        """(name, Description) of every temporary copy of a function."""
        return self._copies.find(self.resolve(function))

    def read_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of the function with this ARN."""
        with self._control.asking(Request("ListTags", self.resolve(arn))):
            return self._control.client.list_tags(Resource=arn).get("Tags", {})

    def set_tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a function."""
        with self._control.asking(Request("TagResource", self.resolve(arn))):
            self._control.client.tag_resource(Resource=arn, Tags={key: value})

    def remove_tag(self, arn: str, key: str) -> None:
        """Remove one tag of a function."""
        with self._control.asking(Request("UntagResource", self.resolve(arn))):
            self._control.client.untag_resource(Resource=arn, TagKeys=[key])

    def delete_logs_of_copy(self, copy: str) -> None:
        """Delete a copy's log group."""
        self._copies.delete_logs(self.resolve(copy))

    # Invoking

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke a version once and wait for its reply, `timeout_s` (its own) and 30 s at most.

        Raises ThrottledError (ran nothing, may be sent again), LostReplyError (may have run),
        EndpointError and any other AwsError (ran nothing).
        """
        return self._invocations.invoke(
            self.resolve(function), version, payload, timeout_s=timeout_s
        )

    def find_log(self, function: str, request_id: str) -> str | None:
        """Return the log of an invocation from CloudWatch Logs; see `Invoker`."""
        return find_log(self._session, self._control, self.resolve(function), request_id)

    def count_dropped_as_recursive(self, function: str, since: datetime) -> int | None:
        """Return how many invocations Lambda dropped as recursive; see `Invoker`."""
        reference = self.resolve(function)
        try:
            with self._control.asking(Request("GetMetricStatistics", reference)):
                return dropped_as_recursive(
                    self._session, reference.name, since=since, now=self._now()
                )
        except AwsError:
            return None

    # Inside

    def _config(self, raw: Any) -> FunctionConfig:
        return configuration.function_config(raw, region=self.region)

    def _listed(self, operation: str, function: str, key: str) -> list[Any]:
        """Read all pages of a list."""
        reference = self.resolve(function)
        client: Any = self._control.client
        with self._control.asking(Request(operation, reference)):
            paginator = client.get_paginator(xform_name(operation))
            pages = paginator.paginate(FunctionName=reference.target)
            return [raw for page in pages for raw in page.get(key, ())]

    def _published(self, function: str, description: str) -> str | None:
        """Find the newest version with this description."""
        numbers = (v.version for v in self.list_versions(function) if v.description == description)
        return max(numbers, key=int, default=None)


def _check_region(reference: FunctionRef, region: str) -> None:
    if reference.region not in (None, region):
        raise InputError(
            f"{reference.name} is in {reference.region} by its ARN, but the region is {region}: "
            f"give --region {reference.region}, or the ARN of the one in {region}"
        )


def _given(**parameters: Any) -> dict[str, Any]:
    """Leave out the parameters that have nothing to say."""
    return {name: given for name, given in parameters.items() if given is not None}
