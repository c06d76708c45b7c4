"""What alarm files of both formats have: names, comments and the budget's words."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner.model.interval import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.model.alarm import Alarm, FunctionAlarms, Metric, Rings

WIDTH: Final = 100
BREAKS_A_LOOP: Final = (
    "dynamodb:GetRecords", "kinesis:GetRecords", "lambda:InvokeFunction", "sns:Publish",
    "sqs:ReceiveMessage", "sqs:SendMessage",
)  # fmt: skip
"""What a function's role is denied: without these a queue or stream no longer reaches it, and it
reaches neither itself nor what feeds it.
"""
BAND: Final = "band"
"""The query that has the threshold of an alarm whose band CloudWatch learns."""
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9]+")


def composite_name(function: str) -> str:
    """Of the alarm that tells."""
    return f"{function}-runs-away"


def composite_rule(found: FunctionAlarms) -> str:
    """Any alarm by itself; what CloudWatch learned by itself only with longer durations."""
    kinds = {each.kind for each in found.alarms}
    alone = [each.name for each in found.alarms if each.band_deviations is None]
    rule = " OR ".join(f'ALARM("{name}")' for name in alone)
    if {"invocations-anomaly", "duration"} <= kinds:
        anomaly = f"{found.function}-invocations-anomaly"
        rule += f' OR (ALARM("{anomaly}") AND ALARM("{found.function}-duration"))'
    return rule


def identifier(name: str, taken: set[str]) -> str:
    """A logical id of CloudFormation, unique among those that are taken."""
    words = _UNUSUAL.sub(" ", name).split()
    wanted = "".join(each[:1].upper() + each[1:] for each in words) or "Function"
    if not wanted[0].isalpha():
        wanted = f"F{wanted}"
    return _unique(wanted, taken)


def label(name: str, taken: set[str]) -> str:
    """A label of Terraform, unique among those that are taken."""
    wanted = _UNUSUAL.sub("_", name).strip("_").lower() or "function"
    if not wanted[0].isalpha():
        wanted = f"f_{wanted}"
    return _unique(wanted, taken)


def _unique(wanted: str, taken: set[str]) -> str:
    found, number = wanted, 2
    while found in taken:
        found, number = f"{wanted}{number}", number + 1
    taken.add(found)
    return found


def comment(text: str, indent: str = "") -> list[str]:
    """Lines of a comment; control characters and line breaks of foreign text are gone."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return [
        f"{indent}# {line}"
        for line in textwrap.wrap(plain, WIDTH - len(indent) - 2, break_long_words=False)
    ]


def alarm_comment(alarm: Alarm, indent: str = "") -> list[str]:
    """Where the threshold comes from, and how it would have rung."""
    return [
        *comment(f"{alarm.says[:1].upper()}{alarm.says[1:]}.", indent),
        *comment(f"Threshold: {alarm.why}.", indent),
        *comment(f"Replay: {told(alarm)}.", indent),
    ]


def head_comment(functions: Sequence[FunctionAlarms]) -> list[str]:
    """What the file is, of which history, and what it asks for."""
    names = listed([each.function for each in functions], 10)
    spans = sorted({f"{each.start:%Y-%m-%d} to {each.end:%Y-%m-%d}" for each in functions})
    lines = comment(
        f"Alarms on {names}, by tuner watch. Thresholds are from the history of "
        f"{listed(spans)} (UTC): make the file anew when traffic has changed for good."
    )
    lines += comment(
        "One composite alarm for each function tells; give it a topic. The others only feed it."
    )
    for each in functions:
        for note in each.notes:
            lines += comment(f"{each.function}: {note}")
    return lines


def budget_comment(functions: Iterable[FunctionAlarms]) -> str:
    """Where the amount comes from, and what the budget can't do."""
    return (
        f"The amount is half as much again as these functions cost a month by their history "
        f"({', '.join(_cost(each) for each in functions)}). AWS counts a budget's cost some eight "
        "to twelve hours late and by cost allocation tags, so there is no budget until a tag is "
        "given by which it can tell these functions. The action denies the functions' roles what "
        "feeds a loop, once somebody approves it; detach the policy to undo it."
    )


def _cost(each: FunctionAlarms) -> str:
    known = each.usd_per_month
    return f"{each.function} {'unknown' if known is None else f'${known:,.2f}'}"


def budget_usd(functions: Iterable[FunctionAlarms]) -> int | None:
    """The budgets of all functions together; None where one isn't known."""
    amounts = [each.budget_usd for each in functions]
    known = [each for each in amounts if each is not None]
    return sum(known) if len(known) == len(amounts) and known else None


def told(alarm: Alarm) -> str:
    """What an alarm's replay says, in a few words."""
    if alarm.replay is None:
        return f"not replayed, {alarm.not_replayed}"
    return told_of(alarm.replay)


def told_of(replay: Rings) -> str:
    """How often, on which days, and for how long it would have rung."""
    span = f"{replay.start:%Y-%m-%d} to {replay.end:%Y-%m-%d}"
    if not replay.rings:
        return f"would not have rung from {span}"
    times = "once" if len(replay.rings) == 1 else f"{len(replay.rings)} times"
    return (
        f"would have rung {times} from {span}, "
        f"{counted(f'{replay.alarm_minutes:,}', 'minute')} in all: {listed(replay.days, 5)}"
    )


def number(value: float) -> str:
    """A threshold as JSON, YAML and HCL read it alike."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Query:
    """One of the queries that an alarm on metric math is made of: a metric, or an expression."""

    identity: str
    source: Metric | str
    is_returned: bool = True
    label: str = ""


def queries(alarm: Alarm) -> tuple[Query, ...]:
    """Those of an alarm on cost (dollars an hour by what a minute took), or on the band that
    CloudWatch learns; none where it watches its metric as it is.
    """
    if alarm.band_deviations is not None:
        band = f"ANOMALY_DETECTION_BAND(invocations, {alarm.band_deviations:g})"
        return Query("invocations", alarm.metric), Query(BAND, band)
    if alarm.cost is None:
        return ()
    request, per_ms = alarm.cost.usd_per_request, alarm.cost.usd_per_ms
    cost = f"60 * (invocations * {request:.10f} + duration * {per_ms:.15f})"
    return (
        Query("usd_per_hour", cost, label="dollars an hour"),
        Query("invocations", alarm.metric, is_returned=False),
        Query("duration", replace(alarm.metric, name="Duration"), is_returned=False),
    )
