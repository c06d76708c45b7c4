"""The services that report on production: their clients, and how fast they're asked.

An account's limits are shared with its owners' own tools, so all requests of one `Services`
together stay below ten a second, and some services have a smaller limit of their own.
"""

from __future__ import annotations

import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import jmespath
from botocore import xform_name
from botocore.loaders import Loader

from tuner.aws.connection_errors import Request
from tuner.aws.control_plane import RateLimiter
from tuner.errors import AwsError
from tuner.lease.function_control import through_throttles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.session import Session

ReadingPurpose = Literal["observe", "scan", "spend", "watch"]
"""Commands that only read."""
Purpose = ReadingPurpose | Literal["apply", "fleet", "load", "workflow"]

_LEAST_INTERVAL_S: Final = 0.125
"""Eight requests a second: also a second into which delayed ones fall has fewer than ten."""
# Seconds between requests where a service allows fewer than the account's own limit: CloudTrail
# LookupEvents two a second, CloudWatch Logs' queries five a second (service quotas).
_OWN_INTERVALS_S: Final = {"cloudtrail": 0.55, "logs": 0.21}
_OPTIONS: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "retries": {"mode": "standard", "total_max_attempts": 5},
}
_THROTTLE_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0)
_MAX_PAGES: Final = 10_000
_LOOK_EVERY_S: Final = 1.0
_LOOPBACK_LOOK_EVERY_S: Final = 0.02


class Services:
    """Sends reading requests: spaced, repeated if throttled, refusals translated.

    `purpose` says which policy has what a refused request needs. A local server is asked as fast as
    it answers unless `least_interval_s` says otherwise.
    """

    def __init__(
        self,
        session: Session,
        *,
        purpose: Purpose,
        least_interval_s: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.session = session
        self.purpose: Purpose = purpose
        self.sleep = sleep
        self.look_every_s = _LOOPBACK_LOOK_EVERY_S if session.is_loopback else _LOOK_EVERY_S
        """How often to look whether a query has ended."""
        default_s = 0.0 if session.is_loopback else _LEAST_INTERVAL_S
        self._interval_s = default_s if least_interval_s is None else least_interval_s
        self._limiter = RateLimiter(self._interval_s, clock=clock, sleep=sleep)
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    @property
    def region(self) -> str:
        """Where requests go."""
        return self.session.region

    def client(self, service: str) -> Any:
        """The client of a service, made when it's first needed."""
        client = self._clients.get(service)
        if client is None:
            client = self._clients[service] = self.session.client(service, **_OPTIONS)
            if self._interval_s:
                self._limiter.attach(client)
                if service in _OWN_INTERVALS_S:
                    RateLimiter(
                        _OWN_INTERVALS_S[service], clock=self._clock, sleep=self.sleep
                    ).attach(client)
        return client

    def ask(
        self, service: str, operation: str, function: FunctionRef | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Send one request; `function` is for messages. Raises AwsError and its subclasses."""
        request = Request(operation, function, purpose=self.purpose)
        send = partial(self._send, service, request, parameters)
        return through_throttles(send, _THROTTLE_WAITS_S, self.sleep)

    def listed(
        self, service: str, operation: str, *, most_pages: int | None = None, **parameters: Any
    ) -> Iterator[Any]:
        """Every element of a list, over all (or the first) pages.

        Raises AwsError, also for a list that doesn't end.
        """
        paging = _paging(service, operation)
        key, given, answered = paging["result_key"], paging["input_token"], paging["output_token"]
        more: dict[str, Any] = {}
        for _ in range(most_pages or _MAX_PAGES):
            page = self.ask(service, operation, **parameters, **more)
            yield from jmespath.search(key if isinstance(key, str) else key[0], page) or ()
            if not (following := page.get(answered)) or following == more.get(given):
                return
            more = {given: following}
        if most_pages is None:
            raise AwsError(f"{operation} has over {_MAX_PAGES:,} pages in {self.region}")

    def _send(self, service: str, request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.session.translating(request):
            answer: dict[str, Any] = getattr(self.client(service), xform_name(request.operation))(
                **parameters
            )
            return answer


@cache
def _paging(service: str, operation: str) -> dict[str, Any]:
    """What botocore says of a list: the names of its tokens, and of what has its elements."""
    described = Loader().load_service_model(service, "paginators-1")
    paging: dict[str, Any] = described["pagination"][operation]
    return paging
