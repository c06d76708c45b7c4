"""The narrow view of Lambda that a sweep invokes through; the gateway implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from tuner.model.reply import InvokeReply


class Invoker(Protocol):
    """Sends invocations. Thread-safe."""

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke a version once, wait for its reply and ask for its log tail.

        `timeout_s` is the function's timeout: the read timeout must be above it, and nothing may
        be sent twice. Raises ThrottledError (ran nothing), LostReplyError (may have run) and
        other kinds of AwsError.
        """

    def find_log(self, function: str, request_id: str) -> str | None:
        """Return the log of an invocation that has just ended from CloudWatch Logs.

        For one whose REPORT line is not in the tail of 4 KB. It takes seconds to arrive there;
        None if it does not, or may not be read.
        """

    def count_dropped_as_recursive(self, function: str, since: datetime) -> int | None:
        """Return how many invocations of a function Lambda dropped as recursive since then.

        None where that may not be asked, or is not known.
        """
