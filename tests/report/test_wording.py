"""A plan says what is going to happen and what that takes, before anybody agrees."""

from __future__ import annotations

from dataclasses import replace

from tests.report import answers
from tests.sweeps import made_function, made_sweep
from tests.varied_sweeps import batches
from tuner.model.interval import Interval
from tuner.model.plan import PriceOfDeciding
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence
from tuner.report.plan import describe_plan
from tuner.report.wording import pay_back

PLAN = made_sweep().plan


def test_a_plan_names_function_sizes_effects_and_costs() -> None:
    """Four lines: what, where, what happens to it, what it takes at most."""
    what, sizes, effect, *_, takes = describe_plan(made_function(), PLAN, costs_nothing=False)
    assert what == "made · us-east-1 · python3.13 x86_64 · now 1024 MB · code q1w2e3"
    assert sizes.startswith("Sizes: 128, 192, 256, 512, 768, 1024, 1408, 1769, 2048, 3008 MB, each")
    assert "$LATEST" in effect
    assert takes.startswith(
        "Plan: up to 60 invocations, at most 10 s and $0.01 (if every call runs"
    )


def test_a_known_duration_makes_the_estimate_an_expectation() -> None:
    """With a recent duration the plan expects, and says what it can never exceed."""
    known = replace(PLAN, basis="recent_duration", max_cost_usd=0.5)
    takes = describe_plan(made_function(), known, costs_nothing=False)[-1]
    assert takes == "Plan: up to 60 invocations, about 10 s and $0.01, never more than $0.50."


def test_a_plan_sets_its_price_against_the_function_s() -> None:
    """In invocations at the current size, and where a rate is known as a share of a month's."""
    price = PriceOfDeciding(1234.4, None, None)
    line = describe_plan(made_function(), PLAN, costs_nothing=False, price=price)[-1]
    assert line == "That's the price of about 1,234 invocations at 1024 MB."
    once = PriceOfDeciding(1.2, None, None)
    line = describe_plan(made_function(), PLAN, costs_nothing=False, price=once)[-1]
    assert line == "That's the price of about 1 invocation at 1024 MB."
    price = PriceOfDeciding(1234.4, 48.0, 0.0021)
    line = describe_plan(made_function(), PLAN, costs_nothing=False, price=price)[-1]
    assert line.endswith("at 1024 MB, 0.2% of a month's $48.00 at this rate.")


def test_a_plan_says_which_earlier_sweep_informs_it() -> None:
    """Whether level and shape are told, or the shape alone."""
    told = PriorEnvironment("empty", 512, "1/1", cold=False, durations_ms=(12.0,))
    prior = PriorEvidence("made-1", "2026-01-02T00:00:00Z", "q1", environments=(told,))
    lines = describe_plan(made_function(), PLAN, costs_nothing=False, prior=prior)
    assert lines[-2] == (
        "Informed by the sweep made-1 of 2026-01-02: the code is the same, so fewer invocations "
        "are needed."
    )
    other = replace(prior, differs=("code_sha256",))
    lines = describe_plan(made_function(), PLAN, costs_nothing=False, prior=other)
    assert "the curve's shape only" in lines[-2]


def test_an_answer_says_when_the_sweep_has_paid_for_itself() -> None:
    """With the interval; nothing where no saving is sure."""
    assert pay_back(answers.keep()) is None
    made = answers.resize()
    after = Interval(1200.4, 1100.0, 1349.6)
    paid = replace(made, sweep=replace(made.sweep, pays_back_after_invocations=after))
    assert pay_back(paid) == (
        "The sweep's $0.0004 pays for itself after about 1,200 invocations (1,100 to 1,350)."
    )


def test_an_adaptive_plan_says_what_it_chooses_among() -> None:
    """Sizes are chosen as it goes: a range with its count, or those that were named."""
    adaptive = replace(PLAN, method="adaptive")
    sizes = describe_plan(made_function(), adaptive, costs_nothing=False)[1]
    assert sizes == "Sizes: chosen as it goes, from 10 between 128 and 3008 MB."
    named = replace(adaptive, sizes_mb=(128, 512), sizes_named=True)
    sizes = describe_plan(made_function(), named, costs_nothing=False)[1]
    assert sizes == "Sizes: chosen as it goes, from 128, 512 MB."


def test_a_plan_of_few_invocations_says_what_they_can_tell() -> None:
    """Fewer than a third size takes compare two sizes; from there on nothing is said."""
    adaptive = replace(PLAN, method="adaptive", max_invocations=4)
    assert describe_plan(made_function(), adaptive, costs_nothing=False)[-1] == (
        "4 invocations can only compare two sizes: raise `max_invocations` to find the best one "
        "(about 10 usually do)."
    )
    for enough in (replace(adaptive, max_invocations=6), replace(adaptive, sizes_mb=(128, 512))):
        assert describe_plan(made_function(), enough, costs_nothing=False)[-1].startswith("Plan:")


def test_a_plan_names_the_payload_classes_and_what_is_varied() -> None:
    """Where there are several: one event needs no line."""
    varied = replace(PLAN, payloads=batches())
    lines = describe_plan(made_function(), varied, costs_nothing=False)
    assert lines[2] == (
        "Payloads: order, import; with batch_size 1, 5, 10; each is tried first at the current "
        "size."
    )
    assert len(lines) == 1 + len(describe_plan(made_function(), PLAN, costs_nothing=False))


def test_a_local_plan_says_that_nothing_is_billed() -> None:
    """The place is local, and the cost is what AWS would take."""
    lines = describe_plan(made_function(), PLAN, costs_nothing=True)
    assert " · local · " in lines[0]
    assert lines[-1].endswith("on AWS; nothing is billed here.")


def test_a_hostile_name_stays_on_its_line() -> None:
    """Escape sequences and line breaks in a name do not reach the terminal."""
    function = made_function(name="x\x1b[2J\ny")
    assert describe_plan(function, PLAN, costs_nothing=False)[0].startswith("x [2J y · ")
