"""A place for a live check: the local Lambda with an executor that runs the probes right here."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.lease.in_process import handlers
from tests.scripted_executor import Failure, ScriptedExecutor
from tuner.api.live_check.check import Place
from tuner.api.live_check.function import handler
from tuner.aws.live_gateway import connect_live
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.live_check import CheckPlan
from tuner.sweep.io import Clock, SweepIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.local import Deployment, InvokeRequest

NAME: Final = "lambda-tuner-live-check"
ROLE: Final = "arn:aws:iam::123456789012:role/any"
SMALL: Final = CheckPlan(
    sizes_mb=(128, 256),
    cpu_s=0.001,
    repetitions=1,
    alias_count=4,
    sweep_sizes_mb=(128, 256),
    sweep_invocations=4,
    timeout_s=3,
    kills=False,
)
_FAILURES: Final[dict[str, Failure]] = {
    "error": "error",
    "exit": "out-of-memory",
    "timeout": "timeout",
    "out-of-memory": "out-of-memory",
}


def no_sleep(_seconds: float) -> None:
    """Waits are for accounts that are really away."""


@contextmanager
def scripted_place(folder: Path) -> Iterator[tuple[Place, Any]]:
    """The place, and what answers its requests."""
    executor = ScriptedExecutor(2.0, time_scale=0, failure=_failure, response=_response)
    with (
        pytest.MonkeyPatch.context() as patch,
        handlers() as found,
        LocalLambda(
            [FunctionDefinition("orders", memory_mb=512)],
            executor=executor,
            emulated_services=False,
            update_s=0,
        ) as server,
        connect_live(
            region=server.region, profile=None, endpoint_url=server.endpoint_url
        ) as gateway,
    ):
        patch.setattr(handler, "MARK", folder / "mark")
        # Waits between attempts are for accounts that are really away.
        clock = Clock(sleep=no_sleep)
        patch.setattr("tuner.session.SweepIO", partial(SweepIO, clock=clock))
        yield Place(gateway, folder / "state", "orders", ROLE), found[-1]


def functions(place: Place) -> list[str]:
    """Names of all functions there."""
    client = place.gateway._control.client
    return [each["FunctionName"] for each in client.list_functions()["Functions"]]


def _failure(_deployment: Deployment, request: InvokeRequest) -> Failure | None:
    return _FAILURES.get(json.loads(request.payload)["probe"])


def _response(_deployment: Deployment, request: InvokeRequest) -> bytes:
    return json.dumps(handler.handler(json.loads(request.payload), None)).encode()
