"""The narrow view of Lambda that a sweep invokes through; the gateway implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tuner.model.reply import InvokeReply


class Invoker(Protocol):
    """Sends invocations. Thread-safe."""

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke a version once, wait for its reply and ask for its log tail.

        `timeout_s` is the function's timeout: the read timeout must be above it, and nothing may
        be sent twice. Raises ThrottledError (ran nothing), LostReplyError (may have run) and
        other kinds of AwsError.
        """
