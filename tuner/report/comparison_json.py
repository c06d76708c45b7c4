"""A comparison as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.report.comparison import headline
from tuner.report.json import findings_json, function_json, interval_json, parameters_json

if TYPE_CHECKING:
    from tuner.model.comparison import Change, Comparison, Quantity, Side


def to_json(found: Comparison) -> dict[str, Any]:
    """Return the comparison as plain dicts, lists, numbers, strings and None.

    A change is B over A, less 1; an interval is `{"estimate", "low", "high"}`, 90 %.
    """
    pooled = found.pooled
    return {
        "schema_version": 1,
        "kind": "comparison",
        "what": found.kind,
        "headline": headline(found),
        "parameters": parameters_json(found.parameters),
        "tolerance_ratio": found.tolerance_ratio,
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "pairs": [
            {
                "what": pair.what,
                "a_memory_mb": pair.a_memory_mb,
                "b_memory_mb": pair.b_memory_mb,
                "measured": pair.measured,
                "duration_ms": _quantity_json(pair.duration_ms),
                "cost_usd_per_million": _quantity_json(pair.cost_usd_per_million),
                "cost_usd_per_million_records": None
                if pair.cost_usd_per_million_records is None
                else _quantity_json(pair.cost_usd_per_million_records),
            }
            for pair in found.pairs
        ],
        "same_sizes": None
        if pooled is None
        else {
            "sizes_mb": list(pooled.sizes_mb),
            "duration": _change_json(pooled.duration),
            "cost": _change_json(pooled.cost),
        },
        "by_value": [
            {
                "value": each.value,
                "duration": _change_json(each.duration),
                "cost": _change_json(each.cost),
            }
            for each in found.by_value
        ],
        "findings": findings_json(found.findings),
        "assumptions": list(found.assumptions),
        "prices": {"as_of": found.prices.as_of, "region": found.prices.region},
    }


def _side_json(side: Side) -> dict[str, Any]:
    return {
        "source": side.source,
        "sweep_id": side.sweep_id,
        "started_at": side.started_at,
        "environment": side.environment,
        "function": function_json(side.function),
        "recommended_mb": side.recommended_mb,
    }


def _quantity_json(quantity: Quantity) -> dict[str, Any]:
    return {
        "a": interval_json(quantity.a),
        "b": interval_json(quantity.b),
        "change": _change_json(quantity.change),
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "ratio": interval_json(change.ratio),
        "probability_higher": change.probability_higher,
        "verdict": change.verdict,
    }
