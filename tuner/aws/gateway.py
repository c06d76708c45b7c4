"""The gateway: the calls that change or invoke a function.

`temporary_copy` has those on copies, `reader` those that only read.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, Unpack

from tuner.aws import configuration
from tuner.aws.connection_errors import Request
from tuner.aws.control_plane import ControlPlane
from tuner.aws.credentials import Renewal
from tuner.aws.credentials_wait import CredentialsWait
from tuner.aws.function_ref import check_region, parse_reference
from tuner.aws.invocation import Invocations
from tuner.aws.service_errors import is_invalid_value, was_retried
from tuner.aws.session import open_session
from tuner.aws.temporary_copy import TemporaryCopies
from tuner.errors import AwsError, ConflictError, FunctionNotFoundError, InputError
from tuner.lease.function_control import FunctionControl
from tuner.sweep.io import Invoker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.session import Session
    from tuner.model.function import FunctionConfig, Routing
    from tuner.model.invocation import InvokeReply
    from tuner.model.request import Where


def connect(
    *,
    function: str | None = None,
    credentials_wait: CredentialsWait | None = None,
    max_connections: int = 50,
    process_count: int = 1,
    **where: Unpack[Where],
) -> LambdaGateway:
    """Open the gateway to one region; no request is sent yet.

    The region is the one given, else the one in `function` (if it's an ARN), else as `Where` says;
    an endpoint on loopback needs no credentials. `credentials_wait` handles expired ones.
    `max_connections` bounds the invocations in flight, and `process_count` is how many processes
    share the account's limit of control calls. Raises InputError (no region, a region that
    contradicts the ARN, an unknown profile, a bad endpoint URL) and CredentialsError.
    """
    session, known = open_connection(function, credentials_wait, **where)
    return LambdaGateway(
        session, max_connections=max_connections, known=known, process_count=process_count
    )


def open_connection(
    function: str | None = None,
    credentials_wait: CredentialsWait | None = None,
    **where: Unpack[Where],
) -> tuple[Session, FunctionRef | None]:
    """What `connect` makes a gateway of: the session, and the function that was named."""
    reference = parse_reference(function) if function is not None else None
    if reference is not None and reference.region is not None:
        check_region(reference, where["region"] or reference.region)
        where["region"] = reference.region
    session = open_session(**where)
    if not session.keys:  # made-up keys for a local server don't expire
        session.on_client.append(Renewal(session, credentials_wait or CredentialsWait()).attach)
    return session, reference


class LambdaGateway(TemporaryCopies, FunctionControl, Invoker):
    """Lambda in one region, narrowed to what a sweep needs. Safe to share between threads.

    `function` is always a name, a partial ARN or an ARN. A qualifier in it chooses what
    `read_function` reads; everything else concerns the function itself. The SDK repeats refused
    control calls a few times; an invocation is sent exactly once. Every method raises AwsError and
    its subclasses, and InputError for what isn't a function of this region.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_connections: int = 50,
        known: FunctionRef | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        process_count: int = 1,
    ) -> None:
        super().__init__(ControlPlane(session, process_count), known=known, now=now)
        self._invocations = Invocations(session, max_connections=max_connections)
        self._before_invoking: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._control.client.close()
        self._invocations.close()

    # Changing

    def update_memory(
        self, function: str, memory_mb: int, revision_id: str | None
    ) -> FunctionConfig:
        """See `FunctionControl`; AwsError if Lambda fails at the update."""
        reference = self.resolve(function)
        parameters = _given(
            FunctionName=reference.target, MemorySize=memory_mb, RevisionId=revision_id
        )
        request = Request("UpdateFunctionConfiguration", reference, memory_mb=memory_mb)
        try:
            self._control.change(request, **parameters)
        except ConflictError as error:
            config = self._config(self._control.settled(reference))
            if was_retried(error.__cause__) and config.memory_mb == memory_mb:
                return config  # the first try had taken effect, and moved the RevisionId
            raise
        return self._config(self._control.settled(reference))

    def publish_version(
        self, function: str, description: str, code_sha256: str, revision_id: str | None
    ) -> FunctionConfig:
        """See `FunctionControl`; ConflictError if the code or `revision_id` is not current."""
        reference = self.resolve(function)
        parameters = _given(
            FunctionName=reference.target,
            Description=description,
            CodeSha256=code_sha256 or None,
            RevisionId=revision_id,
        )
        request = Request("PublishVersion", reference)
        try:
            answer = self._control.change(request, **parameters)
            version = self._config(answer).version
        except ConflictError as error:
            found = self._published(function, description) if was_retried(error.__cause__) else None
            if found is None:
                raise
            version = found  # the first try had taken effect
        return self._config(self._control.settled(reference, version))

    def delete_version(self, function: str, version: str) -> None:
        """Delete one published version, if it still exists.

        Raises InputError for anything but a version's number, ConflictError if an alias points at
        it.
        """
        # Without a number, DeleteFunction deletes the function itself.
        if not (version.isascii() and version.isdecimal()):
            raise InputError(f"{version!r} is not the number of a published version")
        reference = self.resolve(function)
        request = Request("DeleteFunction", reference, version)
        with suppress(FunctionNotFoundError):
            self._control.change(request, FunctionName=reference.target, Qualifier=version)

    def update_alias(self, function: str, wanted: Routing) -> Routing:
        """See `FunctionControl`; ConflictError if `wanted.revision_id` is not current."""
        reference = self.resolve(function)
        parameters = _given(
            FunctionName=reference.target,
            Name=wanted.alias,
            FunctionVersion=wanted.version,
            RoutingConfig={"AdditionalVersionWeights": dict(wanted.weights)},
            RevisionId=wanted.revision_id,
        )
        request = Request("UpdateAlias", reference, wanted.alias, purpose="apply")
        try:
            answer = self._control.change(request, **parameters)
        except ConflictError as error:
            now = self.read_alias(function, wanted.alias)
            if was_retried(error.__cause__) and now.is_like(wanted):
                return now  # the first try had taken effect, and moved the RevisionId
            raise
        return configuration.routing(answer)

    def set_reserved_concurrency(self, function: str, count: int | None) -> None:
        """See `FunctionControl`; ConflictError if Lambda refuses the number."""
        reference = self.resolve(function)
        operation = "DeleteFunctionConcurrency" if count is None else "PutFunctionConcurrency"
        parameters = _given(FunctionName=reference.target, ReservedConcurrentExecutions=count)
        try:
            self._control.change(Request(operation, reference, purpose="stop"), **parameters)
        except AwsError as error:
            if count is not None and is_invalid_value(error.__cause__):
                raise ConflictError(str(error)) from error.__cause__
            raise

    def set_tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a function."""
        request = Request("TagResource", self.resolve(arn))
        self._control.ask(request, Resource=arn, Tags={key: value})

    def remove_tag(self, arn: str, key: str) -> None:
        """Remove one tag of a function."""
        self._control.ask(Request("UntagResource", self.resolve(arn)), Resource=arn, TagKeys=[key])

    # Invoking

    def tell_invocations(self, told: Callable[[], None]) -> None:
        """Tell of every invocation before it's sent, in the thread that sends it."""
        self._before_invoking = told

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke a version once and wait for its reply, at most `timeout_s` (its own) and 30 s.

        Raises ThrottledError (ran nothing, may be sent again), LostReplyError (may have run),
        EndpointError and any other AwsError (ran nothing).
        """
        self._before_invoking()
        return self._invocations.invoke(
            self.resolve(function), version, payload, timeout_s=timeout_s
        )

    def _published(self, function: str, description: str) -> str | None:
        """Find the newest version with this description."""
        numbers = (v.version for v in self.list_versions(function) if v.description == description)
        return max(numbers, key=int, default=None)


def _given(**parameters: Any) -> dict[str, Any]:
    """Leave out the parameters that are None."""
    return {name: given for name, given in parameters.items() if given is not None}
