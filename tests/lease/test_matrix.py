"""Every request of every kind of sweep fails in every way; then `recover`; then all is as before.

A shape of sweep is its isolation, what its function is packaged as, its number of sizes and what
the function has besides. The default suite runs a seeded sample over the wire;
`python -m pytest -m slow tests/lease/test_matrix.py` runs all, without sockets, and counts them.
"""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import COUNTED
from tests.lease.account import Account, Killed
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tests.lease.wire_faults import FAULTS, Wire, faulty
from tuner.errors import LeftChangedError, TunerError
from tuner.lease.journal import find_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THREE: Final = ((128, 512), (1769,))
EIGHT: Final = ((128, 192, 256, 384, 512), (1024, 1769, 3008))
SAMPLE_SIZE: Final = 48
SEED: Final = 20261123
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Shape:
    """One kind of sweep."""

    isolation: str
    package_type: str
    windows: Sequence[Sequence[int]]
    has_history: bool
    """Whether old versions, more aliases and tags are there."""

    def __str__(self) -> str:
        count = sum(map(len, self.windows))
        history = ", with history" if self.has_history else ""
        return f"{self.isolation}, {self.package_type}, {count} sizes{history}"


SHAPES: Final = [
    Shape(isolation, package_type, windows, has_history)
    for windows in (EIGHT, THREE)
    for isolation in ("version", "clone")
    for package_type in ("Zip", "Image")
    for has_history in (False, True)
]


def make_function(account: Account, shape: Shape) -> None:
    account.make_function(package_type=shape.package_type)
    if shape.has_history:
        client, name = account.client, account.name
        for memory_mb in (256, 512):
            client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
            client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="old", FunctionVersion="2")
        client.tag_resource(Resource=account.read().arn, Tags={"team": "thumbs"})


def sweep(account: Account, shape: Shape) -> None:
    """Publish as a sweep does, and invoke each version once."""
    with account.lease(isolation=shape.isolation, sweep_id=f"sweep-{next(_NUMBERS)}") as lease:
        for sizes in shape.windows:
            for entry in lease.publish(sizes).published:
                with suppress(TunerError):
                    account.gateway.invoke(lease.function_name, entry.version, b"{}", timeout_s=3)


def count_requests(account: Account, shape: Shape) -> int:
    make_function(account, shape)
    wire = Wire()
    with faulty(wire):
        sweep(account, shape)
    return len(wire.requests)


def check_case(account: Account, shape: Shape, wire: Wire, before: dict[str, Any]) -> bool:
    """One case, on a function that is as `before`; return whether something was recovered."""
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
    if said or not claims_clean:
        assert account.snapshot() == before, case
    assert find_unfinished(account.state_dir) == (), case
    return bool(said)


def cases_of(account: Account, shape: Shape) -> list[tuple[str, int]]:
    """Every case of a shape, whose function is made: each case leaves it as it was."""
    count = count_requests(account, shape)
    return [(fault, number) for number in range(count) for fault in FAULTS]


def test_a_seeded_sample_of_the_matrix_is_survived(
    account: Account, record_property: Callable[[str, Any], None]
) -> None:
    """After a fault at any request, and `recover` where a journal is left, nothing is changed."""
    rng, total, recovered = random.Random(SEED), 0, []
    with on_a_quick_disk(account):
        for shape in SHAPES:
            with without_sockets(account.handle):
                cases = cases_of(account, shape)
            total += len(cases)
            before = account.snapshot()
            for fault, number in rng.sample(cases, SAMPLE_SIZE // len(SHAPES)):
                recovered.append(check_case(account, shape, Wire(fault, number), before))
    what = f"fault matrix, a sample of {total} cases"
    record_property(COUNTED, (what, len(recovered), sum(recovered)))
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_whole_matrix_is_survived(
    account: Account, shape: Shape, record_property: Callable[[str, Any], None]
) -> None:
    """Every request of a kind of sweep, in every way; the count is printed."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        cases = cases_of(account, shape)
        before = account.snapshot()
        recovered = [
            check_case(account, shape, Wire(fault, number), before) for fault, number in cases
        ]
    record_property(COUNTED, (f"fault matrix, {shape}", len(recovered), sum(recovered)))


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
