"""How values show themselves in a notebook and as JSON: see `tuner.model.presented`."""

from __future__ import annotations

from typing import Any

from tuner import session
from tuner.breakeven.answer import BreakEven
from tuner.decision.analysis import Analysis
from tuner.errors import TunerError
from tuner.model.comparison import Comparison
from tuner.model.record import to_record
from tuner.model.spend import Spend
from tuner.model.sweep import Sweep
from tuner.report import breakeven, card, json, spend


def as_dict(value: Any) -> dict[str, Any]:
    """What `--json` prints for an answer; for a sweep, everything in its file."""
    match value:
        case Sweep():
            return {"schema_version": json.SCHEMA_VERSION, "kind": "sweep", **to_record(value)}
        case Comparison():
            return json.comparison_json(value)
        case BreakEven():
            return breakeven.to_json(value)
        case Spend():
            return spend.to_json(value)
        case Analysis():
            return json.to_json(session.recommend(value))
    return json.to_json(value)


def as_html(value: Any) -> str | None:
    """A card; None if a sweep has no answer to show."""
    match value:
        case Comparison():
            return card.comparison_card(value)
        case BreakEven():
            return card.break_even_card(value)
        case Spend():
            return card.spend_card(value)
        case Sweep() | Analysis():
            try:
                analysis = session.analyse(value) if isinstance(value, Sweep) else value
                value = session.recommend(analysis)
            except TunerError:
                return None
    return card.recommendation_card(value)
