"""Asynchronous invocations: run after their callers have left, and retried if they fail.

As on Lambda, a failed function runs again after one and then two minutes, with the same request id;
a throttled event waits for its turn, and runs what its function or alias is by then; an event that
is too old is dropped. The endpoint's log says
what was dropped: there are no destinations or dead-letter queues here.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

How often and for how long is set for a function, a version or an alias.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TunerError
from tuner.local.control_plane.api_error import (
    ApiError,
    invalid,
    not_found,
    not_supported,
    throttled,
)
from tuner.local.control_plane.function_state import EventConfig
from tuner.local.control_plane.names import LATEST
from tuner.local.http.message import HangUpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.local.control_plane.function_state import Function
    from tuner.local.control_plane.function_store import FunctionStore, Target
    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.names import Reference
    from tuner.local.deployment import InvokeRequest, InvokeResult

log = logging.getLogger(__name__)

MAX_QUEUED: Final = 1000
WORKERS: Final = 8
RETRY_DELAYS_S: Final = (60.0, 120.0)
THROTTLED_DELAY_S: Final = 0.1
_DESTINATIONS: Final = ("events", "kafka", "lambda", "s3", "sns", "sqs")
_NO_FUNCTION: Final = "The function doesn't exist."
_SETTINGS: Final = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, and how often its function has failed with it."""

    find_target: Callable[[], Target] = field(repr=False)
    target: Target
    """As it was when last looked for."""
    request: InvokeRequest
    accepted_s: float
    failure_count: int = 0


class EventQueue:
    """A queue with its own workers, which start with the first event. Thread-safe.

    `run` runs one invocation: it raises ApiError, TunerError or HangUpError if nothing ran.
    """

    def __init__(
        self,
        run: Callable[[Target, InvokeRequest], InvokeResult],
        *,
        retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    ) -> None:
        self._run = run
        self._retry_delays_s = retry_delays_s
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, _Event]] = []
        self._order = itertools.count()
        self._workers: list[threading.Thread] = []
        self._closed = False

    def put(self, find_target: Callable[[], Target], request: InvokeRequest) -> None:
        """Accept an event for what `find_target` finds when its turn comes.

        Raises the ApiError of there being none now, or of a throttle if too many are waiting.
        """
        target = find_target()
        with self._changed:
            if len(self._waiting) >= MAX_QUEUED:
                raise throttled("ConcurrentInvocationLimitExceeded")
            if not self._workers and not self._closed:
                self._workers = [
                    threading.Thread(target=self._work, name=f"event-{n}", daemon=True)
                    for n in range(WORKERS)
                ]
                for worker in self._workers:
                    worker.start()
        self._push(_Event(find_target, target, request, time.monotonic()), 0.0)

    def close(self) -> None:
        """Take no more events; waiting ones are dropped."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for worker in self._workers:
            worker.join(5)

    def _push(self, event: _Event, delay_s: float) -> None:
        with self._changed:
            if not self._closed:
                due_s = time.monotonic() + delay_s
                heapq.heappush(self._waiting, (due_s, next(self._order), event))
                self._changed.notify()

    def _work(self) -> None:
        while (event := self._next()) is not None:
            self._try(event)

    def _next(self) -> _Event | None:
        """Wait for an event that is due; None at the end."""
        with self._changed:
            while not self._closed:
                left_s = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left_s is not None and left_s <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left_s)
        return None

    def _try(self, event: _Event) -> None:
        if time.monotonic() - event.accepted_s > event.target.event_max_age_s:
            _say_dropped(event, "it is older than its function allows")
            return
        try:
            event = replace(event, target=event.find_target())
            result = self._run(event.target, event.request)
        except ApiError as refused:
            if refused.status in (409, 429):  # it's being changed, or may not run now
                self._push(event, THROTTLED_DELAY_S)
            else:
                _say_dropped(event, refused)
        except (TunerError, HangUpError) as error:
            _say_dropped(event, error)
        except Exception:
            log.exception("an event of %s failed", event.target.function_name)
        else:
            if result.function_error is not None:
                self._retry(replace(event, failure_count=event.failure_count + 1))

    def _retry(self, event: _Event) -> None:
        count = event.failure_count
        if count > min(event.target.event_retry_count, len(self._retry_delays_s)):
            _say_dropped(event, f"its function failed {count} time{'s' if count > 1 else ''}")
            return
        self._push(event, self._retry_delays_s[count - 1])


def _say_dropped(event: _Event, why: object) -> None:
    log.warning(
        "an event of %s (%s) was dropped: %s",
        event.target.function_name,
        event.request.request_id,
        why,
    )


class EventConfigApi:
    """Operations on the settings of asynchronous invocations."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def put_function_event_invoke_config(self, call: Call) -> Answer:
        """PutFunctionEventInvokeConfig: omitted members return to Lambda's default."""
        return self._write(call, keep=False)

    def update_function_event_invoke_config(self, call: Call) -> Answer:
        """UpdateFunctionEventInvokeConfig: omitted members stay."""
        return self._write(call, keep=True)

    def get_function_event_invoke_config(self, call: Call) -> Answer:
        """GetFunctionEventInvokeConfig."""
        reference = call.reference
        with self._store.open(reference, self._absent(reference)) as function:
            config = self._find(function, reference)
            return self._describe(function, _key(reference), config)

    def list_function_event_invoke_configs(self, call: Call) -> Answer:
        """ListFunctionEventInvokeConfigs: for every version and alias that has one."""
        reference = call.reference
        with self._store.open(reference, not_found(_NO_FUNCTION)) as function:
            configs = sorted(function.event_configs.items())
            page, marker = call.page(configs, lambda entry: entry[0])
            listed = [self._describe(function, key, config) for key, config in page]
        return {"FunctionEventInvokeConfigs": listed, **marker}

    def delete_function_event_invoke_config(self, call: Call) -> None:
        """DeleteFunctionEventInvokeConfig."""
        reference = call.reference
        with self._store.open(reference, self._absent(reference)) as function:
            self._find(function, reference)
            del function.event_configs[_key(reference)]

    def _write(self, call: Call, *, keep: bool) -> Answer:
        body = call.json()
        if not keep and not any(body.get(name) is not None for name in _SETTINGS):
            raise invalid("You must specify at least one of error handling or destination setting.")
        reference = call.reference
        with self._store.open(reference, not_found(_NO_FUNCTION)) as function:
            if function.find_version(reference.qualifier) is None:
                raise not_found(_NO_FUNCTION)
            self._refuse_destinations(function, body.get("DestinationConfig") or {})
            base = self._find(function, reference) if keep else EventConfig()
            config = replace(
                base,
                retry_count=body.get("MaximumRetryAttempts", base.retry_count),
                max_age_s=body.get("MaximumEventAgeInSeconds", base.max_age_s),
                modified_at_s=time.time(),
            )
            function.event_configs[_key(reference)] = config
            return self._describe(function, _key(reference), config)

    def _refuse_destinations(self, function: Function, given: dict[str, Any]) -> None:
        """Refuse destinations, first those that AWS refuses too."""
        named = {name: (each or {}).get("Destination") for name, each in given.items()}
        for arn in filter(None, named.values()):
            service, _, name = arn.partition(":function:")
            service = service.split(":")[2]
            if service not in _DESTINATIONS:
                shown = (_shown(each, named.get(each)) for each in ("OnSuccess", "OnFailure"))
                config = f"DestinationConfig({', '.join(shown)})"
                raise invalid(f"The provided destination config {config} is invalid.")
            if service == "lambda" and name == function.name:
                raise invalid("You can't specify the function as a destination for itself.")
            if service == "lambda" and name.partition(":")[0] not in self._store.names():
                raise invalid(f"The destination ARN {arn} is invalid.")
        if any(named.values()):
            raise not_supported("Destinations are", "leave them out")

    def _find(self, function: Function, reference: Reference) -> EventConfig:
        config = function.event_configs.get(_key(reference))
        if config is None:
            raise self._absent(reference)
        return config

    def _absent(self, reference: Reference) -> ApiError:
        arn = self._store.account.arn(reference.name, _key(reference))
        return not_found(f"The function {arn} doesn't have an EventInvokeConfig")

    def _describe(self, function: Function, key: str, config: EventConfig) -> dict[str, Any]:
        shape = {
            "FunctionArn": self._store.account.arn(function.name, key),
            "LastModified": round(config.modified_at_s, 3),
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
            "MaximumRetryAttempts": config.retry_count,
            "MaximumEventAgeInSeconds": config.max_age_s,
        }
        return {name: each for name, each in shape.items() if each is not None}


def _shown(name: str, arn: str | None) -> str:
    """Write a destination as AWS's refusal does."""
    lower = name[0].lower() + name[1:]
    return f"{lower}=null" if arn is None else f"{lower}={name}(destination={arn})"


def _key(reference: Reference) -> str:
    return reference.qualifier or LATEST
