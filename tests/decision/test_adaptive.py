from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.bench.decide_world import Function, World
from tests.sweeps import cpu_bound_ms, made_function
from tuner.decision.candidates import candidate_sizes
from tuner.decision.evidence import read_evidence
from tuner.decision.policy import Trial
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.decision.problem import build_problem
from tuner.decision.question import Question
from tuner.decision.verdict import judge
from tuner.model.goal import Goal
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.decision.evidence import Evidence
    from tuner.model.recommendation import Choice

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")


def waiting_ms(memory_mb: int) -> float:
    return 800.0


def mixed_ms(memory_mb: int) -> float:
    return 150 + 150 * 1769 / min(memory_mb, 1769)


class Setting:
    """A made function, a world to invoke it in, and a policy for it."""

    def __init__(
        self,
        truth_ms: Callable[[int], float] = waiting_ms,
        *,
        goal: Goal | None = None,
        current_mb: int = 1024,
        payloads: tuple[str, ...] = ("empty",),
        max_invocations: int = 20,
        floor_mb: int = 0,
        seed: int = 1,
        spends_all: bool = False,
        timeout_s: int = 60,
        recent_duration_ms: float | None = None,
    ) -> None:
        self.weights = dict.fromkeys(payloads, 1.0)
        made = Function(
            "made",
            "generated",
            tuple(range(128, 3009, 64)),
            truth_ms,
            lambda m, rng: truth_ms(m) * rng.lognormvariate(0, 0.03),
            floor_mb=floor_mb,
        )
        self.world = World(made, random.Random(seed))
        self.question = Question(
            goal or Goal(),
            made_function(current_mb, timeout_s=timeout_s),
            PRICES,
            frozenset(candidate_sizes(128, 3008, current_mb)),
            recent_duration_ms=recent_duration_ms,
        )
        self.policy = AdaptivePolicy(
            self.question,
            self.weights,
            seed=seed,
            max_invocations=max_invocations,
            spends_all=spends_all,
        )

    def run(self, slot_count: int = 4) -> Choice:
        self.world.run(self.policy, slot_count)
        return judge(build_problem(self.question, self.evidence, seed=1))

    @property
    def evidence(self) -> Evidence:
        return read_evidence(self.world.done, self.weights)

    @property
    def tried(self) -> Counter[int]:
        return Counter(invocation.memory_mb for invocation in self.world.done)


@pytest.mark.parametrize("slot_count", [1, 4, 20])
def test_waiting_needs_few_invocations(slot_count: int) -> None:
    """A function that waits is sent to the smallest size in at most eight invocations."""
    setting = Setting()
    choice = setting.run(slot_count)
    assert (choice.verdict, choice.memory_mb) == ("resize", 128)
    assert len(setting.world.done) <= 8


def test_a_size_that_would_time_out_is_not_tried() -> None:
    """Where a recent duration says so, not among the first sizes; where the curve does, not later
    either.
    """

    def slow_ms(memory_mb: int) -> float:
        return 9_000 * 1769 / min(memory_mb, 1769)

    blind = Setting(slow_ms, current_mb=1769, timeout_s=20)
    assert 128 in {trial.memory_mb for trial in blind.policy.next_trials((), (), 4)}
    informed = Setting(slow_ms, current_mb=1769, timeout_s=20, recent_duration_ms=9_000)
    first = {trial.memory_mb for trial in informed.policy.next_trials((), (), 4)}
    assert len(first) == 3
    assert min(first) > 256
    informed = Setting(slow_ms, current_mb=1769, timeout_s=20, recent_duration_ms=9_000)
    informed.run()
    assert informed.tried.keys() > first
    assert all(slow_ms(memory_mb) < 20_000 for memory_mb in informed.tried.keys() - first)


def test_it_stops_when_the_answer_stands() -> None:
    """After a verdict there is nothing more to try."""
    setting = Setting()
    setting.run()
    assert setting.policy.next_trials(tuple(setting.world.done), (), 4) == ()


def test_the_limit_holds() -> None:
    """No run makes more invocations than allowed, whatever the tolerance."""
    for limit in (1, 5, 11):
        setting = Setting(mixed_ms, goal=Goal(tolerance_ratio=0.0), max_invocations=limit)
        setting.run()
        assert len(setting.world.done) <= limit


def test_too_few_invocations_are_inconclusive() -> None:
    """Three invocations cannot carry a verdict."""
    choice = Setting(mixed_ms, max_invocations=3).run()
    assert choice.verdict == "inconclusive"


@pytest.mark.parametrize("truth_ms", [waiting_ms, mixed_ms, cpu_bound_ms])
@pytest.mark.parametrize("limit", [4, 5, 6])
def test_few_invocations_answer_what_they_can(truth_ms: Callable[[int], float], limit: int) -> None:
    """Four give two sizes a cold and a warm sample each: enough to leave a size that is far too
    large, for one of those that were measured.
    """
    setting = Setting(truth_ms, current_mb=3008, max_invocations=limit, spends_all=True)
    choice = setting.run()
    assert (choice.verdict, choice.basis) == ("resize", "measured")
    assert len(setting.world.done) == limit
    saved = setting.world.function
    assert saved.true_cost_usd(choice.memory_mb or 0) < 0.6 * saved.true_cost_usd(3008)


def flat_cost_ms(memory_mb: int) -> float:
    """One thread that only computes: the cost is the same up to a whole core."""
    return 400 * 1769 / min(memory_mb, 1769)


def test_a_faster_size_at_the_same_cost_is_taken() -> None:
    """One thread that computes costs the same up to a whole core: from 512 MB every one of ten
    sweeps moves to a size that is at least 2.5 times as fast.
    """
    runs = [Setting(flat_cost_ms, current_mb=512, seed=n, max_invocations=40) for n in range(10)]
    choices = [setting.run() for setting in runs]
    assert [choice.verdict for choice in choices] == ["resize"] * 10
    assert all((choice.memory_mb or 0) >= 2.5 * 512 for choice in choices)


def test_a_flat_objective_keeps_the_current_size_early() -> None:
    """What only hundreds of invocations could tell apart is not worth them: near the best size of a
    flat curve ten sweeps never move to a slower one, and spend half of what they may at most.
    """
    runs = [Setting(flat_cost_ms, current_mb=1664, seed=n, max_invocations=40) for n in range(10)]
    choices = [setting.run() for setting in runs]
    assert all((choice.memory_mb or 1664) >= 1472 for choice in choices)
    assert sum(len(setting.world.done) for setting in runs) <= 10 * 20


def test_nothing_is_given_up_where_there_is_something_to_spend() -> None:
    """The same function with invocations that the operator granted: they are all used."""
    goal = Goal(tolerance_ratio=0.0)
    setting = Setting(flat_cost_ms, goal=goal, max_invocations=30, spends_all=True)
    setting.run()
    assert len(setting.world.done) == 30


def test_it_waits_for_what_is_in_flight() -> None:
    """While a batch is on its way, nothing is chosen."""
    setting = Setting()
    assert setting.policy.next_trials((), (Trial(128, "empty"),), 4) == ()


def test_the_current_size_comes_first() -> None:
    """The first batch measures the current size, since a resize needs it."""
    setting = Setting(current_mb=1600)
    assert setting.policy.next_trials((), (), 1)[0].memory_mb == 1600


def test_a_floor_is_learnt_at_the_price_of_one_invocation() -> None:
    """A size that is killed is not tried again, nor is one below it, and the answer is above."""
    setting = Setting(floor_mb=400)
    choice = setting.run()
    killed = [size for size in setting.tried if size < 400]
    assert all(setting.tried[size] == 1 for size in killed)
    assert len(killed) <= 4
    assert choice.memory_mb is None or choice.memory_mb >= 448
    assert (choice.memory_mb or choice.best_so_far_mb or 0) >= 448


def test_a_function_that_always_fails_is_given_up() -> None:
    """If every size is killed, the sweep ends after a few of them."""
    setting = Setting(floor_mb=99_999)
    setting.world.run(setting.policy, 4)
    assert len(setting.world.done) <= 6
    assert not setting.evidence.measured_mb


def test_an_excluded_size_is_left_alone() -> None:
    """What cannot be published is not tried, even if it looks best."""
    setting = Setting()
    setting.policy.exclude(128)
    setting.world.run(setting.policy, 4)
    assert 128 not in setting.tried


def test_the_same_seed_makes_the_same_choices() -> None:
    """Replaying a sweep with its seed gives the same trials."""
    tried = []
    for _ in range(2):
        setting = Setting(mixed_ms)
        setting.run()
        tried.append([(i.memory_mb, i.payload) for i in setting.world.done])
    assert tried[0] == tried[1]


def test_every_payload_is_measured() -> None:
    """With two payloads both have warm samples at the answer."""
    setting = Setting(payloads=("small", "large"), max_invocations=40)
    choice = setting.run()
    assert choice.memory_mb == 128
    assert setting.evidence.warm_ms("small", 128)
    assert setting.evidence.warm_ms("large", 128)


def test_every_payload_gets_what_a_curve_of_its_own_needs() -> None:
    """Each of several payloads has samples at three sizes, and two at one of them."""
    setting = Setting(payloads=("small", "middle", "large"), max_invocations=40)
    setting.run()
    for samples in setting.evidence.samples.values():
        counts = Counter(sample.memory_mb for sample in samples)
        assert len(counts) >= 3
        assert max(counts.values()) >= 2


def test_a_percentile_gets_the_samples_that_it_needs() -> None:
    """p90 needs 22 samples at the answer: they are spent there and nowhere else."""
    goal = Goal(max_duration_ms=2000, percentile=90)
    setting = Setting(goal=goal, max_invocations=80)
    choice = setting.run()
    assert (choice.verdict, choice.basis) == ("resize", "measured")
    assert choice.memory_mb is not None
    assert len(setting.evidence.warm_ms("empty", choice.memory_mb)) >= 22
    others = sum(n for size, n in setting.tried.items() if size != choice.memory_mb)
    assert others <= 12


def test_a_window_holds_the_likely_next_sizes_too() -> None:
    """The sizes worth publishing hold the batch's, and no excluded one."""
    setting = Setting()
    trials = setting.policy.next_trials((), (), 1)
    worth = setting.policy.sizes_worth_publishing(trials)
    assert {trial.memory_mb for trial in trials} < set(worth)
    setting.policy.exclude(worth[-1])
    assert worth[-1] not in setting.policy.sizes_worth_publishing(())


def test_a_size_below_which_it_fails_is_found_closely() -> None:
    """A function that waits and is killed below 200 MB: a fifth of its cost lies between 256 and
    320 MB, so what nobody knows to survive is tried from the upper half down.
    """
    for current_mb in (128, 512, 3008):
        setting = Setting(floor_mb=200, current_mb=current_mb)
        assert setting.run().memory_mb == 256
        assert sum(n for size, n in setting.tried.items() if size < 200) <= 2
