"""The narrow view of Lambda's control plane that a lease needs, with retries.

The gateway implements it. Important calls are repeated if they fail for a reason that may pass.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Protocol,
    Required,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
)

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    FunctionNotFoundError,
    MemoryCapError,
    ThrottledError,
)
from tuner.lease.uninterruptible import WorkLimit, abandonable
from tuner.model.function import WantedCopy
from tuner.model.progress import CallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tuner.model.function import Alias, FunctionConfig, Routing, Throwaway
    from tuner.model.progress import ProgressEvent, ProgressHook

T = TypeVar("T")
WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts: long enough for a dropped connection, a throttle or an update in progress."""
AS_IT_IS: Final = WantedCopy()
LASTING_ERRORS: Final = (AccessDeniedError, CredentialsError, FunctionNotFoundError)
"""Nothing that follows could succeed."""
_IN_PARTS: Final = ("update_memory", "publish_version")
_GIVING_BACK: Final = (
    *("update_memory", "delete_version", "remove_tag", "delete_copy", "delete_logs_of_copy"),
    *("list_versions", "list_aliases", "read_tags", "read_alias", "update_alias"),
    *("read_reserved_concurrency", "set_reserved_concurrency"),
)
_NO_FAULT: Final = (*LASTING_ERRORS, ConflictError, MemoryCapError)
"""Possible answers to an update; a deletion that meets a conflict has failed."""


class FunctionControl(Protocol):
    """Reads and changes one function at a time. Every method raises `AwsError` and its subclasses.

    `function` is a name or an unqualified ARN.
    """

    def read_function(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        """Read $LATEST, or the version or alias `qualifier`."""

    def list_versions(self, function: str) -> tuple[FunctionConfig, ...]:
        """Every published version (without $LATEST), over all pages."""

    def list_aliases(self, function: str) -> tuple[Alias, ...]:
        """Every alias, over all pages."""

    def read_alias(self, function: str, alias: str) -> Routing:
        """Where an alias routes. Raises FunctionNotFoundError if there is none."""

    def update_alias(self, function: str, wanted: Routing) -> Routing:
        """Point an alias at `wanted`, and leave its other settings as they are.

        Only if its `revision_id` is still current (None: the endpoint has none); else
        ConflictError. Returns the routing that Lambda answered.
        """

    def read_reserved_concurrency(self, function: str) -> int | None:
        """The reserved concurrency; None if there is none."""

    def set_reserved_concurrency(self, function: str, count: int | None) -> None:
        """Reserve concurrency for a function (0: it takes no invocation), or remove that (None).

        Raises ConflictError if Lambda refuses the number.
        """

    def update_memory(
        self, function: str, memory_mb: int, revision_id: str | None
    ) -> FunctionConfig:
        """Set the memory of $LATEST and wait until the update is done.

        Only if `revision_id` is still current (None: the endpoint has none); else ConflictError.
        Raises MemoryCapError if the account allows less. Returns the configuration read back.
        """

    def publish_version(
        self, function: str, description: str, code_sha256: str, revision_id: str | None
    ) -> FunctionConfig:
        """Publish $LATEST (or get the last version, if nothing differs) and wait until it's active.

        Returns the version's configuration as read back, whose memory the caller must check.
        """

    def delete_version(self, function: str, version: str) -> None:
        """Delete one published version, if it still exists."""

    def create_copy(
        self,
        function: str,
        copy: str,
        description: str,
        tags: Mapping[str, str],
        wanted: WantedCopy = AS_IT_IS,
    ) -> FunctionConfig:
        """Create the function `copy` with the code and settings of `function`; wait until it's
        active.

        `wanted` replaces its code or its architecture. Triggers, aliases, concurrency and policies
        aren't copied. An existing copy with this description (an answer was lost) is accepted.
        Returns its configuration.
        """

    def arn_of(self, function: str) -> str:
        """The ARN that a function of this name has, or would have, in this account and region."""

    def create_throwaway(
        self, spec: Throwaway, description: str, tags: Mapping[str, str]
    ) -> FunctionConfig:
        """Create a function of the tool's own and wait until it's active, as `create_copy` does."""

    def delete_copy(self, copy: str, description: str) -> None:
        """Delete a copy, if it still exists and has this Description.

        Raises ConflictError for any other function.
        """

    def list_copies(self, function: str) -> tuple[tuple[str, str], ...]:
        """(name, Description) of every copy of `function` that a sweep made, over all pages."""

    def read_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of the function (not of a version) with this ARN."""

    def set_tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a function."""

    def remove_tag(self, arn: str, key: str) -> None:
        """Remove one tag of a function, if it's still there."""

    def delete_logs_of_copy(self, copy: str) -> None:
        """Delete a copy's log group, if it still exists."""


@dataclass(frozen=True, slots=True)
class LeaseIO:
    """How a lease reaches its function, waits, reports what happens, and how long it may take."""

    control: FunctionControl
    sleep: Callable[[float], None]
    on_progress: ProgressHook
    limit: WorkLimit = field(default_factory=WorkLimit)

    def retry(self, call: Callable[[], T], is_over: Callable[[], bool] = lambda: False) -> T:
        """Return what `call` returns, trying again after an AwsError that may pass.

        Raises the last AwsError, at once when `is_over`. Only for calls that may be made twice.
        """
        for wait_s in WAITS_S:
            try:
                return call()
            except LASTING_ERRORS:
                raise
            except AwsError:
                if is_over():
                    raise
                self.sleep(wait_s)
        return call()


def recovery_io(
    control: FunctionControl,
    sleep: Callable[[float], None],
    on_progress: ProgressHook,
    limit: WorkLimit | None = None,
) -> LeaseIO:
    """Return how work that restores something reaches its function, within a limit."""
    told, limit = harmless(on_progress), limit or WorkLimit()
    return LeaseIO(watched(control, limit, told), sleep, told, limit)


class Reach(TypedDict, total=False):
    """How a lease is to reach Lambda, wait and report: keywords of what opens one."""

    control: Required[FunctionControl]
    sleep: Required[Callable[[float], None]]
    on_progress: Required[ProgressHook]
    is_urgent: Callable[[], bool]
    """Once it is, a call in progress and restoring have seconds left."""
    clock: Callable[[], float]
    """By it, restoring has minutes without a success."""


def lease_io(**reach: Unpack[Reach]) -> LeaseIO:
    """Return how a lease does: it waits out throttles, and its opening can be interrupted."""
    limit = WorkLimit(reach.get("is_urgent", lambda: False), reach.get("clock", time.monotonic))
    io = recovery_io(reach["control"], reach["sleep"], reach["on_progress"], limit)
    return interruptible(replace(io, control=retry_throttled(io.control, io.sleep)))


def harmless(on_progress: ProgressHook) -> ProgressHook:
    """Return a hook whose failure (a terminal that is gone) leaves nothing undone."""

    def tell(event: ProgressEvent) -> None:
        with suppress(Exception):
            on_progress(event)

    return tell


class _Wrapped:
    """A control some of whose methods are called by way of a function."""

    def __init__(self, control: FunctionControl, call: Callable[..., Any], is_wrapped: Any) -> None:
        self._control, self._call, self._is_wrapped = control, call, is_wrapped

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._control, name)
        return partial(self._call, name, method) if self._is_wrapped(name) else method


def through_throttles(
    send: Callable[[], T], waits_s: Sequence[float], sleep: Callable[[float], None]
) -> T:
    """Send a request again while it's throttled, which ran nothing; the SDK has tried before."""
    for wait_s in waits_s:
        try:
            return send()
        except ThrottledError as error:
            sleep(max(wait_s, error.asked_wait_s))
    return send()


def retry_throttled(control: FunctionControl, sleep: Callable[[float], None]) -> FunctionControl:
    """Return a control whose calls are made again when they are throttled.

    Updating and publishing carry a RevisionId and consist of several requests, so that the whole
    must not be repeated: the gateway repeats their parts.
    """

    def call(_name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        return through_throttles(partial(method, *arguments), WAITS_S, sleep)

    return cast("FunctionControl", _Wrapped(control, call, lambda name: name not in _IN_PARTS))


def watched(
    control: FunctionControl, limit: WorkLimit, on_progress: ProgressHook
) -> FunctionControl:
    """Return a control that reports failures, counts each success as a step within `limit`, and
    sends nothing once that is given up.
    """

    def call(name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        if limit.is_given_up:
            raise AwsError("given up")
        try:
            answer = method(*arguments)
        except AwsError as error:
            expected = _NO_FAULT if name in ("update_memory", "update_alias") else LASTING_ERRORS
            if not isinstance(error, expected) and not limit.is_given_up:
                on_progress(CallFailed(str(error)))
            raise
        if not name.startswith(("list_", "read_")):
            limit.step()
        return answer

    return cast("FunctionControl", _Wrapped(control, call, _GIVING_BACK.__contains__))


def interruptible(io: LeaseIO) -> LeaseIO:
    """Return an IO whose calls and waits end within seconds once its limit's end is urgent.

    KeyboardInterrupt says so, and the limit what was abandoned on its way.
    """

    def call(name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        change = None if name.startswith(("list_", "read_")) else name
        return abandonable(partial(method, *arguments), io.limit, change=change)

    def sleep(seconds: float) -> None:
        abandonable(partial(io.sleep, seconds), io.limit)

    control = cast("FunctionControl", _Wrapped(io.control, call, lambda _name: True))
    return replace(io, control=control, sleep=sleep)
