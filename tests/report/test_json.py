"""The JSON object has the promised keys, all of them and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.report import answers
from tuner.model.recommendation import Platform, Recommendation
from tuner.report.json import to_json

INTERVAL = {"estimate", "low", "high"}
TOP = {
    "schema_version", "kind", "environment", "function", "goal", "recommendation", "current",
    "platform", "options", "sizes", "variation", "findings", "assumptions", "prices", "sweep",
}  # fmt: skip
FUNCTION = {"name", "region", "architecture", "runtime", "memory_mb", "code_sha256"}
GOAL = {
    "name", "time_weight", "tolerance_ratio", "max_duration_ms", "percentile",
    "max_cost_usd_per_million", "cold_start_share", "allow_different_replies",
}  # fmt: skip
CHOICE = {
    "verdict", "memory_mb", "basis", "duration_ms", "cost_usd_per_million", "saving_ratio",
    "saving_usd_per_month", "expected_regret_ratio", "regret_bound_ratio", "confidence",
    "architecture", "best_so_far_mb", "lean_saving_ratio", "parameters",
    "cost_usd_per_million_records", "percentiles_ms",
}  # fmt: skip
OPTION = {"name", "architecture", "memory_mb", "duration_ms", "cost_usd_per_million"}
SWEEP = {
    "id", "file", "invocation_count", "cost_usd", "wall_s", "pays_back_after_invocations", "prior",
}  # fmt: skip
SIZE = {
    "architecture", "memory_mb", "payload", "parameters", "invocation_count", "environment_count",
    "cold_start_count", "error_count", "timeout_count", "oom_count", "throttle_count",
    "duration_ms", "cost_usd_per_million", "max_memory_used_mb", "percentiles_ms",
}  # fmt: skip


@pytest.mark.parametrize("made", [answers.resize(), answers.keep(), answers.inconclusive()])
def test_the_keys_are_exactly_the_promised_ones(made: Recommendation) -> None:
    """Every verdict yields the same keys; what is unknown is null."""
    answer = to_json(made)
    assert set(answer) == TOP
    assert set(answer["function"]) == FUNCTION
    assert set(answer["goal"]) == GOAL
    assert set(answer["recommendation"]) == CHOICE
    assert set(answer["current"]) == {
        "memory_mb", "duration_ms", "cost_usd_per_million", "parameters",
        "cost_usd_per_million_records", "percentiles_ms",
    }  # fmt: skip
    assert all(set(each) == OPTION for each in answer["options"])
    assert all(set(size) == SIZE for size in answer["sizes"])
    assert all(set(found) == {"code", "severity", "message"} for found in answer["findings"])
    assert set(answer["prices"]) == {"as_of", "region"}
    assert set(answer["sweep"]) == SWEEP
    assert answer["schema_version"] == 1
    assert answer["kind"] == "recommendation"
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def intervals(answer: dict[str, Any]) -> list[dict[str, float] | None]:
    choice = answer["recommendation"]
    return [
        choice["duration_ms"],
        choice["cost_usd_per_million"],
        choice["saving_ratio"],
        answer["current"]["duration_ms"],
        *(size["duration_ms"] for size in answer["sizes"]),
    ]


@pytest.mark.parametrize("made", [answers.resize(), answers.keep(), answers.inconclusive()])
def test_an_interval_has_three_ends_or_is_null(made: Recommendation) -> None:
    """An interval is an estimate with low and high, in order."""
    for interval in intervals(to_json(made)):
        if interval is not None:
            assert set(interval) == INTERVAL
            assert interval["low"] <= interval["estimate"] <= interval["high"]


def test_an_inconclusive_answer_has_no_memory() -> None:
    """The size is null when the verdict is inconclusive, and the platform is null when unasked."""
    answer = to_json(answers.inconclusive())
    assert answer["recommendation"]["memory_mb"] is None
    assert answer["recommendation"]["verdict"] == "inconclusive"
    assert answer["platform"] is None


def test_a_platform_verdict_has_its_two_keys() -> None:
    """Where the platform was judged, its verdict and rate are there."""
    answer = to_json(answers.resize(platform=Platform("stay", 12.5)))
    assert answer["platform"] == {"verdict": "stay", "break_even_rate_per_s": 12.5}


def test_parameters_become_an_object() -> None:
    """The pairs of a payload's parameters are an object in JSON, numbers as numbers."""
    pairs = (("pixels", "100"), ("scale", "0.5"), ("grey", "true"), ("kind", "jpeg"))
    size = answers.summary(512, parameters=pairs)
    assert to_json(answers.resize(sizes=(size,)))["sizes"][0]["parameters"] == {
        "pixels": 100, "scale": 0.5, "grey": True, "kind": "jpeg",
    }  # fmt: skip


def test_a_percentile_says_whether_it_was_measured() -> None:
    """At the recommended and the current size, and of each payload: interval, basis, samples."""
    made = answers.resize(curve=tuple(map(answers.with_percentiles, answers.resize().curve)))
    answer = to_json(made)
    p95 = answer["recommendation"]["percentiles_ms"]["p95"]
    assert set(p95) == INTERVAL | {"basis", "sample_count"}
    assert (p95["basis"], p95["sample_count"]) == ("measured", 45)
    assert answer["current"]["percentiles_ms"]["p95"]["basis"] == "modelled"
    assert to_json(answers.inconclusive())["recommendation"]["percentiles_ms"] is None
