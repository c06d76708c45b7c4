"""Answers and comparisons as the JSON objects promised to machines, and objects as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tuner.model.payload import typed_value
from tuner.report.comparison import headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tuner.model.advice import Advice
    from tuner.model.comparison import Comparison, Side
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.recommendation import (
        Choice,
        PairEstimate,
        PercentileEstimate,
        Recommendation,
        SizeSummary,
        Variation,
    )


SCHEMA_VERSION: Final = 1


def headed(kind: str) -> dict[str, Any]:
    """What every object begins with."""
    return {"schema_version": SCHEMA_VERSION, "kind": kind}


def to_json(recommendation: Recommendation) -> dict[str, Any]:
    """Return the contract's object: plain dicts, lists, numbers, strings and None.

    An interval is `{"estimate", "low", "high"}`, 90%. Unknown values are None, never left out.
    """
    current = recommendation.current
    fields = fields_json(
        current, "memory_mb", "duration_ms", "cost_usd_per_million", "parameters",
        "cost_usd_per_million_records",
    )  # fmt: skip
    return {
        **headed("recommendation"),
        "environment": recommendation.environment,
        "function": function_json(recommendation.function),
        "goal": goal_json(recommendation.goal),
        "recommendation": {
            **_choice(recommendation.choice),
            "architecture": recommendation.architecture,
            "percentiles_ms": _percentiles_at(recommendation, recommendation.choice.memory_mb),
        },
        "current": {
            **fields,
            # The curve is for the chosen value or architecture; others have other percentiles.
            "percentiles_ms": None
            if current.parameters != recommendation.choice.parameters
            or recommendation.now_mb is None
            else _percentiles_at(recommendation, current.memory_mb),
        },
        "platform": recommendation.platform
        and fields_json(recommendation.platform, "verdict", "break_even_rate_per_s"),
        "options": [
            {
                **fields_json(each, "name", "memory_mb", "duration_ms", "cost_usd_per_million"),
                "architecture": each.architecture or recommendation.function.architecture,
            }
            for each in recommendation.options
        ],
        "sizes": [_size(size) for size in recommendation.sizes],
        "variation": _variation(recommendation.variation),
        **fields_json(recommendation, "findings", "assumptions"),
        "prices": fields_json(recommendation.prices, "as_of", "region"),
        "sweep": {
            "id": recommendation.sweep.sweep_id,
            **fields_json(
                recommendation.sweep, "file", "invocation_count", "cost_usd", "wall_s",
                "pays_back_after_invocations",
            ),
            "prior": recommendation.sweep.prior
            and fields_json(
                recommendation.sweep.prior, "sweep_id", "started_at", "code_sha256", "tells",
                "sample_count", "weight", "differs",
            ),
        },
    }  # fmt: skip


def function_json(function: FunctionConfig) -> dict[str, Any]:
    """What identifies the function and its code."""
    return fields_json(
        function, "name", "region", "architecture", "runtime", "memory_mb", "code_sha256"
    )


def fields_json(value: Any, *names: str) -> dict[str, Any]:
    """Attributes by their names, as they stand in JSON."""
    found = {name: getattr(value, name) for name in names}
    return {
        name: parameters_json(each) if name == "parameters" else _plain(each)
        for name, each in found.items()
    }


def _plain(value: Any) -> Any:
    """A dataclass as an object, a tuple as a list, a decimal as a number."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def iso(moment: datetime | None) -> str | None:
    """UTC, to the millisecond or, where it has more, the microsecond."""
    if moment is None:
        return None
    parts = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=parts) + "Z"


def findings_json(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """What the operator should know."""
    return [fields_json(each, "code", "severity", "message") for each in findings]


def goal_json(goal: Goal) -> dict[str, Any]:
    """The goal with its limits."""
    limits = fields_json(
        goal, "name", "tolerance_ratio", "max_duration_ms", "percentile",
        "max_cost_usd_per_million", "allow_different_replies",
    )  # fmt: skip
    return {**limits, "cold_start_share": goal.cold_share, "time_weight": goal.weight}


def _choice(choice: Choice) -> dict[str, Any]:
    return fields_json(
        choice, "verdict", "memory_mb", "best_so_far_mb", "basis", "duration_ms",
        "cost_usd_per_million", "saving_ratio", "saving_usd_per_month", "expected_regret_ratio",
        "regret_bound_ratio", "confidence", "lean_saving_ratio", "parameters",
        "cost_usd_per_million_records",
    )  # fmt: skip


def _size(size: SizeSummary) -> dict[str, Any]:
    fields = fields_json(
        size, "architecture", "memory_mb", "payload", "parameters", "invocation_count",
        "environment_count", "cold_start_count", "error_count", "timeout_count", "oom_count",
        "throttle_count", "duration_ms", "cost_usd_per_million", "max_memory_used_mb",
    )  # fmt: skip
    return {**fields, "percentiles_ms": _percentiles(size.percentiles)}


def _percentiles_at(recommendation: Recommendation, memory_mb: int | None) -> Any:
    """Percentiles of the slowest payload at a size."""
    found = [each.percentiles for each in recommendation.curve if each.memory_mb == memory_mb]
    return _percentiles(found[0]) if found else None


def _percentiles(percentiles: Sequence[PercentileEstimate]) -> dict[str, Any] | None:
    """By name (`p95`): an interval, what it rests on, and how many samples the size has."""
    return {
        f"p{each.percentile:g}": {
            **asdict(each.duration_ms),
            "basis": each.basis,
            "sample_count": each.sample_count,
        }
        for each in percentiles
    } or None


def _variation(variation: Variation | None) -> dict[str, Any] | None:
    if variation is None:
        return None
    parameter = variation.parameter
    return {
        "parameter": parameter.name,
        "current_value": typed_value(parameter.current),
        "is_setting": parameter.is_setting,
        "best_value": None if variation.best_value is None else typed_value(variation.best_value),
        "values": [
            {
                "value": typed_value(each.value),
                "record_count": each.record_count,
                "memory_mb": each.memory_mb,
                "pairs": [_pair(pair) for pair in each.pairs],
            }
            for each in variation.values
        ],
    }


def _pair(pair: PairEstimate) -> dict[str, Any]:
    fields = fields_json(
        pair, "memory_mb", "duration_ms", "cost_usd_per_million", "cost_usd_per_million_records",
        "change_ratio",
    )  # fmt: skip
    return {
        **fields,
        "basis": "measured" if pair.measured else "modelled",
        "percentiles_ms": None if pair.percentile is None else _percentiles([pair.percentile]),
    }


def parameters_json(parameters: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Varied parameters with their values: numbers and truth values as such."""
    return {name: typed_value(value) for name, value in parameters}


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Return the comparison as plain dicts, lists, numbers, strings and None.

    A change is B over A, less 1; an interval is `{"estimate", "low", "high"}`, 90%.
    """
    return {
        **headed("comparison"),
        "what": found.kind,
        "headline": headline(found),
        "parameters": parameters_json(found.parameters),
        "tolerance_ratio": found.tolerance_ratio,
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "pairs": [
            fields_json(
                pair, "what", "a_memory_mb", "b_memory_mb", "measured", "duration_ms",
                "cost_usd_per_million", "cost_usd_per_million_records",
            )
            for pair in found.pairs
        ],
        "same_sizes": found.pooled and fields_json(found.pooled, "sizes_mb", "duration", "cost"),
        "by_value": [fields_json(each, "value", "duration", "cost") for each in found.by_value],
        **fields_json(found, "findings", "assumptions"),
        "prices": fields_json(found.prices, "as_of", "region"),
    }  # fmt: skip


def _side_json(side: Side) -> dict[str, Any]:
    fields = fields_json(side, "source", "sweep_id", "started_at", "environment", "recommended_mb")
    return {**fields, "function": function_json(side.function)}


def advice_json(advice: Advice | None) -> dict[str, Any] | None:
    """The advice of an observation or a scanned function; None where there is none."""
    if advice is None:
        return None
    return {
        **fields_json(
            advice, "verdict", "memory_mb", "saving_usd_per_month", "saving_ratio", "reason",
            "basis", "confidence", "duration_ratio", "leans_to_mb", "mix_shift_ratio",
        ),
        "sweep": advice.sweep
        and fields_json(
            advice.sweep, "invocation_count", "cost_usd", "saving_ratio", "saving_usd_per_month",
            "value_per_dollar",
        ),
        "sizes": [
            fields_json(each, "memory_mb", "duration_ms", "cost_usd_per_million")
            for each in advice.forecasts
        ],
    }  # fmt: skip


def csv_table(columns: Sequence[str], objects: Iterable[dict[str, Any]]) -> str:
    """A line for each object; an empty cell is not known.

    A column is a key, or `title=key.key` for what is deeper. No text is taken for a formula.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.partition("=")[0] for column in columns)
    for each in objects:
        writer.writerow(_inert(_at(each, column.rpartition("=")[2])) for column in columns)
    return out.getvalue()


def _at(figures: Any, path: str) -> Any:
    """What is there; None where one of the objects on the way is."""
    for name in path.split("."):
        figures = figures and figures[name]
    return figures


def _inert(cell: object) -> object:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "-") else cell
