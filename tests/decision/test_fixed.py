from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tuner.decision.policy import Policy, Trial
from tuner.decision.policy.fixed import FixedPolicy


def drain(policy: Policy, slot_count: int = 7) -> list[Trial]:
    taken: list[Trial] = []
    while trials := policy.next_trials((), (), slot_count):
        assert len(trials) <= slot_count
        taken += trials
    return taken


@given(
    st.lists(st.integers(128, 10_240), min_size=1, max_size=5, unique=True),
    st.integers(0, 3),
    st.integers(0, 4),
    st.integers(1, 3),
    st.integers(1, 9),
)
def test_counts_are_exact(
    sizes: list[int], warmups: int, repetitions: int, payload_count: int, slots: int
) -> None:
    """Every size gets its warm-ups, and every size and payload its repetitions, exactly."""
    payloads = [f"p{number}" for number in range(payload_count)]
    policy = FixedPolicy(sizes, payloads, warmups, repetitions, seed=1, max_invocations=999)
    planned = policy.planned_count
    trials = drain(policy, slots)
    assert len(trials) == planned == len(sizes) * (warmups + repetitions * payload_count)
    rest = Counter(trials[len(sizes) * warmups :])
    assert all(rest[Trial(s, p)] == repetitions for s in sizes for p in payloads)
    assert Counter(t.memory_mb for t in trials[: len(sizes) * warmups]) == dict.fromkeys(
        sizes if warmups else [], warmups
    )


def test_order_is_seeded() -> None:
    """The same seed gives the same order, another seed another."""
    orders = [drain(FixedPolicy((128, 256, 512), ("a", "b"), 1, 5, seed, 99)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_every_round_holds_every_size() -> None:
    """A drift falls on all sizes alike: no size is repeated before all have had their turn."""
    trials = drain(FixedPolicy((128, 256, 512), ("a",), 0, 4, 3, 99))
    for start in range(0, 12, 3):
        assert {t.memory_mb for t in trials[start : start + 3]} == {128, 256, 512}


def test_the_limit_holds() -> None:
    """No more than the allowed invocations are ever started, and the plan says so."""
    policy = FixedPolicy((128, 256), ("a",), 2, 10, 1, max_invocations=9)
    assert policy.planned_count == 9
    assert len(drain(policy)) == 9


def test_an_excluded_size_drops_out() -> None:
    """What remains of a size is dropped, and the plan shrinks with it."""
    policy = FixedPolicy((128, 256), ("a",), 1, 5, 1, 99)
    started = list(policy.next_trials((), (), 2))
    policy.exclude(128)
    assert policy.planned_count == 2 + 5
    assert {t.memory_mb for t in drain(policy)} == {256}
    assert {t.memory_mb for t in started} == {128, 256}


def test_one_window_serves_all_sizes() -> None:
    """Every size that is still to come is worth publishing with the first trials."""
    policy = FixedPolicy((128, 256, 512), ("a",), 1, 5, 1, 99)
    assert policy.sizes_worth_publishing(policy.next_trials((), (), 1)) == (128, 256, 512)
