"""Calls that matter are made again if they fail for a reason that may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    FunctionNotFoundError,
    MemoryCapError,
    ThrottledError,
)
from tuner.model.progress import CallFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.lease.function_control import FunctionControl
    from tuner.lease.uninterruptible import StepLimit
    from tuner.model.progress import ProgressHook

T = TypeVar("T")

WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts: a dropped connection, a throttle or an update in progress is over by then."""
_LASTING = (AccessDeniedError, CredentialsError, FunctionNotFoundError)


def retry(
    call: Callable[[], T],
    sleep: Callable[[float], None],
    is_over: Callable[[], bool] = lambda: False,
) -> T:
    """Return what `call` returns, trying again after an AwsError that may pass.

    Raises the last AwsError, at once when `is_over`. Only for calls that may be made twice.
    """
    for wait_s in WAITS_S:
        try:
            return call()
        except _LASTING:
            raise
        except AwsError:
            if is_over():
                raise
            sleep(wait_s)
    return call()


def retry_throttled(control: FunctionControl, sleep: Callable[[float], None]) -> FunctionControl:
    """Return a control whose calls are made again when they are throttled.

    The SDK has tried a few times before. Updating and publishing carry a RevisionId and consist of
    several requests, so that the whole must not be repeated: the gateway repeats their parts.
    """
    return cast("FunctionControl", _RetriesThrottled(control, sleep))


def watched(
    control: FunctionControl, limit: StepLimit, on_progress: ProgressHook
) -> FunctionControl:
    """Return a control that tells what fails, counts what succeeds as a step within `limit`, and
    sends nothing once that is given up.
    """
    return cast("FunctionControl", _Watched(control, limit, on_progress))


_GIVING_BACK: Final = (
    *("update_memory", "delete_version", "remove_tag", "delete_copy", "delete_logs_of_copy"),
    *("list_versions", "list_aliases", "read_tags"),
)
_NO_FAULT: Final = (*_LASTING, ConflictError, MemoryCapError)


class _Watched:
    def __init__(
        self, control: FunctionControl, limit: StepLimit, on_progress: ProgressHook
    ) -> None:
        self._control = control
        self._limit = limit
        self._on_progress = on_progress

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._control, name)
        if name not in _GIVING_BACK:
            return method

        def call(*arguments: Any) -> Any:
            if self._limit.is_given_up:
                raise AwsError("given up")
            try:
                answer = method(*arguments)
            except AwsError as error:
                if not isinstance(error, _NO_FAULT) and not self._limit.is_given_up:
                    self._on_progress(CallFailed(str(error)))
                raise
            if not name.startswith(("list_", "read_")):
                self._limit.step()
            return answer

        return call


_IN_PARTS: Final = ("update_memory", "publish_version")


class _RetriesThrottled:
    def __init__(self, control: FunctionControl, sleep: Callable[[float], None]) -> None:
        self._control = control
        self._sleep = sleep

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._control, name)
        if name in _IN_PARTS:
            return method

        def call(*arguments: Any) -> Any:
            for wait_s in WAITS_S:
                try:
                    return method(*arguments)
                except ThrottledError as error:
                    self._sleep(max(wait_s, min(error.retry_after_s or 0.0, 60.0)))
            return method(*arguments)

        return call
