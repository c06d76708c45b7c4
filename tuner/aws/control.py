"""The control plane: one client, its refusals translated, its states waited for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.aws.place import Place, Request
from tuner.aws.refusal import REFUSALS, UpdateInProgressError, refused
from tuner.aws.waiting import AWS_PACE, LOOPBACK_PACE, failed, wait_until

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
# What a configuration says of work under way, and the waiter for its end.
_UNDER_WAY: tuple[tuple[str, str, WaiterName], ...] = (
    ("State", "Pending", "function_active_v2"),
    ("LastUpdateStatus", "InProgress", "function_updated_v2"),
)


class ControlPlane:
    """Sends control calls; the SDK repeats throttled and broken ones, a bounded number of times."""

    def __init__(self, session: Session, place: Place) -> None:
        self.place = place
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
        with self.asking(Request("GetFunction", function, qualifier)):
            answer: Any = self.client.get_function(**named)
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
                with self.asking(request):
                    return send()
            except UpdateInProgressError:
                self.settled(function)
        with self.asking(request):
            return send()
