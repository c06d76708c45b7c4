"""The control plane: one client, its refusals translated, its states waited for."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.aws.pace import Pacer
from tuner.aws.place import Place, Request
from tuner.aws.refusal import REFUSALS, UpdateInProgressError, refused
from tuner.aws.waiting import AWS_PACE, LOOPBACK_PACE, failed, wait_until
from tuner.errors import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_lambda.client import LambdaClient

    from tuner.aws.reference import FunctionRef
    from tuner.aws.session import Session
    from tuner.aws.waiting import WaiterName

_Answer = TypeVar("_Answer")

_AWS_ATTEMPTS = 5
_LOOPBACK_ATTEMPTS = 3  # a server on this machine that refuses connections is not running
_CONFLICT_ATTEMPTS = 4
_THROTTLE_WAITS_S = (0.5, 1.0, 2.0, 4.0)
_LONGEST_WAIT_S = 60.0
# What a configuration says of work under way, and the waiter for its end.
_UNDER_WAY: tuple[tuple[str, str, WaiterName], ...] = (
    ("State", "Pending", "function_active_v2"),
    ("LastUpdateStatus", "InProgress", "function_updated_v2"),
)


class ControlPlane:
    """Sends control calls; the SDK repeats throttled and broken ones, a bounded number of times."""

    def __init__(
        self, session: Session, place: Place, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.place = place
        self._sleep = sleep
        self._pace = LOOPBACK_PACE if session.is_loopback else AWS_PACE
        self.client: LambdaClient = session.client(
            "lambda",
            connect_timeout=5,
            read_timeout=30,
            retries={
                "mode": "standard",
                "total_max_attempts": _LOOPBACK_ATTEMPTS if session.is_loopback else _AWS_ATTEMPTS,
            },
        )
        if not session.is_loopback:
            Pacer().attach(self.client)

    @contextmanager
    def asking(self, request: Request) -> Iterator[None]:
        """Translate whatever refusal comes of a request."""
        try:
            yield
        except REFUSALS as error:
            raise refused(error, self.place, request) from error

    def read(self, function: FunctionRef, qualifier: str | None = None) -> dict[str, Any]:
        """Read a configuration (GetFunction; the link to the code in its answer is dropped)."""
        named = {"FunctionName": function.target} | ({"Qualifier": qualifier} if qualifier else {})
        request = Request("GetFunction", function, qualifier)
        answer: Any = self._through_throttles(request, lambda: self.client.get_function(**named))
        raw: dict[str, Any] = answer.get("Configuration", {})
        return raw

    def settled(self, function: FunctionRef, qualifier: str | None = None) -> dict[str, Any]:
        """Wait until nothing is under way, and read; a server without states is always settled.

        Raises AwsError if Lambda failed at what it was doing.
        """
        raw = self.read(function, qualifier)
        for field, state, waiter_name in _UNDER_WAY:
            if raw.get(field) == state:
                wait_until(
                    self.client, waiter_name, function, qualifier, pace=self._pace, place=self.place
                )
                raw = self.read(function, qualifier)
        if "Failed" in (raw.get("State"), raw.get("LastUpdateStatus")):
            raise failed(raw, function)
        return raw

    def change(
        self, request: Request, function: FunctionRef, send: Callable[[], _Answer]
    ) -> _Answer:
        """Send a change; while another update is under way, wait for its end and send again."""
        for _ in range(_CONFLICT_ATTEMPTS - 1):
            try:
                return self._through_throttles(request, send)
            except UpdateInProgressError:
                self.settled(function)
        return self._through_throttles(request, send)

    def _through_throttles(self, request: Request, send: Callable[[], _Answer]) -> _Answer:
        """Send again what was throttled, which ran nothing; the SDK has tried before."""
        for wait_s in _THROTTLE_WAITS_S:
            try:
                with self.asking(request):
                    return send()
            except ThrottledError as error:
                self._sleep(max(wait_s, min(error.retry_after_s or 0.0, _LONGEST_WAIT_S)))
        with self.asking(request):
            return send()
