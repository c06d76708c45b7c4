"""Isolation as it is planned: auto looks first, and an endpoint started here needs no look."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import pytest

from tuner.api import PreparedSweep, Request, open_target, prepare
from tuner.errors import InputError, UnknownReachError
from tuner.lease.reach import Reach
from tuner.local import FunctionDefinition, LocalLambda, ScriptedExecutor
from tuner.model.goal import Goal
from tuner.model.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.api import Target
    from tuner.model.function import FunctionConfig

EMPTY = (Payload("empty", b"{}"),)


class Reached:
    """A gateway whose answer about its function's reach is given, and one setting more."""

    def __init__(self, gateway: Any, reach: Reach | None, setting: str | None) -> None:
        self._setting = setting
        self._gateway = gateway
        self._reach = reach

    def reach(self, _function: str) -> Reach:
        assert self._reach is not None, "nobody was to ask"
        return self._reach

    def read_function(self, function: str) -> FunctionConfig:
        read: FunctionConfig = self._gateway.read_function(function)
        more = ((self._setting, "a digest"),) if self._setting else ()
        return dataclasses.replace(read, settings=(*read.settings, *more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with (
        LocalLambda(
            [FunctionDefinition("hello", memory_mb=1024)],
            executor=ScriptedExecutor(1.0, time_scale=0),
            emulated_services=False,
            update_s=0.0,
        ) as server,
        open_target("hello", state_dir=tmp_path, endpoint_url=server.endpoint_url) as opened,
    ):
        yield opened


@pytest.fixture
def planned(target: Target, tmp_path: Path) -> Callable[..., PreparedSweep]:
    def plan(
        reach: Reach | None, isolation: Any = "auto", setting: str | None = None, **changes: Any
    ) -> PreparedSweep:
        gateway = cast("Any", Reached(target.gateway, reach, setting))
        place = dataclasses.replace(target, gateway=gateway, **changes)
        request = Request(EMPTY, isolation=isolation)
        return prepare(place, "hello", request, goal=Goal(), state_dir=tmp_path)

    return plan


@pytest.mark.parametrize("isolation", ["auto", "version", "clone"])
@pytest.mark.parametrize("setting", ["CapacityProviderConfig", "DurableConfig", "TenancyConfig"])
def test_what_cannot_be_measured_is_refused_before_anything_is_published(
    planned: Callable[..., PreparedSweep], setting: str, isolation: Any
) -> None:
    """Managed Instances, durable and tenant-isolated functions, in either isolation."""
    with pytest.raises(InputError, match=f"hello cannot be tuned: .*{setting}"):
        planned(Reach(), isolation, setting=setting)


def test_a_log_without_reports_is_refused_before_the_plan(target: Target, tmp_path: Path) -> None:
    """JSON logs at SystemLogLevel WARN say nothing of durations: what to set is named."""
    client: Any = target.gateway._control.client
    logging = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    client.update_function_configuration(FunctionName="hello", LoggingConfig=logging)
    with pytest.raises(InputError, match="SystemLogLevel=INFO"):
        prepare(target, "hello", Request(EMPTY), goal=Goal(), state_dir=tmp_path)
    logging["SystemLogLevel"] = "INFO"
    client.update_function_configuration(FunctionName="hello", LoggingConfig=logging)
    prepare(target, "hello", Request(EMPTY), goal=Goal(), state_dir=tmp_path)


def test_auto_follows_what_reaches_the_function(planned: Callable[..., PreparedSweep]) -> None:
    """A copy where live traffic reaches $LATEST, and the ways are told; else versions."""
    reached = planned(Reach(("S3",)))
    assert (reached.plan.isolation, reached.reached_by) == ("clone", ("S3",))
    assert planned(Reach()).plan.isolation == "version"
    with pytest.raises(UnknownReachError, match="--isolation"):
        planned(Reach((), ("its policy",)))


def test_nobody_is_asked_where_the_answer_is_known(planned: Callable[..., PreparedSweep]) -> None:
    """Not for a named isolation, and not for an endpoint that was started for the run."""
    assert planned(None, "version").plan.isolation == "version"
    assert planned(None, "clone").plan.isolation == "clone"
    assert planned(None, started_here=True).plan.isolation == "version"
