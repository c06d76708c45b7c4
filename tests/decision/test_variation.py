"""The answer over memory and a varied parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sweeps import made_function, recommended
from tests.varied_sweeps import (
    CURRENT_MB,
    BatchWorld,
    batch_sweep,
    batches,
    record_usd_per_million,
)
from tuner.decision.policy import Trial
from tuner.decision.ranking import Ranking
from tuner.decision.strata import mean_record_count, strata_of, sweep_at
from tuner.model.goal import Goal
from tuner.model.plan import PayloadClass, SweepPlan
from tuner.model.record import from_record, to_record
from tuner.report.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

SIZES_MB = (256, 512, 1024, 2048)


PLAIN = Goal(time_weight=0.0, cold_start_share=0)


def decided(sweep: Sweep, goal: Goal | None = None) -> Recommendation:
    return recommended(sweep, goal or Goal(cold_start_share=0))


def whole_sweep(
    payloads: tuple[PayloadClass, ...] | None = None, *, count: int = 4, **world: object
) -> Sweep:
    """Every pair, `count` times."""
    made = BatchWorld(payloads or batches(), **{"noise_ratio": 0.005, **world})
    for memory_mb in SIZES_MB:
        for payload in made.payloads:
            for _ in range(count):
                made.invoke(Trial(memory_mb, payload.name))
    sweep = batch_sweep()
    plan = replace(sweep.plan, payloads=made.payloads, sizes_mb=SIZES_MB, sizes_named=True)
    return replace(sweep, plan=plan, invocations=tuple(made.done))


def test_cost_of_a_record_is_known_for_every_pair() -> None:
    """Within a few percent of the truth, at each size and batch size."""
    variation = decided(whole_sweep()).variation
    assert variation is not None
    assert [each.value for each in variation.values] == ["1", "5", "10"]
    for answer in variation.values:
        assert answer.record_count == int(answer.value)
        for pair in answer.pairs:
            truth = record_usd_per_million(int(answer.value), pair.memory_mb)
            assert pair.cost_usd_per_million_records.estimate == pytest.approx(truth, rel=0.03)
            assert pair.measured


def test_the_recommendation_says_size_and_value() -> None:
    """And the saving of a record against the current size with the current value."""
    found = decided(whole_sweep())
    choice, current = found.choice, found.current
    assert choice.parameters == (("batch_size", "10"),)
    assert current.parameters == (("batch_size", "5"),)
    assert choice.memory_mb is not None
    assert choice.saving_ratio is not None
    now = record_usd_per_million(5, CURRENT_MB)
    then = record_usd_per_million(10, choice.memory_mb)
    assert choice.saving_ratio.estimate == pytest.approx(1 - then / now, abs=0.02)
    assert choice.cost_usd_per_million_records is not None
    assert choice.cost_usd_per_million_records.estimate == pytest.approx(then, rel=0.03)
    assert found.variation is not None
    assert found.variation.best_value == "10"
    assert "the same mix of records with every batch_size" in found.assumptions[0]


def test_a_value_is_weighed_against_what_is_set_now() -> None:
    """Batches of ten that save a fifth of a record's cost are worth it where they cost as much at
    every size; those that save 2% are not, though at the current size they cost three times what
    they cost elsewhere.
    """

    def flat_ms(ratio: float, at_current: float = 1.0) -> Callable[[str, int, int], float]:
        def duration_ms(_class: str, count: int, memory_mb: int) -> float:
            own = {10: ratio}.get(count, 1.0)
            dear = at_current if count == 10 and memory_mb <= CURRENT_MB else 1.0
            return 2e6 * count * own * dear / memory_mb

        return duration_ms

    worth = decided(whole_sweep(duration_ms=flat_ms(0.8)), PLAIN).choice
    assert worth.parameters == (("batch_size", "10"),)
    assert worth.confidence_of == "move"
    assert (worth.confidence or 0) > 0.9
    kept = decided(whole_sweep(duration_ms=flat_ms(0.98, at_current=3.0)), PLAIN)
    assert (kept.choice.verdict, kept.choice.memory_mb) == ("keep", CURRENT_MB)
    assert kept.choice.parameters == (("batch_size", "5"),)
    assert kept.variation is not None
    assert kept.variation.best_value == "5"  # the answer's own


def test_the_current_value_wins_ties() -> None:
    """Where a batch costs as much by the record whatever its size, nothing is changed."""
    sweep = whole_sweep(duration_ms=lambda _class, count, _mb: 4000.0 * count)
    choice = decided(sweep).choice
    assert choice.parameters == (("batch_size", "5"),)


@pytest.mark.parametrize("goal", ["cost", "speed", "balanced"])
def test_every_goal_is_by_the_record(goal: str) -> None:
    """A larger batch is slower, but not for each record."""
    found = decided(whole_sweep(), Goal(name=goal, cold_start_share=0))
    assert found.choice.parameters == (("batch_size", "10"),)


def test_a_limit_is_of_an_event() -> None:
    """A batch that takes too long is no answer, however cheap its records are."""
    found = decided(whole_sweep(), Goal(max_duration_ms=150, cold_start_share=0))
    assert found.choice.parameters != (("batch_size", "10"),) or (
        found.choice.duration_ms is not None and found.choice.duration_ms.high <= 160
    )
    limited = decided(whole_sweep(), Goal(max_duration_ms=110, cold_start_share=0))
    assert dict(limited.choice.parameters).get("batch_size") in {"1", "5"}


def lines(payloads: tuple[PayloadClass, ...]) -> tuple[PayloadClass, ...]:
    """The same durations, said to be of a parameter that leaves the records alone."""
    return tuple(replace(each, record_count=1, weight=1.0) for each in payloads)


def test_what_is_of_the_work_is_answered_for_all_its_values() -> None:
    """Nobody can choose how large orders are: the size is for their mix, each value's is told."""
    payloads = lines(batches(parameter="lines"))
    sweep = whole_sweep(
        payloads,
        duration_ms=lambda _class, _count, mb: 200 * 1769 / min(mb, 1769),
    )
    varied = sweep.plan.varied
    assert varied is not None
    assert not varied.is_setting
    found = decided(sweep)
    assert found.choice.parameters == ()
    assert found.variation is not None
    assert all(each.memory_mb is not None for each in found.variation.values)
    now = [p for v in found.variation.values for p in v.pairs if p.memory_mb == CURRENT_MB]
    assert all(p.change_ratio and abs(p.change_ratio.estimate) < 1e-9 for p in now)


def test_a_class_that_does_not_use_the_parameter_is_in_every_mix() -> None:
    """With its own weight and records."""
    payloads = (*batches(), PayloadClass("ping", 3.0, 2, "0" * 64))
    strata = strata_of(payloads, ("1", "5", "10"))
    assert [len(stratum.weights) for stratum in strata] == [3, 3, 3]
    assert all(stratum.weights["ping"] == 3.0 for stratum in strata)
    records = [stratum.record_count * sum(stratum.weights.values()) for stratum in strata]
    assert records == pytest.approx([13, 13, 13])
    assert mean_record_count(payloads[:1]) == 1
    assert {p.name for p in sweep_at(whole_sweep(), "5").plan.payloads} == {
        "order batch_size=5", "import batch_size=5",
    }  # fmt: skip


def test_a_value_without_a_sample_of_a_class_is_left_out() -> None:
    """No pair of it is made up; the others have their answer, also without the current one."""
    sweep = whole_sweep()
    for value, best in (("10", "5"), ("5", "10")):
        gone = f"import batch_size={value}"
        kept = tuple(i for i in sweep.invocations if i.payload != gone)
        found = decided(replace(sweep, invocations=kept))
        assert found.choice.parameters == (("batch_size", best),)
        assert found.variation is not None
        [answer] = [each for each in found.variation.values if each.value == value]
        assert (answer.memory_mb, answer.pairs) == (None, ())
        messages = [f.message for f in found.findings if f.code == "payload_without_sample"]
        assert messages == [f"payload {gone} never succeeded: fix it or leave it out"]
        assert (found.choice.saving_ratio is None) == (value == "5")


def test_what_sizes_answer_is_told_of_its_value() -> None:
    """Errors in the replies of one value name it; alike at several values, they name each."""

    def answering(*values: str) -> Sweep:
        sweep = whole_sweep()
        wrong = tuple(f"batch_size={value}" for value in values)
        invocations = (
            replace(
                each,
                reply_class="http_5xx"
                if each.memory_mb == 256 and each.payload.endswith(wrong)
                else "3fa9c2d1/9",
            )
            for each in sweep.invocations
        )
        return replace(sweep, invocations=tuple(invocations))

    for values in (("10",), ("1", "10")):
        told = decided(answering(*values)).findings
        for code in ("http_error_replies", "replies_differ"):
            messages = [each.message for each in told if each.code == code]
            named = [f"with batch_size={value}: " for value in values]
            assert len(messages) == len(named), messages
            assert all(map(str.startswith, messages, named)), messages


def test_without_a_sample_of_any_value_there_is_no_answer() -> None:
    """It says what is missing."""
    sweep = whole_sweep()
    kept = tuple(i for i in sweep.invocations if not i.payload.startswith("import"))
    found = decided(replace(sweep, invocations=kept))
    assert found.choice.verdict == "inconclusive"
    assert found.variation is None


def test_a_plan_with_variants_survives_its_file() -> None:
    """What was varied is in the sweep file, by value and class."""
    plan = whole_sweep().plan
    again = from_record(SweepPlan, to_record(plan))
    assert again == plan
    assert again.varied == plan.varied


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6), st.floats(0.1, 10))
def test_regret_is_measured_to_the_best_of_all(own: list[float], rival: float) -> None:
    """An own answer has none only if no rival is better."""
    ranking = Ranking(
        Goal(), np.array([own]), np.ones(len(own), bool), 0, rivals=np.array([[rival]])
    )
    best = min(*own, rival)
    for column, value in enumerate(own):
        assert ranking.regrets(column)[0] == pytest.approx(value / best - 1)
    assert ranking.rival_regret()[0, 0] == pytest.approx(rival / best - 1)


def test_cost_of_records_is_told_without_a_varied_parameter_too() -> None:
    """Events of five records cost five times as much as a record."""
    sweep = sweep_at(whole_sweep(), "5")
    plain = tuple(replace(each, variant=None) for each in sweep.plan.payloads)
    found = decided(replace(sweep, plan=replace(sweep.plan, payloads=plain)))
    cost, records = found.current.cost_usd_per_million, found.current.cost_usd_per_million_records
    assert cost is not None
    assert records is not None
    assert records.estimate == pytest.approx(cost.estimate / 5)
    assert found.function == made_function(CURRENT_MB)


def test_rows_are_what_was_measured_the_recommended_and_the_current() -> None:
    """A size that one class alone was measured at has its row, and so has the verdict's."""
    sweep = whole_sweep()
    extra = [
        replace(
            each, memory_mb=960, report=each.report and replace(each.report, memory_size_mb=960)
        )
        for each in sweep.invocations
        if each.memory_mb == CURRENT_MB and each.payload.startswith("order")
    ]
    plan = replace(sweep.plan, sizes_mb=(*SIZES_MB, 960))
    found = decided(replace(sweep, plan=plan, invocations=(*sweep.invocations, *extra)))
    assert found.variation is not None
    named = found.choice.memory_mb or found.choice.best_so_far_mb
    for answer in found.variation.values:
        assert {960, CURRENT_MB, named} <= {pair.memory_mb for pair in answer.pairs}


def test_every_pair_has_the_percentile_that_is_asked_for() -> None:
    """Measured where the pair's own samples allow it (seven for a p50), else modelled by the
    scatter of its value's events; above the mean where calls scatter, and of its slowest class.
    """
    sweep = whole_sweep(noise_ratio=0.2, count=8)
    for percentile, basis in ((50, "measured"), (95, "modelled")):
        variation = decided(sweep, Goal(percentile=percentile)).variation
        assert variation is not None
        for pair in (pair for each in variation.values for pair in each.pairs):
            found = pair.percentile
            assert found is not None
            is_measured = pair.memory_mb in SIZES_MB
            assert found.basis == (basis if is_measured else "modelled")
            warm_ms = [
                each.report.duration_ms
                for each in sweep.invocations
                if each.is_warm_sample
                and each.report is not None
                and each.memory_mb == pair.memory_mb
                and each.payload == f"import batch_size={pair.value}"
            ]
            if is_measured:
                truth_ms = float(np.quantile(warm_ms, percentile / 100))
                assert found.duration_ms.estimate == pytest.approx(truth_ms, rel=0.3)
    [nothing] = {pair.percentile for each in decided(sweep).variation.values for pair in each.pairs}
    assert nothing is None


def test_the_current_value_has_no_percentiles_of_another_values_events() -> None:
    """The curve is of the chosen value alone."""
    found = decided(whole_sweep(), Goal(percentile=95))
    assert found.choice.parameters != found.current.parameters
    assert to_json(found)["current"]["percentiles_ms"] is None
