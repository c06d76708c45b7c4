"""The control plane: one client, requests spaced, refusals translated, states waited for.

An account's control calls share 15 requests a second, which others need too. GetFunction, which
botocore's waiters call, has its own budget: 100 a second.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError, WaiterError

from tuner.aws.connection_errors import Request, plain
from tuner.aws.service_errors import UpdateInProgressError
from tuner.errors import AwsError
from tuner.lease.function_control import through_throttles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_lambda.client import LambdaClient

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.session import Session

LEAST_INTERVAL_S: Final = 0.11
"""At most nine requests a second."""
_APART: Final = ("GetFunction",)
"""Has its own budget, 100 a second."""
_APART_INTERVAL_S: Final = 0.0125
"""At most 80 a second: many sweeps at once wait for many functions."""
_AWS_ATTEMPTS = 5
_LOOPBACK_ATTEMPTS = 3  # a server on this machine that refuses connections is not running
_CONFLICT_ATTEMPTS = 4
_THROTTLE_WAITS_S = (0.5, 1.0, 2.0, 4.0)
_MAX_PAGES: Final = 1000
"""50,000 versions: a longer list is an endpoint's fault."""
# How a configuration shows work in progress, and the waiter for its end.
_UNDER_WAY: Final = (
    ("State", "Pending", "function_active_v2"),
    ("LastUpdateStatus", "InProgress", "function_updated_v2"),
)


class RateLimiter:
    """Spaces requests from all threads; the SDK's own retries count too."""

    def __init__(
        self,
        interval_s: float = LEAST_INTERVAL_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._next_s = 0.0
        self._lock = threading.Lock()

    def attach(self, client: Any) -> None:
        """Make every request of a client wait for its turn."""
        client.meta.events.register("before-send", self._before_send)

    def attach_apart(self, client: Any) -> None:
        """Make those requests wait that have their own budget."""
        for operation in _APART:
            client.meta.events.register(f"before-send.lambda.{operation}", lambda **_: self.wait())

    def wait(self) -> None:
        """Wait until the next request may go."""
        with self._lock:
            now_s = self._clock()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._interval_s
        if turn_s > now_s:
            self._sleep(turn_s - now_s)

    def _before_send(self, event_name: str = "", **_: Any) -> None:
        if event_name.rpartition(".")[2] not in _APART:
            self.wait()


# How often to look: phases of seconds between looks, and looks. An update of memory takes one to
# three seconds on AWS; a version with SnapStart is active only after minutes. A server on this
# machine is done in milliseconds.
AWS_POLLING: Final = ((0.25, 13), (1.0, 60), (5.0, 170))
LOOPBACK_POLLING: Final = ((0.02, 51), (0.25, 117))


class ControlPlane:
    """Sends control calls; the SDK repeats throttled and broken ones a limited number of times."""

    def __init__(self, session: Session, process_count: int = 1) -> None:
        self.session = session
        self._polling = LOOPBACK_POLLING if session.is_loopback else AWS_POLLING
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
            RateLimiter(LEAST_INTERVAL_S * process_count).attach(self.client)
            RateLimiter(_APART_INTERVAL_S * process_count).attach_apart(self.client)

    @contextmanager
    def beside(self, service: str, request: Request, **options: Any) -> Iterator[Any]:
        """Open a client of another service for one request; its refusals are translated."""
        with (
            self.session.translating(request),
            closing(self.session.client(service, **options)) as client,
        ):
            yield client

    def listed(self, operation: str, function: FunctionRef, key: str) -> Iterator[Any]:
        """Read all pages of a list. Raises AwsError, also for one that doesn't end."""
        client: Any = self.client
        with self.session.translating(Request(operation, function)):
            paginator = client.get_paginator(xform_name(operation))
            for number, page in enumerate(paginator.paginate(FunctionName=function.target), 1):
                if number > _MAX_PAGES:
                    raise AwsError(f"{operation} of {function.name} has over {_MAX_PAGES} pages")
                yield from page.get(key, ())

    def read(self, function: FunctionRef, qualifier: str | None = None) -> dict[str, Any]:
        """Read a configuration (GetFunction; its link to the code is dropped)."""
        request = Request("GetFunction", function, qualifier)
        answer = self._through_throttles(request, _named(function, qualifier))
        raw: dict[str, Any] = answer.get("Configuration", {})
        return raw

    def settled(self, function: FunctionRef, qualifier: str | None = None) -> dict[str, Any]:
        """Wait until nothing is in progress, and read; a server without states is always settled.

        Raises AwsError if Lambda failed at what it was doing.
        """
        raw = self.read(function, qualifier)
        for field, state, waiter_name in _UNDER_WAY:
            if raw.get(field) == state:
                self._wait_until(waiter_name, function, qualifier)
                raw = self.read(function, qualifier)
        _check_failed(raw, function)
        return raw

    def ask(self, request: Request, **parameters: Any) -> dict[str, Any]:
        """Send a request of that operation. Raises AwsError and its subclasses."""
        with self.session.translating(request):
            send = getattr(self.client, xform_name(request.operation))
            answer: dict[str, Any] = send(**parameters)
            return answer

    def change(self, request: Request, **parameters: Any) -> dict[str, Any]:
        """Send a change; while another update is in progress, wait for it to end and send again."""
        assert request.function is not None
        for _ in range(_CONFLICT_ATTEMPTS - 1):
            try:
                return self._through_throttles(request, parameters)
            except UpdateInProgressError:
                self.settled(request.function)
        return self._through_throttles(request, parameters)

    def _wait_until(self, waiter_name: str, function: FunctionRef, qualifier: str | None) -> None:
        """Wait for a function or version. Raises AwsError if Lambda failed or takes too long."""
        client: Any = self.client  # its waiters' types allow whole seconds only
        waiter = client.get_waiter(waiter_name)
        named, request = _named(function, qualifier), Request("GetFunction", function, qualifier)
        for delay_s, count in self._polling:
            with self.session.translating(request):
                try:
                    waiter.wait(**named, WaiterConfig={"Delay": delay_s, "MaxAttempts": count})
                except WaiterError as error:
                    response: Any = error.last_response
                    if "Error" in response:
                        raise ClientError(response, request.operation) from error
                    _check_failed(response.get("Configuration", {}), function)
                else:
                    return
        total_s = sum(delay_s * (count - 1) for delay_s, count in self._polling)
        raise AwsError(
            f"{function.name} is still not ready after {total_s:.0f} s: look at its "
            f"state with `aws lambda get-function-configuration --function-name {function.name}`"
        )

    def _through_throttles(self, request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
        send = partial(self.ask, request, **parameters)
        return through_throttles(send, _THROTTLE_WAITS_S, time.sleep)


def _named(function: FunctionRef, qualifier: str | None) -> dict[str, str]:
    return {"FunctionName": function.target} | ({"Qualifier": qualifier} if qualifier else {})


def _check_failed(raw: dict[str, Any], function: FunctionRef) -> None:
    """Raise AwsError for a configuration whose State or LastUpdateStatus is Failed."""
    if "Failed" in (raw.get("State"), raw.get("LastUpdateStatus")):
        reason = raw.get("StateReason") or raw.get("LastUpdateStatusReason") or "no reason given"
        raise AwsError(f"Lambda could not update {function.name}: {plain(reason)}")
