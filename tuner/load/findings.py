"""What the operator should know of a load: of its answers, and of the resources around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.errors import EndpointError
from tuner.load.limits import PARTITION_READS_PER_S, PARTITION_WRITES_PER_S, first_to_give_way
from tuner.load.phases import rate_at
from tuner.load.result import LATE_S
from tuner.model.finding import Finding
from tuner.model.interval import counted, figure, percent

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.load.limits import Saturation
    from tuner.load.phases import Phase
    from tuner.load.resources import Service
    from tuner.load.result import LoadResult
    from tuner.load.watch import MachineWatch, Seen, State

SERVICES: Final[dict[Service, str]] = {
    "dynamodb": "DynamoDB", "kinesis": "Kinesis", "lambda": "Lambda", "s3": "S3", "sns": "SNS",
    "sqs": "SQS",
}  # fmt: skip
_GREW_BY: Final = 2.0
"""A queue that holds over so many times what it held, and over a second's arrivals, has grown."""
_BEHIND_S: Final = 60.0
"""An iterator this old at the end, and older than at the beginning, has fallen behind."""
_LEAST_FULL_S: Final = 2.0


def found_in(result: LoadResult, not_sent: Counter[str]) -> Iterator[Finding]:
    """Findings about a load; `not_sent` counts the arrivals beyond the limit of requests."""
    throttles = result.throttle_reasons
    if throttles:
        reasons = ", ".join(f"{name} {count:,}" for name, count in throttles.most_common())
        share = percent(throttles.total() / len(result.answers))
        yield Finding(
            "load_throttled",
            "warning",
            f"{counted(throttles.total(), 'request')} ({share}) throttled, and not sent again: "
            f"{reasons}. Raise the function's or the account's concurrency, or lower the rate",
        )
    errors = result.errors
    if errors:
        remedy = "see the function's log"
        if {*errors} == {EndpointError.__name__}:
            remedy = "nothing answered: see whether the endpoint is up"
        kinds = ", ".join(f"{name} {count:,}" for name, count in errors.most_common(3))
        yield Finding(
            "load_errors",
            "warning",
            f"{errors.total():,} of {counted(len(result.invocations), 'invocation')} failed: "
            f"{kinds}. Their latency counts; {remedy}",
        )
    if result.late_count:
        yield Finding(
            "arrivals_late",
            "warning",
            f"{counted(result.late_count, 'request')} of {len(result.answers):,} went out over "
            f"{LATE_S * 1000:g} ms after they were due: this machine is too slow or too busy for "
            "the rate. Their latency counts from when they were due; send from a larger machine",
        )
    if result.not_sent_count:
        beyond = not_sent["in flight"]
        why = f"{beyond:,} at the limit of requests in flight (`concurrency`)" if beyond else ""
        rest = result.not_sent_count - beyond
        ended = f"{rest:,} after the load was stopped" if rest else ""
        yield Finding(
            "arrivals_not_sent",
            "warning",
            f"{result.not_sent_count:,} of {result.planned_count:,} arrivals weren't sent: "
            f"{' and '.join(filter(None, (why, ended)))}. No latency is known of them, so the "
            "figures are too good",
        )


def machine_full(result: LoadResult, machine: MachineWatch) -> Iterator[Finding]:
    """The machine that runs the handlers had no CPU left, for two seconds or more."""
    if machine.full_s < _LEAST_FULL_S:
        return
    first_s = machine.full[0][0]
    yield Finding(
        "machine_full",
        "warning",
        f"All cores of this machine were busy for {machine.full_s:,.0f} s of the load, first at "
        f"{first_s:,.0f} s and {figure(rate_at(result.phases, first_s))} requests/s: durations and "
        "latency of then are this machine's, where Lambda gives each environment its own CPU. "
        "Lower the rate, or load the function on AWS",
    )


def not_taken(names: tuple[str, ...]) -> Iterator[Finding]:
    """What an Artillery script has besides its phases."""
    if names:
        yield Finding(
            "artillery_not_taken",
            "info",
            f"Of the Artillery script only config.phases is taken, not {', '.join(names)}: give "
            "events with `payloads`",
        )


def foreseen(found: Sequence[Saturation], rate_per_s: float) -> Iterator[Finding]:
    """By arithmetic, at the load's highest rate."""
    first = first_to_give_way(found)
    if first is not None:
        at, limit = first.limited_at_rate_per_s, first.limit
        assert at is not None
        assert first.demand is not None
        assert limit.per_s is not None
        words = (
            f"{limit.resource} ({SERVICES[limit.service]}) at about {figure(at)} requests/s: "
            f"{figure(limit.per_s)} {limit.unit}/s ({limit.source}), and an invocation takes "
            f"{figure(first.demand.per_invocation)} ({first.demand.source})"
        )
        if first.is_exceeded:
            also = [each for each in found[1:] if each.is_exceeded]
            more = "".join(f"; then {_short(each)}" for each in also[:3])
            yield Finding(
                "downstream_saturates",
                "warning",
                f"The load's {figure(rate_per_s)} requests/s are more than what is behind the "
                f"function takes. First to give way: {words}{more}. Raise that limit, or lower "
                f"the rate{_burst(first)}",
            )
        else:
            yield Finding(
                "downstream_first",
                "info",
                f"First to give way behind the function: {words}; the load goes up to "
                f"{figure(rate_per_s)}",
            )
    for each in found:
        if (most := _partition(each)) is not None:
            yield Finding(
                "partition_limit",
                "info",
                f"{each.limit.resource}: {figure(each.demand_per_s or 0.0)} {each.limit.unit}/s "
                f"are more than one partition takes ({most:,.0f}). If they go to one key, that "
                "key's partition gives way before the table does",
            )


def not_known(
    found: Sequence[Saturation], unseen: Sequence[str], *, counts_later: bool = False
) -> Iterator[Finding]:
    """What is left open, and why; `counts_later`: the load itself will tell what is asked."""
    asked = "what an invocation asks of it" + (", which the load counts" if counts_later else "")
    open_ = dict.fromkeys(
        f"{each.limit.resource} ({SERVICES[each.limit.service]}: "
        f"{each.limit.source if each.demand else asked})"
        for each in found
        if each.limited_at_rate_per_s is None and (each.limit.per_s is None or each.demand is None)
    )
    if open_:
        yield Finding(
            "downstream_unknown",
            "info",
            f"Not known of what is behind the function: {', '.join(list(open_)[:8])}",
        )
    if unseen:
        yield Finding(
            "downstream_unseen",
            "info",
            f"Not seen around the function: {', '.join(unseen[:8])}. `tuner iam-policy` "
            "(`purpose=load`) has what that needs; `downstream=none` looks at nothing",
        )


def seen_during(
    seen: Sequence[Seen], phases: Sequence[Phase], *, polls: bool = True
) -> Iterator[Finding]:
    """What the looks during the load show; without `polls` (locally) nothing empties queues."""
    if not seen:
        return
    first, last = seen[0].look.states, seen[-1].look.states
    for key, value in last.items():
        service, name, state = key
        whose = f"{name} ({SERVICES[service]})"
        if state == "throttled" and value > 0:
            at_s = next(each.at_s for each in seen if each.look.states.get(key, 0) > 0)
            yield Finding(
                "downstream_throttled",
                "warning",
                f"{whose} refused {value:,.0f} requests during the load, the first within "
                f"{at_s:,.0f} s, at up to {figure(rate_at(phases, at_s))} requests/s",
            )
    if polls:
        yield from _queues(first, last, phases)


def _queues(
    first: Mapping[tuple[Service, str, State], float],
    last: Mapping[tuple[Service, str, State], float],
    phases: Sequence[Phase],
) -> Iterator[Finding]:
    peak = max(max(each.rate_from_per_s, each.rate_to_per_s) for each in phases)
    for (service, name, state), value in last.items():
        before = first.get((service, name, state), 0.0)
        if state == "waiting" and value > max(peak, _GREW_BY * before):
            oldest_s = last.get((service, name, "oldest_s"))
            age = "" if oldest_s is None else f", the oldest for {oldest_s:,.0f} s"
            yield Finding(
                "queue_grew",
                "warning",
                f"{name}: {before:,.0f} messages waited when the load began and {value:,.0f} at "
                f"its end{age}. Its consumers are slower than the function",
            )
        if state == "iterator_age_s" and value > max(_BEHIND_S, before):
            yield Finding(
                "iterator_behind",
                "warning",
                f"{name} ({SERVICES[service]}): what reads the stream was {value:,.0f} s behind "
                f"at the load's end, and {before:,.0f} s when it began",
            )


def _short(each: Saturation) -> str:
    return f"{each.limit.resource} at {figure(each.limited_at_rate_per_s or 0.0)}/s"


def _burst(first: Saturation) -> str:
    """DynamoDB keeps five minutes of what a provisioned table didn't use."""
    if first.limit.service != "dynamodb" or first.limit.source != "provisioned":
        return ""
    return " (what the table didn't use in the last five minutes carries a short load beyond it)"


def _partition(each: Saturation) -> float | None:
    if each.limit.service != "dynamodb" or each.demand_per_s is None or each.is_exceeded:
        return None
    writes = each.limit.unit == "write units"
    most = PARTITION_WRITES_PER_S if writes else PARTITION_READS_PER_S
    return most if each.demand_per_s > most else None
