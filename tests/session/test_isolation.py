"""Isolation as it is planned: auto looks first, and an endpoint started here needs no look."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tuner.api.target import connect_to
from tuner.errors import InputError, UnknownTrafficError
from tuner.lease.clone import LiveTraffic
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.request import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.model.function import FunctionConfig
    from tuner.session import OpenTarget
    from tuner.sweep.prepared import PreparedSweep


class Reached:
    """A gateway whose answer about its function's traffic is given, and one setting more."""

    def __init__(self, gateway: Any, traffic: LiveTraffic | None, setting: str | None) -> None:
        self._setting = setting
        self._gateway = gateway
        self._reach = traffic

    def live_traffic(self, _function: str) -> LiveTraffic:
        assert self._reach is not None, "nobody was to ask"
        return self._reach

    def read_function(self, function: str) -> FunctionConfig:
        read: FunctionConfig = self._gateway.read_function(function)
        more = ((self._setting, "a digest"),) if self._setting else ()
        return dataclasses.replace(read, settings=(*read.settings, *more))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[OpenTarget]:
    with (
        LocalLambda(
            [FunctionDefinition("hello", memory_mb=1024)],
            executor=ScriptedExecutor(1.0, time_scale=0),
            emulated_services=False,
            update_s=0.0,
        ) as server,
        connect_to("hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path) as opened,
    ):
        yield opened


@pytest.fixture
def plan(target: OpenTarget, tmp_path: Path) -> Callable[..., PreparedSweep]:
    def planned_with(
        traffic: LiveTraffic | None,
        isolation: Any = "auto",
        setting: str | None = None,
        **changes: Any,
    ) -> PreparedSweep:
        gateway = cast("Any", Reached(target.gateway, traffic, setting))
        place = dataclasses.replace(target, gateway=gateway, **changes)
        return planned(place, state_dir=tmp_path, isolation=isolation)

    return planned_with


@pytest.mark.parametrize("isolation", ["auto", "version", "clone"])
@pytest.mark.parametrize("setting", ["CapacityProviderConfig", "DurableConfig", "TenancyConfig"])
def test_what_cannot_be_measured_is_refused_before_anything_is_published(
    plan: Callable[..., PreparedSweep], setting: str, isolation: Any
) -> None:
    """Managed Instances, durable and tenant-isolated functions, in either isolation."""
    with pytest.raises(InputError, match=f"hello can't be tuned: .*{setting}"):
        plan(LiveTraffic(), isolation, setting=setting)


def test_a_log_without_reports_is_refused_before_the_plan(
    target: OpenTarget, tmp_path: Path
) -> None:
    """JSON logs at SystemLogLevel WARN say nothing of durations: what to set is named."""
    client: Any = target.gateway._control.client
    logging = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    client.update_function_configuration(FunctionName="hello", LoggingConfig=logging)
    with pytest.raises(InputError, match="SystemLogLevel=INFO"):
        planned(target, state_dir=tmp_path)
    logging["SystemLogLevel"] = "INFO"
    client.update_function_configuration(FunctionName="hello", LoggingConfig=logging)
    planned(target, state_dir=tmp_path)


def test_auto_follows_what_reaches_the_function(plan: Callable[..., PreparedSweep]) -> None:
    """A copy where live traffic reaches $LATEST, and the ways are told; else versions."""
    reached = plan(LiveTraffic(("S3",)))
    assert (reached.plan.isolation, reached.reached_by) == ("clone", ("S3",))
    assert plan(LiveTraffic()).plan.isolation == "version"
    with pytest.raises(UnknownTrafficError, match="`isolation="):
        plan(LiveTraffic((), ("its policy",)))


def test_nobody_is_asked_where_the_answer_is_known(plan: Callable[..., PreparedSweep]) -> None:
    """Not for a named isolation, and not for an endpoint that was started for the run."""
    assert plan(None, "version").plan.isolation == "version"
    assert plan(None, "clone").plan.isolation == "clone"
    assert plan(None, started_here=True).plan.isolation == "version"
