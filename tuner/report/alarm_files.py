"""Alarms as files with comments: a CloudFormation template in YAML, or Terraform.

The templates in the folder assets have the formats; what names of functions and queues are in goes
through their filter `quoted`.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tuner.model.interval import counted, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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


def render_cloudformation(functions: Sequence[FunctionAlarms]) -> str:
    """The template. Names of functions and queues are quoted as JSON strings, which YAML takes."""
    return _rendered("alarms.yaml.j2", functions, identifier, json.dumps)


def render_terraform(functions: Sequence[FunctionAlarms]) -> str:
    """The file, for the AWS provider from 4.0 on: variables, alarms, and a budget if a cost
    allocation tag is given.
    """
    return _rendered("alarms.tf.j2", functions, label, _hcl_text)


def _rendered(
    template: str,
    functions: Sequence[FunctionAlarms],
    named: Callable[[str, set[str]], str],
    quoted: Callable[[str], str],
) -> str:
    """The file; `named` gives a resource its name in it, and `quoted` writes a text there."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "assets"),
        autoescape=select_autoescape(),  # of HTML alone: none of these are
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "alarm_comment": _alarm_comment,
        "comment": _comment,
        "number": number,
        "queries": queries,
        "quoted": quoted,
        "replay_comment": lambda replay, indent="": _comment(f"Replay: {told_of(replay)}.", indent),
    }
    taken: set[str] = set()
    return environment.get_template(template).render(
        functions=[_shown(each, taken, named) for each in functions],
        head=_head_comment(functions),
        band=BAND,
        budget_usd=budget_usd(functions),
        budget=budget_comment(functions),
        denied=BREAKS_A_LOOP,
    )


def _shown(
    found: FunctionAlarms, taken: set[str], named: Callable[[str, set[str]], str]
) -> dict[str, Any]:
    """A function's alarms, each with its resource's name, and the composite that tells."""
    name = composite_name(found.function)
    return {
        "function": found.function,
        "alarms": [(each, named(each.name, taken)) for each in found.alarms],
        "composite": found.composite,
        "composite_name": name,
        "composite_id": named(name, taken),
        "rule": composite_rule(found),
    }


def _hcl_text(value: str) -> str:
    """A string of HCL, which takes what JSON does but for its templates."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


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
    return _unique(wanted, "F", taken)


def label(name: str, taken: set[str]) -> str:
    """A label of Terraform, unique among those that are taken."""
    wanted = _UNUSUAL.sub("_", name).strip("_").lower() or "function"
    return _unique(wanted, "f_", taken)


def _unique(wanted: str, letter: str, taken: set[str]) -> str:
    """A name that begins with a letter, and nothing else has."""
    wanted = wanted if wanted[0].isalpha() else f"{letter}{wanted}"
    found, number = wanted, 2
    while found in taken:
        found, number = f"{wanted}{number}", number + 1
    taken.add(found)
    return found


def _comment(text: str, indent: str = "") -> str:
    """Lines of a comment; control characters and line breaks of foreign text are gone."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    begin = f"{indent}# "
    return textwrap.fill(
        plain, WIDTH, initial_indent=begin, subsequent_indent=begin, break_long_words=False
    )


def _alarm_comment(alarm: Alarm, indent: str = "") -> str:
    """Where the threshold comes from, and how it would have rung."""
    said = (
        f"{alarm.says[:1].upper()}{alarm.says[1:]}.",
        f"Threshold: {alarm.why}.",
        f"Replay: {told(alarm)}.",
    )
    return "\n".join(_comment(each, indent) for each in said)


def _head_comment(functions: Sequence[FunctionAlarms]) -> str:
    """What the file is, of which history, and what it asks for."""
    names = listed([each.function for each in functions], 10)
    spans = sorted({f"{each.start:%Y-%m-%d} to {each.end:%Y-%m-%d}" for each in functions})
    said = [
        (
            f"Alarms on {names}, by tuner watch. Thresholds are from the history of "
            f"{listed(spans)} (UTC): make the file anew when traffic has changed for good."
        ),
        "One composite alarm for each function tells; give it a topic. The others only feed it.",
        *(f"{each.function}: {note}" for each in functions for note in each.notes),
    ]
    return "\n".join(map(_comment, said))


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
