"""From measurements to the answer, its findings and its words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.cold.test_probe import PRICING
from tests.docs import json_schema
from tuner.cold.analysis import ImportsFound, analyse
from tuner.cold.arrivals import Arrivals, arrivals_of_times
from tuner.cold.imports import Import, ImportTimes
from tuner.cold.plan import ColdPlan
from tuner.cold.probe import Measured, Sample
from tuner.cold.result import ColdStarts, InitParts
from tuner.model.invocation import PlatformReport
from tuner.report.cold import render, to_json
from tuner.report.page.timings import render_cold as render_page

NONE = ImportsFound({})
TIMED = ImportsFound(
    {
        1024: ImportTimes(
            (Import("slow", 900.0, 900.0, 1), Import("app", 1000.0, 100.0, 0)), init_ms=2000.0
        )
    },
    (2000, 5_000_000),
)


def sample(memory_mb: int, *, init_ms: float | None = None, duration_ms: float = 20.0) -> Sample:
    report = PlatformReport("r", duration_ms, 1, memory_mb, init_duration_ms=init_ms)
    return Sample(memory_mb, report)


def measured(init_ms: float, count: int = 5) -> Measured:
    cold = [sample(mb, init_ms=init_ms) for mb in (512, 1024) for _ in range(count)]
    return Measured(cold, [sample(1024) for _ in range(10)], sent_count=20, cost_usd=0.01)


def answered(
    found: Measured, arrivals: Arrivals | None = None, imports: ImportsFound = NONE
) -> ColdStarts:
    return analyse(ColdPlan((512, 1024), (512, 1024, 3008), PRICING), found, arrivals, imports)


def codes(answer: ColdStarts) -> set[str]:
    return {each.code for each in answer.findings}


def test_the_answer_says_what_was_measured_and_what_follows() -> None:
    """Sizes without samples are the curve's; the object holds against the schema, and the same
    figures are in the text and on the page.
    """
    answer = answered(measured(1000.0), Arrivals(1 / 600), TIMED)
    assert [each.sample_count for each in answer.sizes] == [5, 5, 0]
    assert answer.share is not None
    assert answer.share.low < answer.share.estimate < answer.share.high
    json_schema.check(json.dumps(to_json(answer)))
    text = render(answer, width=100)
    for words in ("estimated", "slow", "SnapStart", "provisioned concurrency", "6 requests/h"):
        assert words in text
        assert words in render_page(answer)
    render(answer, width=40, encoding="ascii").encode("ascii")


def test_what_is_provisioned_already_counts() -> None:
    """Its share of cold starts is with it, in figures and words, and SnapStart isn't for it."""
    plan, arrivals = ColdPlan((512, 1024), (512, 1024), PRICING), Arrivals(1 / 600)
    answer = analyse(plan, measured(1000.0), arrivals, NONE, ready_count=1)
    assert answer.share is not None
    assert answer.share.high < 0.01
    assert [each.name for each in answer.options] == ["none", "provisioned"]
    assert "1 environment, 730 h a month" in render(answer, width=200)
    json_schema.check(json.dumps(to_json(answer)))
    said = {each.code: each.message for each in answer.findings}
    assert "provisioned concurrency" in said["snapstart_unavailable"]
    assert "snapstart_assumed" not in said


def test_errors_of_the_handler_are_said() -> None:
    """They are no samples."""
    found = measured(1000.0)
    found.errors["KeyError"] = 3
    [said] = [each for each in answered(found).findings if each.code == "function_error"]
    assert "3 of 20 invocations failed (KeyError 3)" in said.message


def test_what_a_log_says_of_its_cold_starts_is_said() -> None:
    """Requests 100 s apart keep an environment; a log in which a fifth were cold contradicts."""
    times = arrivals_of_times([100.0 * number for number in range(1000)], source="f.log")
    for count, severity in ((1, "info"), (200, "warning")):
        answer = answered(measured(1000.0), replace(times, cold_count=count))
        [said] = [each for each in answer.findings if each.code == "cold_starts_logged"]
        assert said.severity == severity
        assert f"f.log itself has {count} cold start" in said.message
    assert "in 1,000 requests (20%), not 0.1%" in said.message
    assert "cold_starts_logged" not in codes(answered(measured(1000.0), times))


def test_a_trace_of_minutes_is_no_month() -> None:
    """Two requests that meet are both cold at the beginning, which is a warning; of a day with its
    pauses it isn't said.
    """
    minutes = arrivals_of_times([0.0, 0.001, 200.0], source="burst.csv")
    [said] = [each for each in answered(measured(1000.0), minutes).findings
              if each.code == "arrivals_short"]  # fmt: skip
    assert said.severity == "warning"
    assert "burst.csv has 3.33 minutes of requests. 100% of its cold starts" in said.message
    hours = arrivals_of_times([1000.0 * number for number in range(30)])
    [said] = [each for each in answered(measured(1000.0), hours).findings
              if each.code == "arrivals_short"]  # fmt: skip
    assert said.severity == "info"
    day = arrivals_of_times([1000.0 * number for number in range(100)])
    assert "arrivals_short" not in codes(answered(measured(1000.0), day))
    assert "arrivals_short" not in codes(answered(measured(1000.0), Arrivals(0.1)))


def test_parts_are_the_timed_shares_of_the_mean_init() -> None:
    """The timed INIT took twice as long: half of each is told."""
    answer = answered(measured(1000.0), None, TIMED)
    assert answer.current is not None
    parts, mean_ms = answer.current.parts, answer.current.init_ms.estimate
    assert parts is not None
    assert parts.imports_ms == pytest.approx(0.45 * mean_ms)
    assert parts.user_init_ms == pytest.approx(0.05 * mean_ms)
    assert parts.runtime_ms == pytest.approx(0.5 * mean_ms)
    assert answer.slow_imports[0].ms == pytest.approx(0.45 * mean_ms)


def test_what_a_log_says_of_extensions_is_averaged() -> None:
    """Over the samples that say it."""
    found = measured(1000.0)
    found.cold = [
        replace(each, parts=InitParts(extensions_ms=ms, runtime_and_code_ms=1000 - ms))
        for each, ms in zip(found.cold, [100.0, 300.0] * 5, strict=True)
    ]
    answer = answered(found)
    assert answer.current is not None
    assert answer.current.parts is not None
    assert answer.current.parts.extensions_ms == pytest.approx(200, abs=25)


def test_a_slow_import_is_named_and_a_quick_one_is_not() -> None:
    """By a fifth of the INIT."""
    assert "slow_import" in codes(answered(measured(1000.0), None, TIMED))
    quick = ImportsFound(
        {1024: ImportTimes((Import("q", 90.0, 90.0, 1), Import("app", 100.0, 10.0, 0)), 1000.0)}
    )
    assert "slow_import" not in codes(answered(measured(1000.0), None, quick))


def test_inits_near_and_over_the_limit_are_told() -> None:
    """Those over it whatever the others take."""
    assert "init_near_limit" in codes(answered(measured(9000.0)))
    assert "init_near_limit" not in codes(answered(measured(3000.0)))
    over = measured(9000.0)
    over.init_timeouts = 2
    assert "init_times_out" in codes(answered(over))


def test_what_init_adds_to_the_bill_is_told_where_it_is_much() -> None:
    """Cold now and then, and nearly never."""
    assert "init_billed" in codes(answered(measured(1000.0), Arrivals(1 / 600)))
    assert "init_billed" not in codes(answered(measured(1000.0), Arrivals(20.0)))


def test_the_cheapest_option_that_helps_is_named() -> None:
    """Where p99 is a cold start's; where no cold start shows at p99, none is."""
    slow = answered(measured(3000.0), Arrivals(1 / 600))
    (option,) = (each for each in slow.findings if each.code == "cold_start_option")
    assert option.message.startswith("SnapStart lowers p99")
    assert "cold_start_option" not in codes(answered(measured(3000.0), Arrivals(20.0)))


def test_few_samples_and_no_traffic_are_told() -> None:
    """With them neither is."""
    few = answered(measured(1000.0, count=1))
    assert {"few_cold_starts", "traffic_unknown"} <= codes(few)
    enough = answered(measured(1000.0), Arrivals(1.0))
    assert not {"few_cold_starts", "traffic_unknown"} & codes(enough)


def test_a_restore_is_no_init() -> None:
    """With SnapStart on, sizes have restores, and what INIT would cost isn't made up."""
    found = measured(1000.0)
    found.cold = [
        Sample(
            each.memory_mb,
            replace(each.report, init_duration_ms=None, restore_duration_ms=400.0),
        )
        for each in found.cold
    ]
    answer = answered(found, Arrivals(1 / 600))
    assert answer.is_restore
    assert [each.name for each in answer.options] == ["snapstart"]
    assert "a restore takes" in render(answer, width=100)
    assert "snapstart_assumed" not in codes(answer)


def test_without_a_warm_sample_nothing_is_priced() -> None:
    """INIT is told all the same."""
    found = measured(1000.0)
    found.warm = []
    answer = answered(found, Arrivals(1.0))
    assert answer.options == ()
    assert answer.share is None
    assert len(answer.sizes) == 3
