"""Every request of every kind of sweep fails in every way; then `recover`; then all is as before.

A shape of sweep is its isolation, its number of sizes and what its function has. The default suite
runs a seeded sample; `python -m pytest -m slow tests/lease/test_matrix.py -s` runs and counts all.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lease.account import Account, Killed
from tests.lease.test_faults import recover_all
from tests.lease.wire_faults import FAULTS, Wire, faulty
from tuner.errors import LeftChangedError, TunerError
from tuner.lease.recover import find_unfinished

if TYPE_CHECKING:
    from collections.abc import Sequence

THREE: Final = ((128, 512), (1769,))
EIGHT: Final = ((128, 192, 256, 384, 512), (1024, 1769, 3008))
SAMPLE_SIZE: Final = 60
SEED: Final = 20261123


@dataclass(frozen=True)
class Shape:
    """One kind of sweep."""

    isolation: str
    windows: Sequence[Sequence[int]]
    has_history: bool
    """Whether old versions, more aliases and tags are there."""

    def __str__(self) -> str:
        count = sum(map(len, self.windows))
        return f"{self.isolation}, {count} sizes{', with history' if self.has_history else ''}"


SHAPES: Final = [
    Shape(isolation, windows, has_history)
    for isolation in ("version", "clone")
    for windows in (THREE, EIGHT)
    for has_history in (False, True)
]


def make_function(account: Account, shape: Shape) -> None:
    account.make_function()
    if shape.has_history:
        client, name = account.client, account.name
        for memory_mb in (256, 512):
            client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
            client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="old", FunctionVersion="2")
        client.tag_resource(Resource=account.read().arn, Tags={"team": "thumbs"})


def sweep(account: Account, shape: Shape) -> None:
    """Publish as a sweep does, and invoke each version once."""
    with account.lease(isolation=shape.isolation) as lease:
        for sizes in shape.windows:
            for entry in lease.publish(sizes).published:
                with suppress(TunerError):
                    account.gateway.invoke(lease.function_name, entry.version, b"{}", timeout_s=3)


def count_requests(account: Account, shape: Shape) -> int:
    make_function(account, shape)
    wire = Wire()
    with faulty(wire):
        sweep(account, shape)
    account.client.delete_function(FunctionName=account.name)
    return len(wire.requests)


def check_case(account: Account, shape: Shape, wire: Wire) -> bool:
    """One case; return whether there was something to recover."""
    make_function(account, shape)
    before = account.snapshot()
    claims_clean = not wire.fault.startswith("killed")
    try:
        with faulty(wire):
            sweep(account, shape)
    except LeftChangedError:
        claims_clean = False
    except (TunerError, Killed):
        pass
    case = f"{shape}: {wire.fault} request {wire.fails_at} ({wire.requests[wire.fails_at]})"
    if claims_clean:
        assert account.snapshot() == before, f"silently changed: {case}"
    said = recover_all(account)
    assert account.snapshot() == before, case
    assert find_unfinished(account.state_dir) == (), case
    account.client.delete_function(FunctionName=account.name)
    return bool(said)


def cases_of(account: Account, shape: Shape) -> list[tuple[Shape, str, int]]:
    count = count_requests(account, shape)
    return [(shape, fault, number) for number in range(count) for fault in FAULTS]


def test_a_seeded_sample_of_the_matrix_is_survived(account: Account) -> None:
    """After a fault at any request, and `recover` where a journal is left, nothing is changed."""
    cases = [case for shape in SHAPES for case in cases_of(account, shape)]
    sample = random.Random(SEED).sample(cases, SAMPLE_SIZE)
    recovered = [check_case(account, shape, Wire(fault, number)) for shape, fault, number in sample]
    print(f"\n{len(sample)} of {len(cases)} cases of the fault matrix survived")
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_whole_matrix_is_survived(account: Account, shape: Shape) -> None:
    """Every request of a kind of sweep, in every way; the count is printed."""
    cases = cases_of(account, shape)
    recovered = [check_case(account, shape, Wire(fault, number)) for _, fault, number in cases]
    print(f"\n{shape}: {len(cases)} of {len(cases)} cases survived, {sum(recovered)} by recover")


@dataclass
class ManyFaults(Wire):
    """Fails several requests, each in its own way."""

    drawn: Sequence[str | None] = ()

    def send(self, real: object, session: object, request: object) -> object:
        number = len(self.requests)
        drawn = self.drawn[number] if number < len(self.drawn) else None
        if drawn is not None:
            self.fault, self.fails_at = drawn, number
        elif not self.fault.startswith(("gone", "killed")):
            self.fails_at = -1
        return super().send(real, session, request)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    shape=st.sampled_from(SHAPES),
    drawn=st.lists(st.sampled_from([None, None, None, *FAULTS]), max_size=40),
)
def test_any_sequence_of_faults_is_survived(
    account: Account, shape: Shape, drawn: list[str | None]
) -> None:
    """However faults follow each other, `recover` has the last word."""
    make_function(account, shape)
    before = account.snapshot()
    with suppress(TunerError, Killed), faulty(ManyFaults(drawn=drawn)):
        sweep(account, shape)
    recover_all(account)
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()
    account.client.delete_function(FunctionName=account.name)
