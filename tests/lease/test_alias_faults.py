"""Every control call of a rollout fails in every way; then `recover`; then all is settled.

The alias is as before or as finished, and so are the versions.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.conftest import COUNTED
from tests.lease.account import Account, Faulty, Killed, Moment
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tests.lease.test_faults import FAULTS
from tuner.errors import ForeignChangeError, LeftChangedError, TunerError
from tuner.lease.lease import Lease
from tuner.lease.recover import find_unfinished
from tuner.model.function import Routing

if TYPE_CHECKING:
    from collections.abc import Callable

NEW_MB: Final = 1769
CALL_COUNTS: Final = {True: 25, False: 28}
"""Of a rollout that finishes, and of one that goes back."""


def roll_out(account: Account, control: Any, *, finishes: bool) -> None:
    """Publish a size, and shift the alias to it by steps."""
    with account.lease(control, sweep_id="rollout-1") as lease:
        assert isinstance(lease, Lease)
        alias = lease.shift_alias(control.read_alias(account.name, "live"))
        [new] = lease.publish([NEW_MB]).published
        for weight in (0.1, 0.5):
            alias.shift(new.version, weight)
            alias.check()
        if finishes:
            alias.finish(new.version)


def prepare(account: Account) -> dict[str, Any]:
    account.make_function()
    account.client.update_alias(
        FunctionName=account.name, Name="live", FunctionVersion="1", Description="the owner's"
    )
    return account.snapshot()


def is_finished(account: Account, before: dict[str, Any]) -> bool:
    """Whether the alias routes to the new version alone, and nothing else has changed."""
    now = account.snapshot()
    [alias] = now["aliases"]
    [was] = before["aliases"]
    *old, new = now["versions"]
    return bool(
        alias == {**was, "FunctionVersion": new["Version"]}
        and new["MemorySize"] == NEW_MB
        and new["Description"] == f"lambda-tuner rollout 1 {NEW_MB} MB"
        and {**now, "aliases": [], "versions": old} == {**before, "aliases": []}
    )


@pytest.mark.parametrize("finishes", [True, False])
def test_a_rollout_makes_as_many_calls_as_the_matrix_has(account: Account, finishes: bool) -> None:
    """The matrix below covers every call; it ends finished, or as before."""
    before = prepare(account)
    control = Faulty(account.gateway)
    roll_out(account, control, finishes=finishes)
    assert len(control.calls) == CALL_COUNTS[finishes]
    assert (is_finished(account, before), account.snapshot() == before) == (finishes, not finishes)
    assert find_unfinished(account.state_dir) == ()


CASES: Final[list[tuple[bool, str, Moment, int]]] = [
    (finishes, fault, moment, call)
    for finishes, count in CALL_COUNTS.items()
    for call in range(count)
    for moment in ("before", "after")
    for fault in FAULTS
]
SAMPLE: Final = CASES[::11]


def check_case(account: Account, finishes: bool, fault: str, moment: Moment, call: int) -> bool:
    """One case of the matrix; return whether there was something to recover."""
    error, lasts = FAULTS[fault]
    before = prepare(account)
    control = Faulty(account.gateway, call, moment, error, lasts)
    claims_clean = fault != "killed"
    with suppress(TunerError, Killed):
        try:
            roll_out(account, control, finishes=finishes)
        except LeftChangedError:
            claims_clean = False
            raise
    case = f"{fault} {moment} call {call} ({control.calls[call]}), finishes: {finishes}"
    if claims_clean:
        assert account.snapshot() == before or is_finished(account, before), case
        assert find_unfinished(account.state_dir) == (), case
    said = recover_all(account)
    assert account.snapshot() == before or (finishes and is_finished(account, before)), case
    assert find_unfinished(account.state_dir) == (), case
    account.client.delete_function(FunctionName=account.name)
    return bool(said)


def test_whatever_fails_the_alias_is_never_in_between(account: Account) -> None:
    """After a fault at any call, and `recover`, it routes to one version alone."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, *case) for case in SAMPLE]
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_fault_at_every_call_of_a_rollout(
    account: Account, record_property: Callable[[str, Any], None]
) -> None:
    """The whole matrix of which the sample above is taken."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, *case) for case in CASES]
    record_property(COUNTED, ("every call of a rollout", len(recovered), sum(recovered)))


def test_somebody_elses_alias_is_left_alone(account: Account) -> None:
    """A deployment that moves the alias wins: the rollout says so and takes its version away."""
    prepare(account)
    client = account.client
    second = client.publish_version(FunctionName=account.name, Description="2")["Version"]

    def interfere(_number: int, name: str) -> None:
        if name == "update_alias" and control.calls.count(name) == 2:
            client.update_alias(
                FunctionName=account.name,
                Name="live",
                FunctionVersion=second,
                RoutingConfig={"AdditionalVersionWeights": {}},
            )

    control = Faulty(account.gateway, before_call=interfere)
    with pytest.raises(ForeignChangeError, match="somebody else changed the alias live"):
        roll_out(account, control, finishes=True)
    assert control.read_alias(account.name, "live").is_like(Routing("live", second))
    assert [each.version for each in account.gateway.list_versions(account.name)] == ["1", second]
    assert find_unfinished(account.state_dir) == ()
