"""A function's alarms with their replay, as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.report.alarm_files import composite_name, number, told, told_of
from tuner.report.console import as_text, paragraphs, table_lines
from tuner.report.json import fields_json, headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.alarm import Alarm, AlarmFormat, FunctionAlarms, Rings


def render(functions: Sequence[FunctionAlarms], *, width: int, encoding: str) -> str:
    """A line for each alarm: what rings, how often it would have, and on which days."""
    lines: list[str] = []
    for each in functions:
        span = f"{each.start:%Y-%m-%d %H:%M} to {each.end:%Y-%m-%d %H:%M} UTC"
        lines.append(f"{plain(each.function)} · {each.region} · history of {each.days:.1f} days")
        lines.append(f"{span}, replayed minute by minute")
        rows = [
            ("alarm", "rings beyond", "minutes", "would have rung"),
            *((plain(a.kind), _beyond(a), _window(a), _cell(a.replay, a)) for a in each.alarms),
            ("runs-away", "any of these", "", _cell(each.composite, None)),
        ]
        lines += table_lines(rows, "<><<", indent=0)
        lines += [*paragraphs((f"- {note}" for note in each.notes), width, indent="  "), ""]
    return as_text(lines[:-1], encoding)


def _beyond(alarm: Alarm) -> str:
    if alarm.band_deviations is not None:
        return "what CloudWatch learns"
    sign = "≥" if alarm.comparison == "GreaterThanOrEqualToThreshold" else ">"
    unit = "$/h" if alarm.cost is not None else _UNITS.get(alarm.metric.name, "")
    return f"{sign} {number(alarm.threshold)} {unit}".rstrip()


_UNITS = {
    "Invocations": "a minute", "Errors": "a minute", "Throttles": "a minute", "Duration": "ms",
    "AsyncEventAge": "ms", "IteratorAge": "ms", "ApproximateAgeOfOldestMessage": "s",
}  # fmt: skip


def _window(alarm: Alarm) -> str:
    minutes = alarm.period_s // 60
    return f"{alarm.datapoints_to_alarm * minutes} of {alarm.evaluation_periods * minutes}"


def _cell(replay: Rings | None, alarm: Alarm | None) -> str:
    if replay is None:
        return f"not replayed: {'' if alarm is None else alarm.not_replayed}"
    if not replay.rings:
        return "never"
    days = replay.days
    more = f" and {len(days) - 3} more days" if len(days) > 3 else ""
    times = "once" if len(replay.rings) == 1 else f"{len(replay.rings)} times"
    return f"{times}, {replay.alarm_minutes:,} min: {', '.join(days[:3])}{more}"


def to_json(
    functions: Sequence[FunctionAlarms], *, format_name: AlarmFormat, file: str | None, text: str
) -> dict[str, Any]:
    """The promised object; `text` is the file's, where it isn't written to one."""
    return {
        **headed("alarms"),
        "format": format_name,
        "file": file,
        "text": None if file else text,
        "functions": [
            {
                **fields_json(each, "function", "region", "usd_per_month", "budget_usd"),
                "from": each.start.isoformat(),
                "to": each.end.isoformat(),
                "alarms": [_alarm_json(alarm) for alarm in each.alarms],
                "composite": {
                    "name": composite_name(each.function), "replay": _replay_json(each.composite)
                },
                **fields_json(each, "notes"),
            }
            for each in functions
        ],
    }  # fmt: skip


def _alarm_json(alarm: Alarm) -> dict[str, Any]:
    return {
        **fields_json(alarm, "name", "kind"),
        "metric": alarm.metric.name if alarm.cost is None else "cost",
        "statistic": alarm.metric.statistic,
        "threshold": None if alarm.band_deviations is not None else alarm.threshold,
        **fields_json(alarm, "comparison", "period_s", "evaluation_periods", "datapoints_to_alarm"),
        "treat_missing_data": alarm.missing,
        **fields_json(alarm, "why", "says"),
        "replay": _replay_json(alarm.replay),
        "replay_text": told(alarm),
    }


def _replay_json(replay: Rings | None) -> dict[str, Any] | None:
    if replay is None:
        return None
    return {
        "ring_count": len(replay.rings),
        **fields_json(replay, "alarm_minutes", "days"),
        "rings": [[begin.isoformat(), end.isoformat()] for begin, end in replay.rings],
        "text": told_of(replay),
    }
