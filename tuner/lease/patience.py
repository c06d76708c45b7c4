"""Calls that matter are made again if they fail for a reason that may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import AccessDeniedError, AwsError, CredentialsError, FunctionNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts: a dropped connection, a throttle or an update in progress is over by then."""
_LASTING = (AccessDeniedError, CredentialsError, FunctionNotFoundError)


def persist(call: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Return what `call` returns, trying again after an AwsError that may pass.

    Raises the last AwsError. Only for calls that may be made twice.
    """
    for wait_s in WAITS_S:
        try:
            return call()
        except _LASTING:
            raise
        except AwsError:
            sleep(wait_s)
    return call()
