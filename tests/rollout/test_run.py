"""A rollout goes on, goes back, waits and is left alone, as it says; figures and clock are made."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Faulty, Killed
from tests.lease.recovering import recover_all
from tests.rollout.rolling import (
    FAILING,
    NEW_MB,
    QUIET,
    ROLLOUT_ID,
    Clock,
    Rollout,
    Simulated,
    is_finished,
)
from tuner.errors import AccessDeniedError, AwsError, LeaseError
from tuner.lease.journal import find_unfinished
from tuner.lease.lease import open_lease
from tuner.model.function import Routing
from tuner.rollout.events import Looked, MetricsMissing, StepBegan, StepSettled, TurnedBack
from tuner.rollout.record import record_path

if TYPE_CHECKING:
    from tests.lease.account import Account
    from tests.rollout.worlds import World


def test_it_goes_on_step_by_step_and_keeps_what_it_did(account: Account) -> None:
    """Each step lasts as long and sees as many invocations as stated; the file says all of it."""
    before = account.snapshot()
    rollout = Rollout(account)
    record = rollout.run()
    assert is_finished(account, before)
    told = [event for event in rollout.events if not isinstance(event, Looked)]
    assert [type(event) for event in told] == [StepBegan, StepSettled, StepBegan, StepSettled]
    kept = json.loads(record_path(account.state_dir, account.name, ROLLOUT_ID).read_bytes())
    assert kept == json.loads(json.dumps(record.to_json()))
    assert (kept["kind"], kept["state"], kept["reason"]) == ("rollout", "finished", None)
    assert (kept["from_version"], kept["to_version"], kept["to_memory_mb"]) == ("1", "2", NEW_MB)
    assert [step["weight"] for step in kept["steps"]] == [0.1, 0.5, 1.0]
    for step in kept["steps"][:2]:
        assert step["old_count"] + step["new_count"] >= step["needed_count"]
        assert step["is_settled"]
        assert step["ended_at"] > step["started_at"]
    assert kept["steps"][0]["new_count"] < kept["steps"][0]["old_count"] / 7


def test_it_goes_back_at_once_when_it_worsens(account: Account) -> None:
    """Before the first step's time is over: the alias as before, the version gone, the reason."""
    before = account.snapshot()
    rollout = Rollout(account, FAILING)
    record = rollout.run()
    assert record.state == "returned"
    assert record.reason is not None
    assert record.reason.startswith("errors: ")
    assert isinstance(rollout.events[-1], TurnedBack)
    assert len(record.steps) == 1
    assert (rollout.clock.now() - Clock().at).total_seconds() < 300
    assert account.snapshot() == before


def metrics_of(account: Account, world: World) -> Simulated:
    return Simulated(account, world, source="metrics", delay_s=180, only_counts=True)


def test_errors_that_the_log_does_not_name_are_returned(account: Account) -> None:
    """A Java handler's exceptions are in CloudWatch's metrics alone, three minutes late."""
    before = account.snapshot()
    rollout = Rollout(account, metrics=metrics_of(account, FAILING))
    record = rollout.run()
    assert record.reason is not None
    assert record.reason.startswith("errors by CloudWatch: ")
    assert 180 < (rollout.clock.now() - Clock().at).total_seconds() < 500
    assert account.snapshot() == before


def test_a_step_waits_for_metrics_that_are_late(account: Account) -> None:
    """It isn't settled before both have seen as many invocations as stated."""
    alone = Rollout(account, steps="50%:1m")
    assert alone.run().state == "finished"
    account.make_function()
    world = replace(QUIET, per_minute=60)
    late = Rollout(account, steps="50%:1m", metrics=metrics_of(account, world))
    record = late.run()
    assert record.state == "finished"
    took_s, took_late_s = (
        (each.clock.now() - Clock().at).total_seconds() for each in (alone, late)
    )
    assert took_late_s > took_s + 180


def test_metrics_that_never_come_hold_nothing_up(account: Account) -> None:
    """CloudWatch has none by version: after ten minutes the reports decide, and that is said."""
    nothing = metrics_of(account, replace(QUIET, per_minute=0))
    rollout = Rollout(account, steps="50%:1m", metrics=nothing)
    assert rollout.run().state == "finished"
    assert [type(event) for event in rollout.events].count(MetricsMissing) == 1
    assert 600 <= (rollout.clock.now() - Clock().at).total_seconds() < 900


def test_a_step_without_traffic_waits_and_goes_back(account: Account) -> None:
    """What is missing, and by when, is the reason."""
    before = account.snapshot()
    record = Rollout(account, replace(QUIET, per_minute=1), timeout_s=1200).run()
    assert record.reason is not None
    assert "are needed to tell: give a longer `step_timeout`" in record.reason
    assert account.snapshot() == before


@pytest.mark.parametrize("after", [0, 30, 900])
def test_an_interruption_goes_back(account: Account, after: int) -> None:
    """Whenever it's asked to stop, within a second."""
    before = account.snapshot()
    rollout = Rollout(account)
    rollout.is_stopped = lambda: (rollout.clock.now() - Clock().at).total_seconds() >= after
    record = rollout.run()
    assert (record.state, record.reason) == ("returned", "interrupted")
    assert (rollout.clock.now() - Clock().at).total_seconds() <= after + 1
    assert account.snapshot() == before


def test_figures_that_can_not_be_read_end_it(account: Account) -> None:
    """A denial at once, other errors after five looks; one that passes doesn't."""
    before = account.snapshot()

    def refuse(error: AwsError, count: int) -> Rollout:
        left = [error] * count

        def read() -> None:
            if left:
                raise left.pop()

        return Rollout(account, before_read=read)

    for error, count in ((AccessDeniedError("no"), 1), (AwsError("broken"), 5)):
        record = refuse(error, count).run()
        assert record.reason is not None
        assert record.reason.startswith("the alias and its versions' figures can't be read (")
        assert account.snapshot() == before
    assert refuse(AwsError("broken"), 4).run().state == "finished"


def test_somebody_elses_alias_is_left_alone(account: Account) -> None:
    """A deployment that moves the alias wins; the rollout says so and takes its version away."""
    client: Any = account.client
    rollout = Rollout(account)
    made: list[str] = []

    def deploy() -> None:
        if (rollout.clock.now() - Clock().at).total_seconds() > 300 and not made:
            made.append(
                client.publish_version(FunctionName=account.name, Description="2")["Version"]
            )
            client.update_alias(
                FunctionName=account.name,
                Name="live",
                FunctionVersion=made[0],
                RoutingConfig={"AdditionalVersionWeights": {}},
            )

    rollout.clock.on_sleep = deploy
    record = rollout.run()
    assert record.state == "returned"
    assert record.reason is not None
    assert "somebody else changed the alias live" in record.reason
    assert account.gateway.read_alias(account.name, "live").is_like(Routing("live", made[0]))
    versions = [each.version for each in account.gateway.list_versions(account.name)]
    assert versions == ["1", *made]
    assert find_unfinished(account.state_dir) == ()


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_deployment_that_keeps_the_share_gets_rid_of_it(
    account: Account, is_killed: bool
) -> None:
    """Whoever sets the alias's version alone leaves the rollout's share: that is taken away."""
    client: Any = account.client
    made: list[str] = []

    def deploy(_number: int, name: str) -> None:
        if name == "read_alias" and "update_alias" in control.calls and not made:
            version = client.publish_version(FunctionName=account.name, Description="2")
            made.append(version["Version"])
            client.update_alias(FunctionName=account.name, Name="live", FunctionVersion=made[0])
            if is_killed:
                control.error, control.fails_at, control.lasts = Killed(), _number, True

    control = Faulty(account.gateway, before_call=deploy)
    with suppress(Killed):
        record = Rollout(account, control=control).run()
        assert record.state == "returned"
    if is_killed:
        weighted = account.gateway.read_alias(account.name, "live")
        assert weighted.weights
        said = recover_all(account)
        assert any(f"set alias live to version {made[0]} alone" in line for line in said)
    assert account.gateway.read_alias(account.name, "live").is_like(Routing("live", made[0]))
    versions = [each.version for each in account.gateway.list_versions(account.name)]
    assert versions == ["1", *made]
    assert find_unfinished(account.state_dir) == ()


def test_a_sweep_and_a_rollout_keep_apart(account: Account) -> None:
    """While either has the function, the other is refused in a line."""
    with account.lease(), pytest.raises(LeaseError, match="another sweep"):
        Rollout(account).run()
    refused: list[str] = []
    rollout = Rollout(account)

    def sweep() -> None:
        if not refused:
            try:
                with open_lease(
                    account.read(),
                    account.terms(),
                    control=account.gateway,
                    sleep=lambda _seconds: None,
                    on_progress=lambda _event: None,
                ):
                    refused.append("")
            except LeaseError as error:
                refused.append(str(error))

    rollout.clock.on_sleep = sweep
    assert rollout.run().state == "finished"
    assert "is running on this machine" in refused[0]
