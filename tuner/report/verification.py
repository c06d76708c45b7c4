"""What a change saved, against its forecast, as JSON and for the terminal; and the ledger."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, figure
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_lines, wrapped
from tuner.report.json import fields_json, headed, iso
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.verification import Outcome, Side, TrackRecord, Verification

_HEADS: Final = {
    "as_forecast": "AS FORECAST",
    "less": "LESS THAN FORECAST",
    "more": "MORE THAN FORECAST",
    "unknown": "CAN'T TELL",
}
_METHODS: Final = {
    "split": "Versions of both sizes compared within the same {slots}, while traffic was split",
    "before_after": "Days before and after the change, less hours of day, weekdays and drift",
}
_TITLES: Final = (
    "memory", "version", "from (UTC)", "to (UTC)", "invocations", "$/million", "cold", "failed",
)  # fmt: skip
_UNEXPLAINED: Final = (
    "Nothing else moved in these logs, so the memory did less or more for production's events than "
    "for the sweep's payloads: tune again with events like them."
)
_VERSIONS_SHOWN: Final = 3


def to_json(found: Verification) -> dict[str, Any]:
    """Return the contract's object. What is not known is None, never left out."""
    forecast, saved = found.forecast, found.saved
    return {
        **headed("verification"),
        "function": {"name": forecast.function, **fields_json(forecast, "region", "architecture")},
        "sweep": {"id": forecast.sweep_id, "started_at": iso(forecast.swept_at)},
        **fields_json(found, "verdict", "reason", "forecast_usd_per_month"),
        "realized_usd_per_month": saved and asdict(saved.usd_per_month),
        "forecast_saving_ratio": forecast.saving_ratio and asdict(forecast.saving_ratio),
        "realized_saving_ratio": saved and asdict(saved.saving_ratio),
        **fields_json(found, "difference_ratio"),
        "method": saved and saved.method,
        "recommended_memory_mb": forecast.to_mb,
        "changed_at": saved and iso(saved.changed_at),
        "before": saved and _side(saved.before),
        "after": saved and _side(saved.after),
        "untouched_function_count": saved and saved.untouched_count,
        "days_needed": found.days_needed,
        "window": {"from": iso(found.window.start), "to": iso(found.window.end)},
        **fields_json(found, "sources"),
        "causes": [fields_json(each, "code", "message") for each in found.causes],
        **fields_json(found, "findings", "assumptions"),
        "prices": {"as_of": found.prices_as_of, "region": forecast.region},
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "memory_mb": side.memory_mb,
        "versions": list(side.versions),
        "from": iso(side.start),
        "to": iso(side.end),
        **fields_json(
            side, "invocation_count", "cost_usd_per_million", "cold_start_share", "failure_share",
            "rate_per_s",
        ),
    }  # fmt: skip


def render(found: Verification, *, width: int, encoding: str = "utf-8") -> str:
    """Return the verdict, forecast beside what came, both sides, and what explains it."""
    forecast, saved = found.forecast, found.saved
    about = [plain(forecast.function), forecast.region, forecast.architecture]
    if saved is not None:
        moved = f"{saved.before.memory_mb} → {saved.after.memory_mb} MB"
        about.append(f"{moved} since {saved.changed_at:%Y-%m-%d %H:%M} UTC")
    lines = [" · ".join(about), *wrapped(f"{_HEADS[found.verdict]}: {_headline(found)}", width), ""]
    if saved is not None:
        lines += [*table_lines(_compared(found), "<<<"), ""]
        lines += [*table_lines([_TITLES, _row(saved.before), _row(saved.after)], "><>>>>>>"), ""]
    said = [] if saved is None else [_method(found)]
    said += [f"• {_sentence(each.message)}" for each in found.causes]
    if found.verdict in {"less", "more"} and not found.causes:
        said.append(_UNEXPLAINED)
    said += map(remark, found.findings)
    said.append(f"Assumes {'; '.join(found.assumptions)}; prices of {found.prices_as_of}.")
    return as_text([*lines, *paragraphs(said, width)], encoding)


def _headline(found: Verification) -> str:
    saved, forecast = found.saved, found.forecast
    if saved is None or forecast.saving_ratio is None:
        return f"{found.reason}."
    said = f"{numbers.saving(saved.saving_ratio)}; forecast {numbers.saving(forecast.saving_ratio)}"
    if found.verdict == "unknown":
        return f"{said}; {found.reason}."
    amount = saved.usd_per_month.estimate
    more = "" if amount >= 0 else " more"
    at = numbers.rate(saved.after.rate_per_s)
    money = f"about {numbers.rough_usd(abs(amount))}{more} a month at {at}"
    if any(each.code == "changed_back" for each in found.causes):
        return f"{said}. {'Saved' if amount >= 0 else 'Cost'} {money}, while it lasted."
    return f"{said}. {'Saves' if amount >= 0 else 'Costs'} {money}."


def _sentence(message: str) -> str:
    return f"{plain(message)[:1].upper()}{plain(message)[1:]}."


def _compared(found: Verification) -> list[tuple[str, str, str]]:
    saved, forecast = found.saved, found.forecast
    assert saved is not None
    rows = (
        ("saving", forecast.saving_ratio, saved.saving_ratio, numbers.percent),
        ("a month", found.forecast_usd_per_month, saved.usd_per_month, numbers.rough_usd),
    )
    return [
        ("", "forecast (90%)", "realized (90%)"),
        *((n, numbers.with_ends(a, write), numbers.with_ends(b, write)) for n, a, b, write in rows),
    ]


def _row(side: Side) -> tuple[str, ...]:
    versions = ", ".join(side.versions[:_VERSIONS_SHOWN])
    return (
        numbers.memory(side.memory_mb),
        plain(versions + (", …" if len(side.versions) > _VERSIONS_SHOWN else "")),
        f"{side.start:%Y-%m-%d %H:%M}",
        f"{side.end:%Y-%m-%d %H:%M}",
        f"{side.invocation_count:,}",
        numbers.usd_per_million(side.cost_usd_per_million),
        numbers.percent(side.cold_start_share),
        numbers.percent(side.failure_share),
    )


def _method(found: Verification) -> str:
    saved = found.saved
    assert saved is not None
    hours = (saved.after.end - saved.after.start).total_seconds() / 3600
    said = _METHODS[saved.method].format(slots="minutes" if hours <= 6 else "hours")
    if saved.untouched_count:
        said += f", against {counted(saved.untouched_count, 'function')} that nobody changed"
    return f"{said}."


def ledger_json(record: TrackRecord, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The ledger as one object."""
    return {
        **headed("track_record"),
        **fields_json(record, "outcome_count", "held_count", "typical_ratio", "width_factor"),
        "outcomes": [
            {
                "sweep": each.sweep_id,
                "function": {"name": each.function, "region": each.region},
                "from_memory_mb": each.from_mb,
                "to_memory_mb": each.to_mb,
                **fields_json(
                    each, "verdict", "method", "forecast_saving_ratio", "realized_saving_ratio",
                    "forecast_usd_per_month", "realized_usd_per_month",
                ),
                "verified_at": iso(each.verified_at),
            }
            for each in outcomes
        ],
    }  # fmt: skip


def render_ledger(
    record: TrackRecord, outcomes: Sequence[Outcome], *, width: int, encoding: str = "utf-8"
) -> str:
    """The ledger: every verified forecast, how many held, and the typical ratio."""
    if not outcomes:
        return "No forecast is verified yet: tuner verify SWEEP adds one.\n"
    titles = ("function", "memory", "forecast", "realized", "a month", "verdict", "verified")
    rows = [
        (
            plain(each.function),
            f"{each.from_mb} → {each.to_mb} MB",
            numbers.with_ends(each.forecast_saving_ratio, numbers.percent),
            numbers.with_ends(each.realized_saving_ratio, numbers.percent),
            numbers.rough_usd(each.realized_usd_per_month.estimate),
            each.verdict.replace("_", " "),
            f"{each.verified_at:%Y-%m-%d}",
        )
        for each in outcomes
    ]
    said = (
        f"{record.held_count} of {counted(record.outcome_count, '90% interval')} held (nine of ten "
        "should)."
    )
    if record.typical_ratio is not None:
        said += f" Typically {numbers.percent(record.typical_ratio)} of the forecast saving came."
    if record.width_factor > 1.005:
        said += f" Intervals should be {figure(record.width_factor, 2)} times as wide."
    lines = [*table_lines([titles, *rows], "<<<<><<"), "", *wrapped(said, width)]
    return as_text(lines, encoding)
