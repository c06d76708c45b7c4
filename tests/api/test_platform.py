"""The platform block beside the memory answer."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import pytest

from tests.sweeps import made_sweep
from tuner import session
from tuner.api.answers import break_even, recommend, view
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import traffic_of_rate
from tuner.decision.saving import NOTHING
from tuner.model.goal import Goal
from tuner.model.prior_evidence import PriorEvidence
from tuner.report.page.html import render
from tuner.report.wording import assumption_line, certainty, headline
from tuner.session import analyse

SWEEP = made_sweep(lambda memory_mb: 250 + 5 * 1769 / min(memory_mb, 1769))


def test_a_rate_fills_platform_and_saving_and_leaves_the_memory_answer() -> None:
    """Verdict, break-even rate and dollars a month come; size and ratio stay as they were."""
    before = recommend(SWEEP)
    after = session.recommend(analyse(SWEEP), Terms(traffic=traffic_of_rate(1000.0)))
    assert after.platform is not None
    assert after.platform.verdict == "containers"
    assert after.platform.break_even_rate_per_s == pytest.approx(20, rel=0.1)
    assert after.choice.memory_mb == before.choice.memory_mb
    ratio, now = before.choice.saving_ratio, before.current.cost_usd_per_million
    assert ratio is not None
    assert now is not None
    assert after.choice.saving_usd_per_month is not None
    month = now.estimate * 1000 * 2.628
    assert after.choice.saving_usd_per_month.estimate == pytest.approx(ratio.estimate * month)


def test_without_a_rate_the_break_even_rate_is_stated() -> None:
    """No verdict, no saving, no further finding, but the rate."""
    before = recommend(SWEEP)
    after = session.recommend(analyse(SWEEP))
    assert after.platform is not None
    assert after.platform.verdict is None
    assert after.platform.break_even_rate_per_s is not None
    assert after.choice.saving_usd_per_month is None
    assert after.findings == before.findings


def test_a_rate_tells_what_the_other_architecture_saves() -> None:
    """A heavy function on x86 is told so with its size; the day of the prices is said once."""
    heavy = analyse(made_sweep(lambda memory_mb: 10 + 900 * 1769 / min(memory_mb, 1769)))
    after = session.recommend(
        heavy, Terms(traffic=traffic_of_rate(200.0)), today=datetime.date(2026, 11, 29)
    )
    [said] = [each.message for each in after.findings if each.code == "other_architecture"]
    assert said.startswith("built for arm64, ECS on EC2 arm64 saves $")
    assert "old_prices" in {each.code for each in after.findings}
    assert "prices" not in assumption_line(after)


def test_the_page_answers_at_the_rate_that_was_observed() -> None:
    """As text and JSON do: what a month saves decides whether a resize is worth it."""
    seen = PriorEvidence(
        "observed", "2026-01-02T00:00:00Z", "q1", source="observation", rate_per_s=0.5
    )
    analysis = analyse(replace(SWEEP, prior=seen))
    answer = session.recommend(analysis)
    assert answer.choice.saving_usd_per_month is not None
    assert view(analysis, source="made.jsonl").recommendation.choice == answer.choice


def test_one_answer_has_one_price_date() -> None:
    """The oldest price that was used dates the whole answer, and the page with its platforms."""
    terms = Terms(traffic=traffic_of_rate(1000.0))
    analysis = analyse(SWEEP)
    oldest = break_even(SWEEP, terms).prices_as_of
    assert oldest < recommend(SWEEP).prices.as_of
    shown = view(analysis, source="made.jsonl")
    for after in (session.recommend(analysis, terms), shown.recommendation):
        assert after.prices.as_of == oldest
        assert re.findall(r"\d{4}-\d\d-\d\d", "; ".join(after.assumptions)) == [oldest]
    days = set(re.findall(r"prices of (\d{4}-\d\d-\d\d)", render([shown])))
    assert days == {oldest}


@pytest.mark.parametrize(
    ("terms", "verdict"),
    [
        (Terms(traffic=traffic_of_rate(0.1)), "keep"),
        (Terms(traffic=traffic_of_rate(1000.0)), "resize"),
        (Terms(traffic=traffic_of_rate(0.1), min_saving_usd_per_month=0.01), "resize"),
        (Terms(traffic=traffic_of_rate(1000.0), min_saving_ratio=0.95), "keep"),
        (Terms(min_saving_ratio=0.95), "keep"),
        (Terms(), "resize"),
    ],
)
def test_a_small_saving_is_no_flag(terms: Terms, verdict: str) -> None:
    """A resize below the threshold is a keep that says why; the amount needs a rate."""
    before = recommend(SWEEP)
    after = session.recommend(analyse(SWEEP), terms)
    assert before.choice.verdict == "resize"
    assert after.choice.verdict == verdict
    small = [finding for finding in after.findings if finding.code == "small_saving"]
    assert bool(small) == (verdict == "keep")
    if verdict == "keep":
        assert after.choice.memory_mb == SWEEP.function.memory_mb
        assert after.choice.saving_ratio == NOTHING
        assert "no size " in headline(after)
        assert small[0].message.startswith(f"{before.choice.memory_mb} MB would")
        assert certainty(after) is None
    platform = after.platform
    assert platform is not None
    if terms.traffic.rate_per_s is not None:
        assert platform.verdict is not None


def test_a_resize_for_speed_needs_no_saving() -> None:
    """The threshold is about money: a goal of speed stays what it was."""
    before = recommend(SWEEP, Goal(name="speed"))
    after = session.recommend(
        analyse(SWEEP, Goal(name="speed")), Terms(traffic=traffic_of_rate(0.1))
    )
    assert after.choice.verdict == before.choice.verdict
    assert after.choice.memory_mb == before.choice.memory_mb


def test_a_resize_that_mostly_gains_time_needs_no_saving() -> None:
    """A size three times as fast for the same cost is taken at whatever rate, with cost first; at
    weight 0 time is nothing, and so a saving is needed.
    """
    sweep = made_sweep(lambda memory_mb: 900 * 512 / min(memory_mb, 1769), current_mb=512)
    terms = Terms(traffic=traffic_of_rate(0.1))
    before = recommend(sweep)
    assert before.choice.verdict == "resize"
    assert (before.choice.memory_mb or 0) > 1024
    after = session.recommend(analyse(sweep), terms)
    assert (after.choice.verdict, after.choice.memory_mb) == ("resize", before.choice.memory_mb)
    plain = session.recommend(analyse(sweep, Goal(time_weight=0.0)), terms)
    assert plain.choice.verdict != "resize"


def test_what_cannot_be_compared_leaves_the_answer() -> None:
    """One size: the answer as it was, with a finding where a rate was given."""
    sweep = made_sweep(sizes_mb=(1024,))
    before = recommend(sweep)
    assert session.recommend(analyse(sweep)) == before
    asked = session.recommend(analyse(sweep), Terms(traffic=traffic_of_rate(5.0)))
    assert asked.platform is None
    assert asked.findings[-1].code == "platform_unknown"
